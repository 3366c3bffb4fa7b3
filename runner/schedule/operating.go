package schedule

import (
	"math"
	"time"

	"syncsources/bitrix/rest"
)

// operatingWindow is the time over which the portal adds up execution time. It
// does so by the minute, and forgets each minute ten minutes after it began.
const operatingWindow = 10 * time.Minute

// budget follows the operating time of one method, or of batch. Which of the
// two the portal bills is not known beforehand: the documentation says the
// method, and a self-hosted portal was seen to bill batch. It shows in whose
// figures rise.
//
// Others spend from the same budget, other jobs of the application or earlier
// runs. So no account of our own shows how much is left after a reset; one
// command asks.
type budget struct {
	limit   float64 // seconds; what was learned from a refusal, if lower
	billed  bool    // the portal bills this one
	told    bool    // it keeps an account of it, though of quick commands there is nothing in it
	used    float64 // seconds, as last reported
	resetAt time.Time
	planned float64       // seconds of what is in flight
	held    time.Time     // nothing goes before that
	wait    time.Duration // the last wait that was guessed
	asking  bool          // after a refusal or a reset: one command goes ahead
	closed  time.Time     // when that began
}

// firstHold is the first wait where no reset is known. It doubles.
const firstHold = 10 * time.Second

// resetSlack is added to resets, which come in whole seconds.
const resetSlack = time.Second

func newBudget(limit time.Duration) *budget {
	b := &budget{limit: limit.Seconds()}
	if limit < 0 {
		b.limit = math.Inf(1)
	}
	return b
}

// report takes what an answer says. Resets come by the portal's clock, which is
// behind ours by skew.
func (b *budget) report(now time.Time, t rest.Time, skew time.Duration) {
	b.told = b.told || !t.OperatingResetAt.IsZero()
	if t.Operating <= 0 {
		return
	}
	b.billed, b.wait = true, 0
	reset := t.OperatingResetAt.Add(skew)
	if !reset.After(now) {
		b.used = t.Operating.Seconds()
		return
	}
	if latest := now.Add(operatingWindow); reset.After(latest.Add(resetSlack)) {
		reset = latest // the portal's clock is ahead of ours
	}
	switch later := reset.Sub(b.resetAt); {
	case later.Abs() < 2*resetSlack: // the same one, seen from here
		b.used = max(b.used, t.Operating.Seconds())
	case later < 0 && b.used > 0: // overtaken by a later answer
	default:
		b.resetAt, b.used = reset, t.Operating.Seconds()
	}
}

// forget notes a reset that has passed: the portal has forgotten something,
// and the next answer shows how much.
func (b *budget) forget(now time.Time) {
	if b.resetAt.IsZero() || now.Before(b.resetAt.Add(resetSlack)) {
		return
	}
	if b.used >= b.limit {
		b.asking, b.closed = true, now
	}
	b.resetAt = time.Time{}
}

// left is how many seconds of the budget are not yet spent or planned.
func (b *budget) left(now time.Time) float64 {
	b.forget(now)
	return b.limit - b.used - b.planned
}

// open is when the method may be called: now, or later.
func (b *budget) open(now time.Time) time.Time {
	b.forget(now)
	at := now
	if b.held.After(at) {
		at = b.held
	}
	if b.used >= b.limit && b.resetAt.Add(resetSlack).After(at) {
		at = b.resetAt.Add(resetSlack)
	}
	return at
}

// passed notes that something sent at that time was let in.
func (b *budget) passed(sent time.Time) {
	if !sent.Before(b.closed) {
		b.asking = false
	}
}

// refused notes that the portal refused the method: it is held until the
// reset, where one is known, or for a time that doubles.
func (b *budget) refused(now time.Time) {
	b.forget(now)
	if b.held.After(now) {
		return // the door was closed already when this one was on its way
	}
	b.asking, b.closed = true, now
	if most := b.used + b.planned; b.billed && most > b.limit/2 && most < b.limit {
		b.limit = most // the portal's limit is lower than we were told
	}
	if b.resetAt.After(now) {
		b.held = b.resetAt.Add(resetSlack)
		return
	}
	if b.wait *= 2; b.wait == 0 {
		b.wait = firstHold
	}
	b.wait = min(b.wait, operatingWindow/2)
	b.held = now.Add(b.wait)
}
