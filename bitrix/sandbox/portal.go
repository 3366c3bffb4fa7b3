package sandbox

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"
)

// Portal is a stand-in portal. It is an http.Handler; see [Portal.RoundTripper]
// for the way without a socket. It is safe for concurrent use.
type Portal struct {
	cfg State // the options; its Connectors and Sources are not used after New

	mu         sync.Mutex // guards all below
	connectors map[int64]*connector
	sources    map[int64]*source
	owned      map[string][]int64 // the ids of an application's sources, rising
	lastID     int64              // of a source
	lastParam  int64              // of a stored setting
	bucket     bucket
	meters     map[meterKey]*meter
	busy       int
	queue      []chan struct{}
	faults     []faultCount
	tokens     tokens
	running    map[*run]context.CancelFunc
	idle       []chan struct{} // of those who wait for running to be empty
	closed     bool
	requests   int // so far
	calls      []Call
	stats      Stats
	accessLog  io.Writer
}

// New makes a portal. The state is copied; it is an error if it contradicts
// itself.
func New(s *State) (*Portal, error) {
	if p := s.check(); p != nil {
		return nil, fmt.Errorf("sandbox: %s", p.msg)
	}
	p := &Portal{
		cfg:        *s,
		connectors: make(map[int64]*connector, len(s.Connectors)),
		sources:    make(map[int64]*source, len(s.Sources)),
		owned:      map[string][]int64{},
		bucket:     newBucket(s.Limits),
		meters:     map[meterKey]*meter{},
		faults:     make([]faultCount, len(s.Faults)),
		running:    map[*run]context.CancelFunc{},
		stats:      newStats(),
	}
	p.cfg.Connectors, p.cfg.Sources = nil, nil
	p.cfg.Faults = slices.Clone(s.Faults)
	p.cfg.Scope = slices.Clone(s.Scope)
	if p.cfg.Scope == nil {
		p.cfg.Scope = []string{"biconnector", "user_brief"}
	}
	p.tokens = newTokens(s.TokenLifetime)
	for _, c := range s.Connectors {
		p.connectors[c.ID] = newConnector(c)
	}
	for _, src := range s.Sources {
		p.insert(p.newSource(src))
	}
	return p, nil
}

// Close ends the requests that the portal still executes - a client may have
// given up on them long ago - and waits for them. Later requests find no
// portal. In a synctest bubble, call it before the test function returns.
func (p *Portal) Close() error {
	p.mu.Lock()
	p.closed = true
	for _, cancel := range p.running {
		cancel()
	}
	p.mu.Unlock()
	p.Wait()
	return nil
}

// Wait waits until the portal has executed everything it was asked for,
// requests included whose clients have given up.
func (p *Portal) Wait() {
	p.mu.Lock()
	if len(p.running) == 0 {
		p.mu.Unlock()
		return
	}
	idle := make(chan struct{})
	p.idle = append(p.idle, idle)
	p.mu.Unlock()
	<-idle
}

// run is the execution of one request.
type run struct {
	p     *Portal
	ctx   context.Context
	n     int       // the request's number, from 1
	host  string    // the request's host, for addresses in answers
	https bool      // for the same
	cut   time.Time // when the request is cut; zero: never
	start time.Time // of the execution, after the queue
	auth  auth
}

// begin makes the run of a request. Its context is not the client's: a portal
// goes on with what it has begun. It returns nil once the portal is closed.
func (p *Portal) begin(req request) *run {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	p.requests++
	r := &run{p: p, ctx: ctx, n: p.requests, host: req.host, https: req.https}
	p.running[r] = cancel
	return r
}

func (r *run) end() {
	p := r.p
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running[r]()
	delete(p.running, r)
	if len(p.running) == 0 {
		for _, idle := range p.idle {
			close(idle)
		}
		p.idle = nil
	}
}

// work lets execution time pass. It returns errCut if the request's time is
// over before, and errGone if the portal is closed.
func (r *run) work(d time.Duration) *apiError {
	var late *apiError
	if !r.cut.IsZero() {
		if left := time.Until(r.cut); left < d {
			d, late = left, errCut
		}
	}
	if err := r.sleep(d); err != nil {
		return err
	}
	return late
}

// sleep waits without regard to the cut.
func (r *run) sleep(d time.Duration) *apiError {
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-t.C:
		case <-r.ctx.Done():
		}
	}
	if r.ctx.Err() != nil {
		return errGone
	}
	return nil
}
