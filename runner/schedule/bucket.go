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
	// and so on as long as no further refusal comes.
	withheld   []mark    // what was added to sent at a refusal: when, and how much
	released   time.Time // the last trial
	trial      float64   // the size of the next one
	trialPause time.Duration
	failed     int // trials that were refused

	// Refusals that keep coming say that somebody else uses the bucket all
	// the time. What they use is counted as if we had sent it; the estimate
	// rises with each further refusal and fades. And we stay away from the
	// brim, where they would be refused as often as we are.
	others   float64 // requests a second
	counted  time.Time
	latest   [manyRefusals]time.Time // refusals, the last one first
	accepted bool                    // something was let in since the last one
}

// mark is a point of time with a number of requests: those sent before it, or
// those withheld then.
type mark struct {
	at time.Time
	n  float64
}

// Refusals that come so closely are no strays.
const (
	manyRefusals = 2
	closely      = 15 * time.Second
	fading       = 2 * time.Minute
	brim         = 10 // the part of the bucket that is left free
)

// trialTime is how long a trial must go without a refusal to have passed.
// Refusals come at once.
const trialTime = time.Second

func newBucket(rate float64, burst int) *bucket {
	return &bucket{rate: rate, burst: float64(burst)}
}

func (b *bucket) level(m mark, now time.Time) float64 {
	steps := math.Floor(now.Sub(m.at).Seconds())
	return b.sent - m.n - b.rate*max(steps, 0)
}

// tokens is how many requests may be sent now.
func (b *bucket) tokens(now time.Time) int {
	full := 0.0
	for _, m := range b.marks {
		full = max(full, b.level(m, now))
	}
	return int(max(0, math.Floor(b.burst-full+1e-9)))
}

// take accounts a request that is sent now.
func (b *bucket) take(now time.Time) {
	if n := len(b.marks); n == 0 || !b.marks[n-1].at.Equal(now) {
		// A mark no longer binds where the interval from the new one is
		// always at least as tight.
		kept := b.marks[:0]
		for _, m := range b.marks {
			if b.sent-m.n > b.rate*math.Floor(now.Sub(m.at).Seconds()) {
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
	for _, m := range b.marks {
		over := b.sent - m.n + 1 - b.burst
		if over <= 0 {
			continue
		}
		steps := math.Ceil(over/b.rate - 1e-9)
		if t := m.at.Add(time.Duration(steps * float64(time.Second))); t.After(at) {
			at = t
		}
	}
	if seen := b.latest[0]; !seen.IsZero() && now.Sub(seen) < fading && b.tokens(at) <= int(2*b.rate) {
		if t := b.last.Add(time.Duration(float64(time.Second) / b.ours())); t.After(at) {
			at = t
		}
	}
	if at.After(now) && len(b.withheld) > 0 {
		if t := b.nextTrial(); t.Before(at) {
			at = t
		}
	}
	if at.Before(now) {
		return now
	}
	return at
}

func (b *bucket) nextTrial() time.Time { return b.released.Add(b.trialPause) }

// ours is how many requests a second are left to us.
func (b *bucket) ours() float64 { return b.rate - b.others }

// count adds what others have sent meanwhile.
func (b *bucket) count(now time.Time) {
	if b.others > 0 {
		passed := now.Sub(b.counted).Seconds()
		b.sent += b.others * passed
		b.others *= math.Exp(-passed / fading.Seconds())
	}
	b.counted = now
}

// refused corrects the image after a refusal: nothing is left.
func (b *bucket) refused(now time.Time) {
	b.count(now)
	others := false
	onTrial := len(b.withheld) > 0 && b.trial > 1 && now.Sub(b.released) <= 2*trialTime
	if b.accepted && !onTrial {
		copy(b.latest[1:], b.latest[:])
		b.latest[0], b.accepted = now, false
		if first := b.latest[manyRefusals-1]; !first.IsZero() && now.Sub(first) < closely {
			others = true
			b.others = min(b.others+b.rate/6, b.rate*7/8)
		}
	}
	if len(b.withheld) == 0 {
		b.failed, b.trialPause = 0, trialTime
	} else if onTrial {
		b.failed++
		b.trialPause = 4 * trialTime
	}
	b.released, b.trial = now, 1
	if left := float64(b.tokens(now)); left > 0 {
		b.marks = append(b.marks, mark{now, b.sent})
		b.sent += left
		b.withheld = append(b.withheld, mark{now, left})
	}
	if b.failed >= 2 || others {
		b.withheld = b.withheld[:0] // it really is full
	}
	if others {
		b.marks = append(b.marks, mark{now, b.sent})
		b.sent += b.burst / brim
	}
}

// offer gives back a part of what is withheld, the latest first, if the last
// trial has passed and there is nothing else to send with.
func (b *bucket) offer(now time.Time) {
	b.count(now)
	if len(b.withheld) == 0 || b.tokens(now) > 0 || now.Before(b.nextTrial()) {
		return
	}
	for left := b.trial; left > 0 && len(b.withheld) > 0; {
		last := &b.withheld[len(b.withheld)-1]
		n := min(left, last.n)
		left -= n
		b.sent -= n
		for i := range b.marks {
			if b.marks[i].at.After(last.at) {
				b.marks[i].n -= n
			}
		}
		if last.n -= n; last.n == 0 {
			b.withheld = b.withheld[:len(b.withheld)-1]
		}
	}
	b.trial *= 2
	b.trialPause = trialTime
	b.released = now
}
