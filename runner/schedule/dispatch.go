package schedule

import (
	"context"
	"time"

	"syncsources/bitrix/rest"
)

// How long lazy reads are held back.
const (
	// lazyAge is how long they wait for company where there are tokens to
	// spare.
	lazyAge = 5 * time.Second
	// longHold is a hold of all else during which they need not wait.
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
func (s *Scheduler) dispatch(ctx context.Context, now time.Time) (wake time.Time, why string) {
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
		s.bucket.slack = min(s.limiter.overhead(), time.Second/2)
		s.bucket.offer(now)
		if at := s.bucket.next(now); at.After(now) {
			return at, WaitRate
		}
		r := &request{write: d.write, alone: d.alone, lazy: d.lazy, items: s.queue.take(d.size, d.from)}
		if d.fill != nil {
			r.items = append(r.items, s.queue.take(d.room-len(r.items), d.fill)...)
		}
		if !r.write {
			s.lazySince = now
		}
		s.launch(ctx, r, now)
	}
	return time.Time{}, ""
}

// choose drafts the next request in this order: reads that somebody waits
// for; lazy reads that fill a request, or have waited for long while there are
// tokens to spare; updates, batches and calls of their own in turn; lazy reads,
// when nothing else is left.
func (s *Scheduler) choose(now time.Time, b *blocked) (draft, bool) {
	open := func(k kind) bool { return !s.budget(k.method).open(now).After(now) }
	for _, l := range s.queue.lanes {
		if at := s.budget(l.method).open(now); l.len() > 0 && at.After(now) {
			b.by(at, WaitOperating)
		}
	}
	batch := s.budget(rest.MethodBatch)
	batches := !(batch.probe && s.batchesFlying())
	single := false // where the portal bills batches and has closed them, reads go as calls
	if at := batch.open(now); at.After(now) {
		batches, single = false, true
		if s.queue.count(func(k kind) bool { return k.write && !k.alone }) > 0 {
			b.by(at, WaitOperating)
		}
	}
	eager := func(k kind) bool { return !k.write && !k.alone && !k.lazy && batches && open(k) }
	lazy := func(k kind) bool { return !k.write && !k.alone && k.lazy && batches && open(k) }
	calls := func(k kind) bool { return !k.write && open(k) && (k.alone || single && !k.lazy) }
	lazyCalls := func(k kind) bool { return !k.write && open(k) && single && k.lazy }

	if n := s.queue.count(calls); n > 0 {
		return draft{from: calls, size: 1, alone: true}, true
	}
	if n := s.queue.count(eager); n > 0 {
		d := draft{from: eager, size: s.readSize(s.costOf(eager), n, now)}
		if d.size == n {
			d.fill, d.room = lazy, s.mostOf(s.costOf(eager))
		}
		return d, true
	}
	lazies := s.queue.count(lazy)
	full := s.mostOf(s.costOf(lazy))
	if lazies >= full {
		return draft{from: lazy, size: full, lazy: true}, true
	}
	if lazies > 0 && now.Sub(s.lazySince) >= lazyAge && s.spare(now) {
		return draft{from: lazy, size: min(lazies, full), lazy: true}, true
	}
	if d, ok := s.chooseWrite(now, batches, open, b); ok {
		return d, true
	}
	if lazies > 0 && !s.company(now, b) {
		return draft{from: lazy, size: s.readSize(s.costOf(lazy), lazies, now), lazy: true}, true
	}
	if s.queue.count(lazyCalls) > 0 && !s.company(now, b) {
		return draft{from: lazyCalls, size: 1, alone: true, lazy: true}, true
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
		if s.writeSize(alone, 1, 0, now, b) > 0 {
			s.aloneTurn = false
			return draft{from: alone, size: 1, write: true, alone: true}, true
		}
	}
	if work > 0 {
		if n := s.writeSize(together, work, calls, now, b); n > 0 {
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
