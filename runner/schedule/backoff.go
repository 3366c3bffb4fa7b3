package schedule

import (
	"math/rand/v2"
	"time"
)

// backoff is the one pause that everybody keeps when the portal refuses or
// does not answer: exponential, with full jitter, so that other runs that met
// the same trouble do not come back at the same moment. What was sent before
// the pause ended tells nothing new, so that the many requests in flight make
// no more of one event than a single one would.
type backoff struct {
	rng   *rand.Rand
	first time.Duration // the longest first pause
	most  time.Duration // the longest pause
	times int           // failures in a row
	until time.Time
}

// failed notes a request that was sent at that time and failed.
func (b *backoff) failed(now, sent time.Time) {
	if sent.Before(b.until) {
		return
	}
	longest := min(b.first<<min(b.times, 16), b.most)
	b.times++
	b.until = now.Add(time.Duration(b.rng.Int64N(int64(longest) + 1)))
}

// succeeded notes a request that was sent at that time and answered.
func (b *backoff) succeeded(sent time.Time) {
	if !sent.Before(b.until) {
		b.times = 0
	}
}
