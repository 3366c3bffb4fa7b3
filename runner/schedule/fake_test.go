package schedule

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"syncsources/bitrix"
	"syncsources/bitrix/rest"
)

// fakePortal answers commands after their cost. It has a stepped leaky bucket
// of its own, written apart from the one under test.
type fakePortal struct {
	replying           sync.Mutex
	rate, burst, level int
	phase              time.Duration // the steps come at phase, phase + 1 s, ...
	cost               func(c bitrix.Command) time.Duration
	latency            time.Duration
	cut                time.Duration // 0: never
	// fault may spoil the n-th request, counted from 1.
	fault func(n int, commands []bitrix.Command, alone bool) error
	reply func(c bitrix.Command) error

	start    time.Time
	drained  int
	requests []fakeRequest
	refused  int
	mutex    chan struct{}
}

type fakeRequest struct {
	at     time.Duration
	size   int
	method string
	alone  bool
}

func newFake() *fakePortal {
	return &fakePortal{rate: 2, burst: 50, cost: func(bitrix.Command) time.Duration { return 0 }}
}

var throttled = &rest.Error{Code: rest.QueryLimitExceeded, Status: 503}

func (p *fakePortal) Send(ctx context.Context, commands []bitrix.Command, alone bool) (*bitrix.Response, error) {
	start := time.Now()
	resp := &bitrix.Response{}
	<-p.mutex
	now := time.Since(p.start)
	steps := int((now + time.Second - p.phase) / time.Second)
	if steps > p.drained {
		p.level = max(0, p.level-p.rate*(steps-p.drained))
		p.drained = steps
	}
	p.requests = append(p.requests, fakeRequest{now, len(commands), commands[0].Method(), alone})
	n := len(p.requests)
	full := p.level >= p.burst
	if full {
		p.refused++
	} else {
		p.level++
	}
	p.mutex <- struct{}{}
	if full {
		return resp, throttled
	}
	if p.fault != nil {
		if err := p.fault(n, commands, alone); err != nil {
			return resp, err
		}
	}
	if p.latency > 0 {
		time.Sleep(p.latency)
	}
	for _, c := range commands {
		cost := p.cost(c)
		if left := p.cut - time.Since(start); p.cut > 0 && left < cost {
			time.Sleep(left)
			return &bitrix.Response{Elapsed: p.cut}, &rest.Error{Code: rest.BadAnswer, Status: 504}
		}
		// No timer for no time: where two goroutines of a bubble start such
		// timers at once, the race detector breaks (golang.org/issue/78156).
		if cost > 0 {
			select {
			case <-time.After(cost):
			case <-ctx.Done():
				return resp, &rest.Error{Code: rest.Network, Err: ctx.Err()}
			}
		}
		r := bitrix.Reply{Result: []byte("true"), Time: rest.Time{Processing: cost, Fine: true}}
		if p.reply != nil {
			p.replying.Lock()
			r.Err = p.reply(c)
			p.replying.Unlock()
		}
		resp.Replies = append(resp.Replies, r)
		resp.Time.Processing += cost
	}
	resp.Elapsed = time.Since(start)
	return resp, nil
}

// bubble runs f under virtual time with a fresh portal.
func bubble(t *testing.T, f func(t *testing.T, p *fakePortal)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := newFake()
		p.start, p.phase = time.Now(), time.Second
		p.mutex = make(chan struct{}, 1)
		p.mutex <- struct{}{}
		f(t, p)
	})
}

func updates(n int) []bitrix.Write {
	list := make([]bitrix.Write, n)
	for i := range list {
		list[i] = bitrix.UpdateSource(int64(i+1), bitrix.SourceFields{Title: "t"})
	}
	return list
}

func aloneUpdate(id int64) bitrix.Write {
	yes := true
	return bitrix.UpdateSource(id, bitrix.SourceFields{Title: "t", Active: &yes})
}

// drive hands all outcomes to their owners.
func drive(s *Scheduler, ctx context.Context) error {
	for {
		o, ok := s.Next(ctx)
		if !ok {
			return s.Err()
		}
		o.Task.Owner.(func(Outcome))(o)
	}
}

// collect submits commands and keeps their results by index.
func collect[C bitrix.Command](s *Scheduler, commands []C, lazy bool) []Outcome {
	results := make([]Outcome, len(commands))
	for i, c := range commands {
		calls := 0
		s.Submit(Task{Command: c, Lazy: lazy, Owner: func(r Outcome) {
			if calls++; calls > 1 {
				panic("Done called twice")
			}
			results[i] = r
			if r.Sent == 0 && !r.Skipped && r.Reply.Err == nil {
				panic("neither sent nor skipped nor refused")
			}
		}})
	}
	return results
}
