package schedule

import (
	"math/rand/v2"
	"time"
)

// backoff is the one pause that everybody keeps when the portal refuses or
// does not answer: exponential, with full jitter, so that other runs that met
// the same trouble do not come back at the same moment. After an answer it
// begins with short pauses again.
type backoff struct {
	rng   *rand.Rand
	first time.Duration // the longest first pause
	most  time.Duration // the longest pause
	times int           // failures in a row
	until time.Time
}

func (b *backoff) failed(now time.Time) {
	longest := min(b.first<<min(b.times, 16), b.most)
	b.times++
	if until := now.Add(time.Duration(b.rng.Int64N(int64(longest) + 1))); until.After(b.until) {
		b.until = until
	}
}

func (b *backoff) succeeded() { b.times = 0 }
