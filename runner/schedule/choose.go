package schedule

import (
	"cmp"
	"context"
	"slices"
	"time"

	"syncsources/bitrix/rest"
)

// longHold is a hold of all else during which lazy reads need not wait.
const longHold = 5 * time.Second

// draft is the request that is to be sent next.
type draft struct {
	from  []*lane
	size  int
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
		if len(s.inFlight) >= s.slots() {
			break
		}
		var b blocked
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
		if s.cautious && s.probe != nil {
			if passed := s.probe.sentAt.Add(trialTime); passed.After(now) {
				return passed, WaitAnswer
			}
			s.cautious, s.probe = false, nil
		}
		s.bucket.offer(now)
		if at := s.bucket.next(now); at.After(now) {
			return at, WaitRate
		}
		s.launch(ctx, &request{write: d.write, alone: d.alone, lazy: d.lazy, items: take(d.size, d.from...)}, now)
	}
	return time.Time{}, ""
}

// choose drafts the next request in this order: reads that somebody waits
// for; lazy reads that fill a request; writes, the dearest first, because they
// are what a run ends with; lazy reads, when nothing else is left.
func (s *Scheduler) choose(now time.Time, b *blocked) (draft, bool) {
	open := func(k kind) bool { return !s.budget(k.method).open(now).After(now) }
	for _, l := range s.queue.lanes {
		if at := s.budget(l.method).open(now); len(l.items) > 0 && at.After(now) {
			b.by(at, WaitOperating)
		}
	}
	batch := s.budget(rest.MethodBatch)
	inBatches := slices.ContainsFunc(s.inFlight, func(r *request) bool { return !r.alone })
	batches := !(batch.asking && inBatches)
	closed := false // the portal bills batches and has closed them: reads go as calls of their own
	if at := batch.open(now); at.After(now) {
		batches, closed = false, true
		if _, n := s.queue.in(func(k kind) bool { return k.write && !k.alone }); n > 0 {
			b.by(at, WaitOperating)
		}
	}
	lanes := func(ok func(kind) bool) []*lane {
		list, _ := s.queue.in(func(k kind) bool { return ok(k) && open(k) })
		return list
	}
	alone := func(lazy bool) []*lane {
		return lanes(func(k kind) bool { return !k.write && k.lazy == lazy && (k.alone || closed) })
	}
	together := func(lazy bool) []*lane {
		return sameGroup(lanes(func(k kind) bool { return !k.write && k.lazy == lazy && !k.alone && batches }))
	}
	if from := alone(false); len(from) > 0 {
		return draft{from: from, size: 1, alone: true}, true
	}
	if from := together(false); len(from) > 0 {
		n := s.readSize(from, now)
		return draft{from: from, size: n}, n > 0
	}
	lazy := together(true)
	if len(lazy) > 0 {
		if full := s.mostOf(lazy); s.waiting(lazy) >= full {
			return draft{from: lazy, size: full, lazy: true}, true
		}
	}
	if d, ok := s.chooseWrite(lanes(func(k kind) bool { return k.write && (k.alone || batches) }), now, b); ok {
		return d, true
	}
	// Lazy reads wait for further ones, as long as any may come soon.
	company := slices.ContainsFunc(s.inFlight, func(r *request) bool { return !r.lazy })
	if company || !b.until.IsZero() && b.until.Before(now.Add(longHold)) {
		return draft{}, false
	}
	if len(lazy) > 0 {
		if n := s.readSize(lazy, now); n > 0 {
			return draft{from: lazy, size: n, lazy: true}, true
		}
	}
	if from := alone(true); len(from) > 0 {
		return draft{from: from, size: 1, alone: true, lazy: true}, true
	}
	return draft{}, false
}

// sameGroup returns the first lanes that may share a batch: suspects keep
// apart.
func sameGroup(lanes []*lane) []*lane {
	return slices.DeleteFunc(lanes, func(l *lane) bool { return l.suspect != lanes[0].suspect })
}

func (s *Scheduler) waiting(lanes []*lane) (n int) {
	for _, l := range lanes {
		n += len(l.items)
	}
	return n
}

// chooseWrite drafts a write of its own or a batch of writes. What costs most
// goes first, and before that what nobody knows the cost of.
func (s *Scheduler) chooseWrite(lanes []*lane, now time.Time, b *blocked) (draft, bool) {
	slices.SortStableFunc(lanes, func(x, y *lane) int {
		ex, ey := s.estimate(x.kind), s.estimate(y.kind)
		if ex.n == 0 || ey.n == 0 {
			return cmp.Compare(ex.n, ey.n) // find out first
		}
		return cmp.Compare(ey.mean, ex.mean)
	})
	for _, l := range lanes {
		from := s.alike(l, lanes)
		if n := s.writeSize(from, lanes, now, b); n > 0 {
			return draft{from: from, size: n, write: true, alone: l.alone}, true
		}
	}
	return draft{}, false
}

// alike returns a lane and those that cost about as much, and no more: they
// share batches.
func (s *Scheduler) alike(l *lane, lanes []*lane) []*lane {
	group, e := []*lane{l}, s.estimate(l.kind)
	for _, x := range lanes {
		f, k := s.estimate(x.kind), x.kind
		k.method, k.class = l.method, l.class
		if x != l && k == l.kind && e.n > 0 && f.n > 0 && f.mean <= e.mean && f.mean >= e.mean/2 {
			group = append(group, x)
		}
	}
	return group
}
