package schedule

import (
	"context"
	"math"
	"time"

	"golang.org/x/sync/errgroup"

	"syncsources/bitrix"
)

// What the choice of the next request goes by.
const (
	// fewUpdates of unknown cost go as one batch; of more, one goes ahead to
	// find out. The documentation's sample takes 1.35 s, so four are far from
	// the cut.
	fewUpdates = 4
	// probeTime is how long the first answer may take before further single
	// commands go ahead: by then it is known that commands are slow, so that
	// slots are dearer than tokens.
	probeTime = 250 * time.Millisecond
	// Work below which a request of its own does not pay: reads are as few as
	// possible, unless they take long.
	roundOfReads  = 5.0
	roundOfWrites = 0.02
	// longHold is a hold during which lazy reads need not wait for company.
	longHold = 5 * time.Second
)

// draft is the request that is to be sent next.
type draft struct {
	from  func(kind) bool
	size  int
	fill  func(kind) bool // takes what room is left up to room
	room  int
	write bool
	alone bool
	lazy  bool
}

// blocked collects why nothing can be sent, and until when.
type blocked struct {
	until time.Time
	why   string
}

// by notes a reason; the earliest end counts.
func (b *blocked) by(until time.Time, why string) {
	if b.until.IsZero() || until.Before(b.until) {
		b.until, b.why = until, why
	}
}

// dispatch sends all that may be sent now. It returns when it is worth asking
// again, if not an answer comes before, and what the wait is for.
func (s *Scheduler) dispatch(ctx context.Context, group *errgroup.Group, now time.Time) (wake time.Time, why string) {
	for s.stopped == nil {
		var b blocked
		if len(s.flying) >= s.limiter.slots() {
			return time.Time{}, ""
		}
		d, ok := s.choose(now, &b)
		if len(s.queue.delayed) > 0 {
			b.by(s.queue.delayed[0].NotBefore, WaitRetry)
		}
		if !ok {
			return b.until, b.why
		}
		b = blocked{}
		if s.refusals.until.After(now) {
			return s.refusals.until, WaitRate
		}
		if s.losses.until.After(now) {
			return s.losses.until, WaitAnswer
		}
		if s.doubt && s.scout != nil {
			if passed := s.scout.sentAt.Add(trialTime); passed.After(now) {
				return passed, WaitRate
			}
			s.doubt, s.scout = false, nil
		}
		s.bucket.slack = min(time.Duration(s.limiter.base*float64(time.Second)), time.Second/2)
		s.bucket.offer(now)
		if at := s.bucket.next(now); at.After(now) {
			return at, WaitRate
		}
		r := &request{write: d.write, alone: d.alone, lazy: d.lazy, items: s.queue.take(d.size, d.from)}
		if d.fill != nil {
			r.items = append(r.items, s.queue.take(d.room-len(r.items), d.fill)...)
		}
		s.launch(ctx, group, r, now)
	}
	return time.Time{}, ""
}

// choose drafts the next request in this order: reads that somebody waits
// for; lazy reads that fill a request; updates, batches and calls of their
// own in turn; lazy reads, when nothing else is left.
func (s *Scheduler) choose(now time.Time, b *blocked) (draft, bool) {
	open := func(k kind) bool { return !s.budget(k.method).open(now).After(now) }
	for _, l := range s.queue.lanes {
		if at := s.budget(l.method).open(now); l.len() > 0 && at.After(now) {
			b.by(at, WaitOperating)
		}
	}
	batch := s.budget(bitrix.MethodBatch)
	batches := !(batch.probe && s.batchesFlying())
	if at := batch.open(now); at.After(now) {
		batches = false
		if s.queue.count(func(k kind) bool { return !k.alone }) > 0 {
			b.by(at, WaitOperating)
		}
	}
	eager := func(k kind) bool { return !k.write && !k.alone && !k.lazy && batches && open(k) }
	lazy := func(k kind) bool { return !k.write && !k.alone && k.lazy && batches && open(k) }
	calls := func(k kind) bool { return !k.write && k.alone && open(k) }

	if n := s.queue.count(calls); n > 0 {
		return draft{from: calls, size: 1, alone: true}, true
	}
	if n := s.queue.count(eager); n > 0 {
		d := draft{from: eager, size: s.readSize(n, now)}
		if d.size == n {
			d.fill, d.room = lazy, s.mostOf(bitrix.MethodSourceList)
		}
		return d, true
	}
	lazies := s.queue.count(lazy)
	if full := s.mostOf(bitrix.MethodSourceList); lazies >= full {
		return draft{from: lazy, size: full, lazy: true}, true
	}
	if d, ok := s.chooseWrite(now, batches, open, b); ok {
		return d, true
	}
	if lazies > 0 && !s.company(now, b) {
		return draft{from: lazy, size: s.readSize(lazies, now), lazy: true}, true
	}
	return draft{}, false
}

// company reports whether further work is under way that lazy reads may wait
// for: updates in flight, or held for a moment only.
func (s *Scheduler) company(now time.Time, b *blocked) bool {
	for _, r := range s.flying {
		if !r.lazy {
			return true
		}
	}
	return !b.until.IsZero() && b.until.Before(now.Add(longHold))
}

// chooseWrite drafts an update of its own or a batch of updates.
func (s *Scheduler) chooseWrite(now time.Time, batches bool, open func(kind) bool, b *blocked) (draft, bool) {
	alone := func(k kind) bool { return k.write && k.alone && open(k) }
	together := func(k kind) bool { return k.write && !k.alone && batches && open(k) }
	calls, work := s.queue.count(alone), s.queue.count(together)
	if calls > 0 && (s.aloneTurn || work == 0) {
		if s.writeSize(1, 0, now, b) > 0 {
			s.aloneTurn = false
			return draft{from: alone, size: 1, write: true, alone: true}, true
		}
	}
	if work > 0 {
		if n := s.writeSize(work, calls, now, b); n > 0 {
			s.aloneTurn = true
			return draft{from: together, size: n, write: true}, true
		}
	}
	return draft{}, false
}

func (s *Scheduler) batchesFlying() bool {
	for _, r := range s.flying {
		if !r.alone {
			return true
		}
	}
	return false
}

// mostOf is the most commands of a method that a batch should hold.
func (s *Scheduler) mostOf(method string) int {
	c := s.cost(method)
	most := s.conf.BatchSize
	if c.most > 0 {
		most = min(most, c.most)
	}
	if e := c.estimate(); e.known {
		most = e.largest(s.planned(), most)
	}
	return most
}

// planned is how many seconds a batch may be planned to take.
func (s *Scheduler) planned() float64 { return s.conf.RequestTime.Seconds() * s.conf.RequestShare }

// readSize is the size of the next batch of n reads. Where it is unknown what
// reads take, the first holds what the full ones would leave over: that costs
// no request.
func (s *Scheduler) readSize(n int, now time.Time) int {
	most := s.mostOf(bitrix.MethodSourceList)
	e := s.cost(bitrix.MethodSourceList).estimate()
	if !e.known {
		if rest := n % most; rest > 0 {
			return rest
		}
		return min(n, most)
	}
	return s.sizing(n, e, most, roundOfReads, 0, now).size()
}

// writeSize is the size of the next batch of n updates beside calls of their
// own, or 0 if none should go now.
func (s *Scheduler) writeSize(n, calls int, now time.Time, b *blocked) int {
	method := bitrix.MethodSourceUpdate
	c, e := s.cost(method), s.cost(method).estimate()
	under := 0 // requests with updates in flight
	latest := time.Time{}
	for _, r := range s.flying {
		if r.write {
			under++
			latest = r.sentAt
		}
	}
	bud := s.budget(method)
	if bud.probe && under > 0 {
		return 0
	}
	if !e.known {
		most := 1
		if under == 0 && n+calls <= fewUpdates {
			most = min(n, s.conf.BatchSize)
		}
		if under > 0 && s.queueAge(now) < probeTime {
			b.by(latest.Add(probeTime), WaitAnswer)
			return 0
		}
		return most
	}
	most := s.conf.BatchSize
	if c.most > 0 {
		most = min(most, c.most)
	}
	size := s.sizing(n, e, most, roundOfWrites, float64(calls), now).size()
	if bud.probe {
		return 1
	}
	if left := bud.left(now); !math.IsInf(left, 1) && bud.used > 0 && e.mean > 0 {
		room := int(math.Ceil(left/e.mean - 1e-9))
		if room < 1 && under > 0 {
			return 0
		}
		size = min(size, max(1, room))
	}
	return size
}

// queueAge is how long the oldest update in flight has been there.
func (s *Scheduler) queueAge(now time.Time) time.Duration {
	age := time.Duration(0)
	for _, r := range s.flying {
		if r.write {
			age = max(age, now.Sub(r.sentAt))
		}
	}
	return age
}

func (s *Scheduler) sizing(n int, e estimate, most int, round, calls float64, now time.Time) sizing {
	busy := 0.0
	for _, r := range s.flying {
		busy += max(0, r.planned-now.Sub(r.sentAt).Seconds())
	}
	lazies := s.queue.count(func(k kind) bool { return k.lazy })
	// Each update will be read back, 50 sources a command, 50 commands a
	// request.
	verify := (float64(lazies) + float64(n)/bitrix.PageSize) / bitrix.MaxBatch
	return sizing{
		work: n, cost: e, slots: float64(s.limiter.slots()), busy: busy,
		tokens: s.bucket.tokens(now), rate: s.conf.Rate, others: calls + verify,
		limit: s.planned(), most: most, round: max(round, s.limiter.base), trust: s.limiter.trust(),
	}
}
