package schedule

import (
	"math"
	"time"
)

// bucket is our image of the portal's leaky bucket, which takes burst
// requests and flows out by rate in one step each second. When its steps come
// is not known, so it is assumed that they come as late as they can: for
// every request sent at t, the requests sent from t to now must be no more
// than
//
//	burst + rate * floor(now - t)
//
// That holds whatever the phase of the steps, costs nothing where requests
// come steadily, and at most a second after a burst.
type bucket struct {
	rate, burst float64

	sent  float64 // requests so far
	last  time.Time
	marks []mark // the starts of intervals that may bind

	// A refusal says that the portal's bucket is full, whatever ours said:
	// somebody else uses it. Or it was a stray one. So what our bucket still
	// held is withheld, and given back by trial: one request, then two, four
	// and so on each second, until a trial is refused.
	full     mark // when it last was, as if burst requests had been sent just before
	learned  time.Time
	withheld float64
	trial    float64 // the size of the next one
	trialAt  time.Time

	// Refusals that keep coming say that somebody else uses the bucket all
	// the time. What they use is taken off the rate; and we stay away from
	// the brim, where they would be refused as often as we are.
	others   float64 // requests a second
	accepted bool    // something was let in since the last refusal
}

// mark is a point of time with the number of requests sent before it.
type mark struct {
	at time.Time
	n  float64
}

const (
	// closely is how soon refusals come that are no strays.
	closely = 15 * time.Second
	// seen is how long somebody who was noticed is reckoned with.
	seen = 2 * time.Minute
	// brim and surely are parts of the bucket: a 25th is left to them, and a fifth is
	// taken to be free where a run begins.
	brim, surely = 25, 5
	// trialTime is how long a trial has to go without a refusal to have
	// passed. Refusals come at once.
	trialTime = time.Second
)

func newBucket(rate float64, burst int) *bucket {
	return &bucket{rate: rate, burst: float64(burst)}
}

func (b *bucket) level(m mark, now time.Time) float64 {
	return b.sent - m.n - b.ours()*max(0, math.Floor(now.Sub(m.at).Seconds()))
}

// binding returns the marks that may bind.
func (b *bucket) binding() []mark {
	if b.full.at.IsZero() {
		return b.marks
	}
	return append(b.marks[:len(b.marks):len(b.marks)], b.full)
}

// tokens is how many requests may be sent now.
func (b *bucket) tokens(now time.Time) int {
	full := 0.0
	for _, m := range b.binding() {
		full = max(full, b.level(m, now))
	}
	return int(max(0, math.Floor(b.burst-full+1e-9)))
}

// sure is how many more requests there is room for even where others have filled
// most of the bucket before, beside the one that reads back. Once more have been
// sent, or it has shown itself full, that is no question any more: then it is more
// than can be sent.
func (b *bucket) sure(now time.Time) int {
	if left := b.burst/surely - b.sent; left >= 0 && !b.shared(now) {
		return int(left) - 1
	}
	return math.MaxInt32
}

// take accounts a request that is sent now.
func (b *bucket) take(now time.Time) {
	if n := len(b.marks); n == 0 || !b.marks[n-1].at.Equal(now) {
		// A mark no longer binds where the interval from the new one is
		// always at least as tight.
		kept := b.marks[:0]
		for _, m := range b.marks {
			if b.level(m, now) > 0 {
				kept = append(kept, m)
			}
		}
		b.marks = append(kept, mark{now, b.sent})
	}
	b.sent++
	b.last = now
}

// next is when a request may be sent: now, or later.
func (b *bucket) next(now time.Time) time.Time {
	at := now
	later := func(t time.Time) {
		if t.After(at) {
			at = t
		}
	}
	for _, m := range b.binding() {
		if over := b.sent - m.n + 1 - b.burst; over > 0 {
			later(m.at.Add(time.Duration(math.Ceil(over/b.ours()-1e-9)) * time.Second))
		}
	}
	if b.shared(now) && b.tokens(at) <= int(2*b.rate) {
		later(b.last.Add(time.Duration(float64(time.Second) / b.ours())))
	}
	if b.withheld > 0 && b.trialAt.Before(at) {
		at = now
		later(b.trialAt)
	}
	return at
}

// shared reports whether somebody else was noticed not long ago.
func (b *bucket) shared(now time.Time) bool { return !b.full.at.IsZero() && now.Sub(b.full.at) < seen }

// ours is how many requests a second are left to us.
func (b *bucket) ours() float64 { return b.rate - b.others }

// refused corrects the image after the refusal of a request that was sent at
// that time: nothing was left then.
func (b *bucket) refused(sent, now time.Time) {
	if !sent.After(b.learned) { // of the same moment: not a stray one
		b.withheld = 0
		return
	}
	free, margin := float64(b.tokens(now)), 0.0
	switch {
	case b.trial > 1 && sent.Before(b.trialAt.Add(trialTime)): // it really is full
		free = 0
	case b.accepted && b.shared(sent) && sent.Sub(b.full.at) < closely:
		free, margin = 0, b.burst/brim
		b.others = min(b.others+b.rate/5, b.rate*7/8)
	}
	b.accepted = false
	b.marks = nil // looser, all of them, and from when the rate was another
	b.full, b.learned = mark{sent, b.sent - b.burst - margin}, now
	b.withheld, b.trial, b.trialAt = free, 1, now.Add(trialTime)
}

// offer gives back a part of what is withheld, where that is due and there is
// nothing else to send with.
func (b *bucket) offer(now time.Time) {
	if !b.shared(now) {
		b.others = 0
	}
	if b.withheld <= 0 || b.tokens(now) > 0 || now.Before(b.trialAt) {
		return
	}
	n := min(b.trial, b.withheld)
	b.full.n += n
	b.withheld -= n
	b.trial *= 2
	b.trialAt = now.Add(trialTime)
}
