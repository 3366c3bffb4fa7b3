package schedule

import (
	"math"
	"time"

	"syncsources/bitrix/rest"
)

// The portal adds up execution time in buckets of a minute, and forgets each
// ten minutes after it began.
const (
	operatingMinute = time.Minute
	operatingWindow = 10 * time.Minute
)

// budget follows the operating time of one method, or of batch. Which of the
// two the portal bills is not known beforehand: the documentation says the
// method, and a self-hosted portal was seen to bill batch. It shows in whose
// figures rise.
type budget struct {
	limit   float64 // seconds; what was learned from a refusal, if lower
	billed  bool    // the portal bills this one
	used    float64 // seconds, as last reported, less what was forgiven since
	resetAt time.Time
	spent   map[time.Time]float64 // by the minute in which it was spent
	flying  float64               // seconds planned for what is in flight
	held    time.Time             // nothing goes before that
	wait    time.Duration         // the last wait that was guessed
	probe   bool                  // after a refusal: one command goes ahead
	closed  time.Time             // the last refusal
}

// firstHold is the first wait where no reset is known. It doubles.
const firstHold = 10 * time.Second

// resetSlack is added to resets, which are told in whole seconds.
const resetSlack = time.Second

func newBudget(limit time.Duration) *budget {
	b := &budget{limit: limit.Seconds(), spent: map[time.Time]float64{}}
	if limit < 0 {
		b.limit = math.Inf(1)
	}
	return b
}

// report takes what an answer says.
func (b *budget) report(now time.Time, t rest.Time) {
	if t.Operating <= 0 {
		return
	}
	b.billed, b.wait = true, 0
	if reset := t.OperatingResetAt; reset.After(now) {
		if latest := now.Add(operatingWindow); reset.After(latest.Add(resetSlack)) {
			reset = latest // the portal's clock is ahead of ours
		}
		if reset.Equal(b.resetAt) {
			b.used = max(b.used, t.Operating.Seconds())
			return
		}
		if reset.Before(b.resetAt) && b.used > 0 {
			return // overtaken by a later answer
		}
		b.resetAt = reset
	}
	b.used = t.Operating.Seconds()
}

// spend notes execution time in the minute it ended in.
func (b *budget) spend(now time.Time, d time.Duration) {
	minute := now.Truncate(operatingMinute)
	b.spent[minute] += d.Seconds()
	for m := range b.spent {
		if now.Sub(m) > operatingWindow+operatingMinute {
			delete(b.spent, m)
		}
	}
}

// forgive takes off what the portal forgets at the reset that has passed.
// Where our own account does not explain it - somebody else spent it - the
// next answer tells.
func (b *budget) forgive(now time.Time) {
	for !b.resetAt.IsZero() && !now.Before(b.resetAt.Add(resetSlack)) {
		minute := b.resetAt.Add(-operatingWindow).Truncate(operatingMinute)
		b.used = max(0, b.used-b.spent[minute])
		delete(b.spent, minute)
		var next time.Time
		for m := range b.spent {
			if m.After(minute) && (next.IsZero() || m.Before(next)) {
				next = m
			}
		}
		if next.IsZero() {
			b.used, b.resetAt = 0, time.Time{}
			return
		}
		b.resetAt = next.Add(operatingWindow)
	}
}

// left is how many seconds of the budget are not yet spent or planned.
func (b *budget) left(now time.Time) float64 {
	b.forgive(now)
	return b.limit - b.used - b.flying
}

// open is when the method may be called: now, or later.
func (b *budget) open(now time.Time) time.Time {
	b.forgive(now)
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
		b.probe = false
	}
}

// refused notes that the portal refused the method: it is held until the
// reset, where one is known, or for a time that doubles.
func (b *budget) refused(now time.Time) {
	b.forgive(now)
	if b.held.After(now) {
		return // the door was closed already when this one was on its way
	}
	b.probe, b.closed = true, now
	if most := b.used + b.flying; b.billed && most > b.limit/2 && most < b.limit {
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
