package schedule

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"syncsources/bitrix"
)

// Scheduler sends tasks as fast as the portal's limits allow. All its state
// belongs to the goroutine of Run; only what Submit and StopWriting touch is
// shared.
type Scheduler struct {
	conf   Config
	sender Sender

	inbox struct {
		sync.Mutex
		tasks []Task
	}
	poke        chan struct{}
	noWriting   atomic.Bool
	answers     chan *request
	queue       queue
	bucket      *bucket
	refusals    backoff // after 503
	losses      backoff // after lost answers
	outage      outage
	limiter     *limiter
	costs       map[string]*costs
	budgets     map[string]*budget
	flying      []*request
	doubt       bool     // the bucket may be full, or nobody there: one request at a time finds out
	scout       *request // that one
	probed      bool     // an update has been answered, if only by a refusal
	aloneTurn   bool
	lazySince   time.Time // the last request that read
	stopped     error     // nil while the run goes on
	stats       Stats
	announced   Wait
	lastRequest int
}

// request is one request in flight.
type request struct {
	id       int
	items    []*item
	write    bool
	alone    bool
	lazy     bool // holds nothing but lazy reads
	sentAt   time.Time
	flying   int     // requests in flight when it was sent, itself included
	planned  float64 // seconds
	reserved []reservation

	late bool // it could not leave when it was to, and has not been sent
	resp *bitrix.Response
	err  error
}

// reservation is operating time planned for a request in flight.
type reservation struct {
	budget  *budget
	seconds float64
}

// New returns a Scheduler for one run.
func New(conf Config, sender Sender) *Scheduler {
	conf = conf.withDefaults()
	seed := conf.Seed
	if seed == 0 {
		seed = rand.Uint64()
	}
	rng := rand.New(rand.NewPCG(seed, seed))
	return &Scheduler{
		conf: conf, sender: sender,
		poke:     make(chan struct{}, 1),
		answers:  make(chan *request, conf.Concurrency),
		bucket:   newBucket(conf.Rate, conf.Burst),
		refusals: backoff{rng: rng, first: 500 * time.Millisecond, most: 30 * time.Second},
		losses:   backoff{rng: rng, first: 250 * time.Millisecond, most: 5 * time.Second},
		limiter:  newLimiter(conf.Concurrency),
		costs:    map[string]*costs{},
		budgets:  map[string]*budget{},
		doubt:    true,
	}
}

// Submit adds tasks: before Run, from a Done, or from anywhere while Run goes
// on. Tasks of the same kind keep their order.
func (s *Scheduler) Submit(tasks ...Task) {
	s.inbox.Lock()
	s.inbox.tasks = append(s.inbox.tasks, tasks...)
	s.inbox.Unlock()
	s.wakeUp()
}

// StopWriting makes all updates that are not yet sent come back as Skipped;
// reads go on. It may be called from anywhere, any number of times.
func (s *Scheduler) StopWriting() {
	s.noWriting.Store(true)
	s.wakeUp()
}

func (s *Scheduler) wakeUp() {
	select {
	case s.poke <- struct{}{}:
	default:
	}
}

// Stats tells what the run has cost. It may be called from a Done or OnWait,
// and after Run.
func (s *Scheduler) Stats() Stats { return s.stats }

// Run sends all tasks and those that their Done functions add, and returns
// when nothing is queued or in flight. It may be called again after that.
//
// It returns the *bitrix.Error with a Fatal reaction that ended the run, the
// error of a portal that does not answer (code NETWORK), or ctx.Err(). In
// each case the tasks that were not sent have come back as Skipped; what was
// in flight has been waited for, or, if ctx is done, was cut and came back
// as Unknown.
func (s *Scheduler) Run(ctx context.Context) error {
	var group errgroup.Group
	group.SetLimit(s.conf.Concurrency)
	defer func() { _ = group.Wait() }() // the goroutines report through s.answers
	done := ctx.Done()
	for {
		s.intake()
		wake, why := s.dispatch(ctx, &group, time.Now())
		if len(s.flying) == 0 && s.idle() {
			s.announce(time.Time{}, "")
			return s.stopped
		}
		s.announce(wake, why)
		var timer <-chan time.Time
		if !wake.IsZero() {
			timer = time.After(time.Until(wake))
		}
		waiting, idle := time.Now(), len(s.flying) == 0
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

// together is how long an answer waits for others that come with it, so that
// the next decision is made with all that is known.
const together = time.Millisecond

// gather adds the answers that come together with the first one, in the order
// of their requests. That also makes runs in virtual time repeatable.
func (s *Scheduler) gather(first *request) []*request {
	all := []*request{first}
	if len(s.flying) > 1 {
		over := time.After(together)
		for more := true; more && len(all) < len(s.flying); {
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

// idle reports whether nothing is left to be done.
func (s *Scheduler) idle() bool {
	s.inbox.Lock()
	defer s.inbox.Unlock()
	return len(s.inbox.tasks) == 0 && s.queue.len() == 0
}

// stop ends the run: nothing further is sent. The first reason counts.
func (s *Scheduler) stop(err error) {
	if s.stopped == nil {
		s.stopped = err
	}
}

// intake queues what was submitted, and returns what will not be sent any
// more. A Done may submit again, so it goes on until nothing comes.
func (s *Scheduler) intake() {
	for {
		s.inbox.Lock()
		tasks := s.inbox.tasks
		s.inbox.tasks = nil
		s.inbox.Unlock()
		now := time.Now()
		for _, t := range tasks {
			s.queue.add(newItem(t), now)
		}
		s.queue.wake(now)
		var skipped []*item
		switch {
		case s.stopped != nil:
			skipped = s.queue.remove(func(kind) bool { return true })
		case s.noWriting.Load():
			skipped = s.queue.remove(func(k kind) bool { return k.write })
		}
		for _, it := range skipped {
			it.Done(Result{Sent: it.sent, Skipped: it.sent == 0, Reply: bitrix.Reply{Err: s.lostError(it)}})
		}
		if len(skipped) == 0 && len(tasks) == 0 {
			return
		}
	}
}

// lostError is the error of an item that was sent, but whose answer was lost,
// and that cannot be sent again.
func (s *Scheduler) lostError(it *item) error {
	if it.sent == 0 {
		return nil
	}
	return &bitrix.Error{Code: bitrix.Network, Message: "the portal's answer was lost, and the run ended before it could be asked again", Method: it.Command.Method()}
}

// announce tells of a wait longer than a second, and of its end. Lazy reads
// in flight do not end a wait: they only make use of it.
func (s *Scheduler) announce(until time.Time, why string) {
	now := time.Now()
	busy := slices.ContainsFunc(s.flying, func(r *request) bool { return !r.lazy })
	if busy || until.Sub(now) <= time.Second {
		until, why = time.Time{}, ""
	}
	if s.announced.Reason == why && s.announced.Until.Equal(until) {
		return
	}
	s.announced = Wait{why, until}
	if why != "" {
		s.conf.Logger.Info(fmt.Sprintf("waiting %.0f s for %s", until.Sub(now).Seconds(), why), "until", until)
	}
	if s.conf.OnWait != nil {
		s.conf.OnWait(s.announced)
	}
}

// launch sends a request.
func (s *Scheduler) launch(ctx context.Context, group *errgroup.Group, r *request, now time.Time) {
	s.lastRequest++
	r.id, r.sentAt = s.lastRequest, now
	s.flying = append(s.flying, r)
	r.flying = len(s.flying)
	commands := make([]bitrix.Command, len(r.items))
	perMethod := map[string]float64{}
	for i, it := range r.items {
		commands[i] = it.Command
		c := s.cost(it.Command.Method()).estimate().mean
		perMethod[it.Command.Method()] += c
		r.planned += c
	}
	for m, seconds := range perMethod {
		b := s.budget(m)
		b.flying += seconds
		r.reserved = append(r.reserved, reservation{b, seconds})
	}
	s.bucket.take(now)
	if s.doubt {
		s.scout = r
	}
	urgent := r.urgent()
	group.Go(func() error {
		start := time.Now()
		s.sender.Ready(ctx)
		if r.late = !urgent && time.Since(start) > punctual; !r.late {
			r.resp, r.err = s.sender.Send(ctx, commands, r.alone)
		}
		s.answers <- r
		return nil
	})
}

// punctual is how long a request may wait to leave after it was counted. One
// that waits longer is given back, to be counted anew: it would come to the
// portal closer to those behind it than the bucket allows.
const punctual = 10 * time.Millisecond

// mostLate is how often that happens to an item. Tokens that are over before
// they can be used must not hold it for ever.
const mostLate = 8

// urgent reports whether a request has to be sent however late it is.
func (r *request) urgent() bool {
	return slices.ContainsFunc(r.items, func(it *item) bool { return it.late >= mostLate })
}

func (s *Scheduler) cost(method string) *costs {
	c := s.costs[method]
	if c == nil {
		c = new(costs)
		s.costs[method] = c
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
