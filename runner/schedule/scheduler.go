package schedule

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"

	"syncsources/bitrix"
	"syncsources/bitrix/rest"
)

// Scheduler sends tasks as fast as the portal's limits allow. It belongs to
// the goroutine that calls its methods; StopWriting alone may be called from
// others.
type Scheduler struct {
	conf   Config
	sender Sender

	submitted []Task
	outcomes  []Outcome
	poke      chan struct{}
	noWriting atomic.Bool
	answers   chan *request
	queue     queue
	inFlight  []*request

	bucket   *bucket
	limiter  *limiter
	clock    clock
	classes  map[string]int    // of each method
	costs    map[string]*costs // by class, and by method for all its classes
	budgets  map[string]*budget
	refusals backoff // after 503
	losses   backoff // after lost answers
	outage   outage
	trials   map[bool]*trial // of what reads, and of what writes

	cautious bool     // there may be nobody: one request at a time finds out
	probe    *request // that one

	stopped   error // nil while the run continues
	stats     Stats
	announced Wait
	timeline  []Exchange
	waits     []Waited
	sent      int
	coming    int // writes
}

// request is one request in flight.
type request struct {
	id       int
	items    []*item
	write    bool
	alone    bool
	lazy     bool // holds nothing but lazy reads
	sentAt   time.Time
	inFlight int     // requests in flight when it was sent, itself included
	planned  float64 // seconds

	resp       *bitrix.Response
	err        error
	answeredAt time.Time
	leftAt     time.Time // by what the client says; not before sentAt
}

// left is how many seconds it should still take.
func (r *request) left(now time.Time) float64 { return max(0, r.planned-now.Sub(r.sentAt).Seconds()) }

// New returns a Scheduler for one run.
func New(conf Config, sender Sender) *Scheduler {
	conf = conf.withDefaults()
	seed := conf.Seed
	if seed == 0 {
		seed = rand.Uint64()
	}
	rng := rand.New(rand.NewPCG(seed, seed))
	l := newLimiter(conf.Concurrency)
	return &Scheduler{
		conf: conf, sender: sender,
		poke:     make(chan struct{}, 1),
		answers:  make(chan *request, int(l.ceiling)),
		bucket:   newBucket(conf.Rate, conf.Burst),
		refusals: backoff{rng: rng, first: 500 * time.Millisecond, most: 30 * time.Second},
		losses:   backoff{rng: rng, first: 250 * time.Millisecond, most: 5 * time.Second},
		limiter:  l,
		classes:  map[string]int{},
		costs:    map[string]*costs{},
		budgets:  map[string]*budget{},
		trials:   map[bool]*trial{false: {}, true: {}},
	}
}

// Submit adds tasks. Those of the same kind keep their order. Nothing is sent
// before the next call of Next.
func (s *Scheduler) Submit(tasks ...Task) { s.submitted = append(s.submitted, tasks...) }

// Expect says how many writes are still to be submitted, because they wait for
// what others make.
func (s *Scheduler) Expect(writes int) { s.coming = writes }

// StopWriting makes all writes that are not yet sent come back as Skipped;
// reads continue. It may be called from anywhere, any number of times.
func (s *Scheduler) StopWriting() {
	s.noWriting.Store(true)
	select {
	case s.poke <- struct{}{}:
	default:
	}
}

// RequestTime is how long the portal may continue with a request.
func (s *Scheduler) RequestTime() time.Duration { return s.conf.RequestTime }

// Stats reports what the run has cost so far.
func (s *Scheduler) Stats() Stats { return s.stats }

// Err is why the run ended early: the *rest.Error with a Fatal reaction, the
// error of a portal that does not answer (code NETWORK), that of a Sender that
// panicked (code INTERNAL), or that of a context that is over. It is nil where nothing ended it.
func (s *Scheduler) Err() error { return s.stopped }

// Next sends what may be sent and returns the next outcome as soon as there is
// one. It returns false when nothing is left to send and nothing is in flight;
// after further Submits it may be called again.
//
// After the run has ended early (Err), tasks that were not sent come back as
// Skipped, and what was in flight is waited for. When ctx is over it is cut,
// and comes back as Unknown.
func (s *Scheduler) Next(ctx context.Context) (Outcome, bool) {
	done := ctx.Done()
	for {
		s.intake()
		if len(s.outcomes) > 0 {
			o := s.outcomes[0]
			s.outcomes = s.outcomes[1:]
			return o, true
		}
		wake, why := s.dispatch(ctx, time.Now())
		if len(s.inFlight) == 0 && s.queue.len() == 0 {
			if s.judge() {
				continue
			}
			s.announce(time.Time{}, "")
			return Outcome{}, false
		}
		s.announce(wake, why)
		var timer <-chan time.Time
		if !wake.IsZero() {
			timer = time.After(time.Until(wake))
		}
		waiting, idle := time.Now(), len(s.inFlight) == 0
		select {
		case r := <-s.answers:
			for _, r := range s.gather(r) {
				s.settle(r)
			}
		case <-timer:
		case <-s.poke:
		case <-done:
			s.stop(ctx.Err())
			done = nil
		}
		if idle {
			s.stats.Waited += time.Since(waiting)
		}
	}
}

// together is how long an answer waits for others that come with it. Where many
// requests end at once, a decision made on the first answer alone is a bad one:
// without it, a run whose batches are billed takes ten minutes longer now and
// then, because the last of them do not fill the window.
const together = time.Millisecond

// gather adds the answers that come together with the first one, in the order
// of their requests. That also makes runs in virtual time repeatable.
func (s *Scheduler) gather(first *request) []*request {
	all := []*request{first}
	if len(s.inFlight) > 1 {
		over := time.After(together)
		for more := true; more && len(all) < len(s.inFlight); {
			select {
			case r := <-s.answers:
				all = append(all, r)
			case <-over:
				more = false
			}
		}
		slices.SortFunc(all, func(a, b *request) int { return a.id - b.id })
	}
	return all
}

// deliver hands an item out.
func (s *Scheduler) deliver(it *item, reply bitrix.Reply) {
	s.outcomes = append(s.outcomes, Outcome{Task: it.Task, Reply: reply, Sent: it.sent, LastSent: it.lastSent})
}

// stop ends the run: nothing further is sent. The first reason counts.
func (s *Scheduler) stop(err error) {
	if s.stopped == nil {
		s.stopped = err
	}
}

// intake queues what was submitted, and hands out what will not be sent any
// more.
func (s *Scheduler) intake() {
	now := time.Now()
	for _, t := range s.submitted {
		s.queue.add(newItem(t, s.classOf(t.Command)), now)
	}
	s.submitted = s.submitted[:0]
	s.queue.wake(now)
	var skipped []*item
	switch {
	case s.stopped != nil:
		skipped = s.queue.remove(func(kind) bool { return true })
	case s.noWriting.Load():
		skipped = s.queue.remove(func(k kind) bool { return k.write })
	}
	for _, it := range skipped {
		o := Outcome{Task: it.Task, Sent: it.sent, LastSent: it.lastSent, Skipped: it.sent == 0}
		if it.sent > 0 {
			o.Reply.Err = &rest.Error{Code: rest.Network, Method: it.Command.Method(),
				Message: "the portal's answer was lost, and the run ended before it could be asked again"}
		}
		s.outcomes = append(s.outcomes, o)
	}
}

// announce reports a wait longer than a second, and its end. Lazy reads
// in flight do not end a wait: they only make use of it.
func (s *Scheduler) announce(until time.Time, why string) {
	now := time.Now()
	busy := slices.ContainsFunc(s.inFlight, func(r *request) bool { return !r.lazy })
	if busy || until.Sub(now) <= time.Second {
		until, why = time.Time{}, ""
	}
	if s.announced.Reason == why && s.announced.Until.Equal(until) {
		return
	}
	s.announced = Wait{why, until}
	s.noteWait(now, why)
	if why != "" {
		log := s.conf.Logger.Info
		if why == WaitOperating {
			log = s.conf.Logger.Warn // minutes, of which nothing else speaks
		}
		log(fmt.Sprintf("waiting %.0f s for %s", until.Sub(now).Seconds(), why), "until", until)
	}
	if s.conf.OnWait != nil {
		s.conf.OnWait(s.announced)
	}
}

// launch sends a request.
func (s *Scheduler) launch(ctx context.Context, r *request, now time.Time) {
	s.sent++
	r.id, r.sentAt = s.sent, now
	s.inFlight = append(s.inFlight, r)
	r.inFlight = len(s.inFlight)
	commands := make([]bitrix.Command, len(r.items))
	for i, it := range r.items {
		commands[i] = it.Command
		it.planned = s.estimate(it.kind()).mean
		s.budget(it.Command.Method()).planned += it.planned
		r.planned += it.planned
	}
	s.bucket.take(now)
	if s.cautious {
		s.probe = r
	}
	go func() {
		defer func() {
			if reason := recover(); reason != nil {
				s.conf.Logger.Error("internal error", "reason", reason, "stack", string(debug.Stack()))
				r.err = &rest.Error{Code: rest.Internal, Message: fmt.Sprintf("internal error: %v", reason)}
			}
			r.answeredAt = time.Now()
			s.answers <- r
		}()
		r.resp, r.err = s.sender.Send(ctx, commands, r.alone)
	}()
}

// classOf is what a command's cost is measured with: those of its class, or,
// where its method has many classes, of the rest of them.
func (s *Scheduler) classOf(c bitrix.Command) string {
	class, method := c.Class(), c.Method()
	if s.costs[class] == nil && class != method {
		if s.classes[method] >= classesApart {
			return method + ", others"
		}
		s.classes[method]++
		s.cost(class)
	}
	return class
}

func (s *Scheduler) cost(class string) *costs {
	c := s.costs[class]
	if c == nil {
		c = new(costs)
		s.costs[class] = c
	}
	return c
}

func (s *Scheduler) budget(method string) *budget {
	b := s.budgets[method]
	if b == nil {
		b = newBudget(s.conf.OperatingLimit)
		s.budgets[method] = b
	}
	return b
}
