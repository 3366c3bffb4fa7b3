package schedule

import (
	"math"
	"time"

	"syncsources/bitrix"
	"syncsources/bitrix/rest"
)

// ahead is work of one method that is to be done.
type ahead struct {
	singles          int
	seconds, longest float64
	readBack         float64 // requests
	requests         float64
}

// Estimate is how long the commands would take after all that is queued and
// in flight, by what is known so far: what slots, tokens and the operating time
// allow, waits for the latter included. What was never measured is taken to
// cost what the portal's documentation shows.
func (s *Scheduler) Estimate(commands ...bitrix.Command) time.Duration {
	now := time.Now()
	work := map[string]*ahead{}
	add := func(k kind, n int, readBack float64) {
		w := work[k.method]
		if w == nil {
			w = &ahead{}
			work[k.method] = w
		}
		e := s.estimate(k)
		w.seconds += float64(n) * e.mean
		w.longest = max(w.longest, e.mean)
		w.readBack += float64(n) * readBack
		if k.alone {
			w.singles += n
			return
		}
		w.requests += float64(n) / float64(e.largest(s.conf.planned(), s.conf.BatchSize))
	}
	for _, c := range commands {
		add(newItem(Task{Command: c}, c.Class()).kind(), 1, c.ReadBack())
	}
	for _, l := range s.queue.lanes {
		if l.len() > 0 {
			add(l.kind, l.len(), l.readBack())
		}
	}
	total := &ahead{}
	for _, r := range s.inFlight {
		total.seconds += r.left(now)
	}
	slots := s.slots()
	held := 0.0
	for method, w := range work {
		total.seconds += w.seconds
		total.longest = max(total.longest, w.longest)
		total.requests += math.Ceil(w.requests) + float64(w.singles)
		total.readBack += w.readBack
		held = max(held, s.windows(s.budget(method), w.seconds, slots, now))
	}
	if batch := s.budget(rest.MethodBatch); batch.billed {
		held = max(held, s.windows(batch, total.seconds, slots, now))
	}
	requests := total.requests + math.Ceil(total.readBack)
	tokens := (requests - float64(s.bucket.tokens(now))) / s.bucket.ours()
	seconds := max(total.seconds/float64(slots), total.longest, tokens, held)
	return time.Duration(seconds * float64(time.Second))
}

// windows is how long the operating time makes this many seconds of work take: a
// wait until each reset, and what is left after the last one at full speed. A
// portal that reports no operating time of any method has none.
func (s *Scheduler) windows(b *budget, work float64, slots int, now time.Time) float64 {
	accounted := false
	for _, any := range s.budgets {
		accounted = accounted || any.billed
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
