package schedule

import (
	"math"
	"slices"
	"time"

	"syncsources/bitrix"
	"syncsources/bitrix/rest"
)

// What the size of a batch goes by, beside the formula in size.go.
const (
	// fewUpdates of unknown cost go as one batch; of more, one goes ahead to
	// find out. The documentation's sample takes 1.35 s, so four are far from
	// the cut.
	fewUpdates = 4
	// probeTime is how long an answer may take, the first one beside what every
	// request takes on its way, before further single commands go ahead: by
	// then it is known that commands are slow, so that slots are dearer than
	// tokens.
	probeTime = 250 * time.Millisecond
	// Seconds of work below which a request of its own does not pay: reads
	// are as few as possible, unless they take long.
	leastRead  = 5.0
	leastWrite = 0.02
)

// costOf is what the commands cost that wait in the lanes that the filter
// takes: what the first of them costs.
func (s *Scheduler) costOf(take func(kind) bool) *costs {
	return s.cost(s.queue.first(take).class)
}

// mostOf is the most commands that cost this that a batch should hold.
func (s *Scheduler) mostOf(c *costs) int {
	most := c.capped(s.conf.BatchSize)
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
func (s *Scheduler) readSize(c *costs, n int, now time.Time) int {
	most := s.mostOf(c)
	e := c.estimate()
	if !e.known {
		if rest := n % most; rest > 0 {
			return rest
		}
		return min(n, most)
	}
	z := s.sizing(n, e, most, leastRead, 0, now)
	z.trust = s.limiter.trust(len(s.flying) + 1) // reads fill no slots on purpose
	return z.size()
}

// writeSize is the size of the next batch of n updates beside calls of their
// own, or 0 if none should go now.
func (s *Scheduler) writeSize(from func(kind) bool, n, calls int, now time.Time, b *blocked) int {
	c := s.costOf(from)
	e := c.estimate()
	oldest := slices.IndexFunc(s.flying, func(r *request) bool { return r.write })
	bud := s.budget(s.queue.first(from).method)
	switch {
	case bud.probe && oldest >= 0:
		return 0
	case bud.probe:
		return 1
	case !e.known && oldest >= 0:
		enough := s.flying[oldest].sentAt.Add(probeTime)
		if !s.probed {
			enough = enough.Add(s.limiter.overhead())
		}
		if enough.After(now) {
			b.by(enough, WaitAnswer)
			return 0
		}
		return 1
	case !e.known && n+calls <= fewUpdates:
		return min(n, s.conf.BatchSize)
	case !e.known:
		return 1
	}
	most := c.capped(s.conf.BatchSize)
	size := s.sizing(n, e, most, leastWrite, float64(calls), now).size()
	if all := s.budget(rest.MethodBatch); all.billed && float64(n)*e.mean > all.left(now) {
		// What does not fit into this window waits for ten minutes.
		size = min(n, s.closingSize(all, e, most))
	}
	if left := bud.left(now); !math.IsInf(left, 1) && bud.billed && e.mean > 0 {
		room := int(math.Ceil(left/e.mean - 1e-9))
		if room < 1 && oldest >= 0 {
			return 0
		}
		size = min(size, max(1, room))
	}
	return size
}

// closingSize is the size of a batch where the portal bills batches as a
// whole, and there is more work than the budget has room for. A batch is let
// in as long as anything is left of the budget. So the slots share what is
// left in equal rounds, to just below the limit, and the last round is as long
// as a batch may be.
func (s *Scheduler) closingSize(all *budget, e estimate, most int) int {
	full := e.largest(s.planned(), most)
	slots := s.limiter.capacity()
	share := (all.limit-all.used)/slots - e.mean // seconds
	rounds := math.Ceil(share / (float64(full) * e.mean))
	if size := int(share / rounds / e.mean); rounds >= 1 && size >= 1 {
		return size
	}
	return full
}

// sizing gathers what the size of the next batch follows from, where n commands
// wait that cost e. calls are the requests that updates of their own will need.
func (s *Scheduler) sizing(n int, e estimate, most int, least, calls float64, now time.Time) sizing {
	busy, late := 0.0, 0
	for _, r := range s.flying {
		age := now.Sub(r.sentAt).Seconds()
		busy += max(0, r.planned-age)
		if r.write && age > 2*r.planned+1 {
			late++
		}
	}
	lazies := s.queue.count(func(k kind) bool { return k.lazy })
	// Each update will be read back, 50 sources a command, 50 commands a
	// request.
	verify := math.Ceil((float64(lazies) + float64(n)/bitrix.PageSize) / bitrix.MaxBatch)
	// So many may be in flight soon: the slots, if there are tokens for them.
	tokens := s.bucket.tokens(now)
	soon := min(s.limiter.slots(), len(s.flying)+max(1, min(n, tokens)))
	return sizing{
		work: n, cost: e, slots: s.limiter.capacity(), busy: busy,
		tokens: tokens, rate: s.conf.Rate, others: calls + verify,
		limit: s.planned(), most: most, least: max(least, s.limiter.base),
		late: late, queued: s.limiter.served > 0, trust: s.limiter.trust(soon),
	}
}

// spare reports whether the updates still to be sent leave tokens over: it is
// the slots that bind.
func (s *Scheduler) spare(now time.Time) bool {
	work := s.queue.count(func(k kind) bool { return k.write && !k.alone })
	calls := s.queue.count(func(k kind) bool { return k.write && k.alone })
	c := s.costOf(func(k kind) bool { return k.write })
	e := c.estimate()
	slotTime := float64(work+calls) * e.mean / s.limiter.capacity()
	needed := float64(work)/float64(s.mostOf(c)) + float64(calls)
	return float64(s.bucket.tokens(now))+s.conf.Rate*slotTime > 1.25*needed+2
}
