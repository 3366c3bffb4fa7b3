package sandbox

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
)

// Portal is a stand-in portal. It is an http.Handler; see [Portal.RoundTripper]
// for the way without a socket. It is safe for concurrent use.
type Portal struct {
	cfg     State // the options; its objects are not used after New
	methods map[string]method
	workers *semaphore.Weighted // nil: any number

	mu         sync.Mutex // guards all below
	connectors store[*connector]
	sources    store[*source]
	tables     store[*table]
	names      map[string]int64 // the tables by name; 0 for a name that others have
	columns    map[int64]int64  // the table of each column
	lastParam  int64            // of a stored setting
	lastColumn int64
	lastBI     int64          // of a BI Builder dataset
	failedOnce map[int64]bool // the sources, and as negative numbers the connectors, whose first check has failed
	bucket     bucket
	meters     map[meterKey]*meter
	others     []otherJob
	faults     []faultCount
	deeds      []int // how often what they wait for has been
	tokens     tokens
	running    map[*run]context.CancelFunc
	idle       []chan struct{} // of those who wait for running to be empty
	closed     bool
	requests   int // so far
	calls      []Call
	checks     []Check
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
		connectors: newStore("connector", connectorSchema, errConnectorNotFound, s.ShowAfter),
		sources:    newStore("source", sourceSchema, errSourceNotFound, s.ShowAfter),
		tables:     newStore("table", tableSchema, errTableNotFound, s.ShowAfter),
		names:      make(map[string]int64, len(s.Tables)),
		columns:    map[int64]int64{},
		failedOnce: map[int64]bool{},
		bucket:     newBucket(s.Limits),
		meters:     map[meterKey]*meter{},
		faults:     make([]faultCount, len(s.Faults)),
		deeds:      make([]int, len(s.People)),
		tokens:     newTokens(s.TokenLifetime),
		running:    map[*run]context.CancelFunc{},
		stats:      newStats(),
	}
	p.cfg.Connectors, p.cfg.Sources, p.cfg.Tables, p.cfg.TakenNames = nil, nil, nil, nil
	p.cfg.Faults, p.cfg.People, p.cfg.HostCosts = slices.Clone(s.Faults), slices.Clone(s.People), maps.Clone(s.HostCosts)
	if p.cfg.Scope = slices.Clone(s.Scope); p.cfg.Scope == nil {
		p.cfg.Scope = []string{"biconnector", "user_brief"}
	}
	for _, j := range s.OtherJobs {
		p.others = append(p.others, otherJob{OtherJob: j})
	}
	p.tables.index = p.indexTable
	if s.NoSupportMapping {
		p.connectors.schema = p.connectors.schema.without("supportMapping")
	}
	if !s.NewKeys {
		p.connectors.schema = p.connectors.schema.without("sourceCode")
	}
	if s.Workers > 0 {
		p.workers = semaphore.NewWeighted(int64(s.Workers))
	}
	p.methods = p.allMethods()
	p.fill(s)
	return p, nil
}

// fill puts the objects of a state into the portal. They are as old as the
// epoch, and shown at once.
func (p *Portal) fill(s *State) {
	late := s.ShowAfter
	p.connectors.late, p.sources.late, p.tables.late = 0, 0, 0
	for _, c := range s.Connectors {
		p.connectors.put(newConnector(c))
	}
	for _, src := range s.Sources {
		p.sources.put(p.newSource(src))
	}
	for _, name := range s.TakenNames {
		p.names[name] = 0
	}
	for _, t := range s.Tables {
		for _, c := range t.Columns {
			p.lastColumn = max(p.lastColumn, c.ID)
		}
	}
	for _, t := range s.Tables {
		p.tables.put(p.newTable(t))
	}
	p.connectors.late, p.sources.late, p.tables.late = late, late, late
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
	// namesBelow is the first table id whose name the request does not know to
	// be taken; 0 before its first table.add.
	namesBelow int64
	old        bool              // dataset.add or dataset.delete ran in this request; see methods
	fault      *Fault            // what one of its commands died of
	spent      map[string]*spent // by method
}

// begin makes the run of a request. Its context is not the client's: a portal
// continues with what it has begun. It returns nil once the portal is closed.
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
