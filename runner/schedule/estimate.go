package schedule

import (
	"math"
	"time"

	"syncsources/bitrix"
	"syncsources/bitrix/rest"
)

// Estimate is how long the commands would take after all that is queued, by what is known so far: what slots, tokens and the operating time
// allow, waits for the latter included. What was never measured is taken to
// cost what the portal's documentation shows.
func (s *Scheduler) Estimate(commands ...bitrix.Command) time.Duration {
	now := time.Now()
	work, requests, readBack, longest := map[string]float64{}, map[string]float64{}, 0.0, 0.0
	add := func(k kind, n, back float64) {
		e, most := s.estimate(k), 1
		if !k.alone {
			most = s.conf.BatchSize
		}
		work[k.method] += n * e.mean
		requests[k.method] += n / float64(e.largest(s.conf.planned(), most))
		readBack += n * back
		longest = max(longest, e.mean)
	}
	for _, c := range commands {
		add(newItem(Task{Command: c}, s.classOf(c)).kind(), 1, c.ReadBack())
	}
	for _, l := range s.queue.lanes {
		if len(l.items) > 0 {
			add(l.kind, float64(len(l.items)), l.readBack())
		}
	}
	slots := s.slots()
	seconds, needed, held := 0.0, math.Ceil(readBack), 0.0
	for method := range work {
		seconds += work[method]
		needed += math.Ceil(requests[method] - 1e-9)
		held = max(held, s.windows(s.budget(method), work[method], slots, now))
	}
	if batch := s.budget(rest.MethodBatch); batch.billed {
		held = max(held, s.windows(batch, seconds, slots, now))
	}
	tokens := (needed - float64(s.bucket.tokens(now))) / s.bucket.ours()
	return time.Duration(max(seconds/float64(slots), longest, tokens, held) * float64(time.Second))
}

// windows is how long the operating time makes this many seconds of work take: a
// wait until each reset, and what is left after the last one at full speed. A
// portal that reports no operating time of any method has none.
func (s *Scheduler) windows(b *budget, work float64, slots int, now time.Time) float64 {
	accounted := false
	for _, any := range s.budgets {
		accounted = accounted || any.billed || any.told
	}
	left := b.left(now)
	if work <= left || !accounted || math.IsInf(left, 1) || !b.billed && s.budget(rest.MethodBatch).billed {
		return 0
	}
	first := operatingWindow.Seconds()
	if at := b.resetAt; at.After(now) {
		first = at.Sub(now).Seconds()
	}
	windows := math.Ceil((work-max(0, left))/b.limit) - 1
	rest := work - max(0, left) - windows*b.limit
	return first + windows*operatingWindow.Seconds() + rest/float64(slots)
}
