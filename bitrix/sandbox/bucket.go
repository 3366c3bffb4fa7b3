package sandbox

import "time"

// bucket is the portal's leaky bucket of requests.
type bucket struct {
	limits Limits
	level  int
	step   time.Time // when it last flowed out; zero before the first request
}

func newBucket(l Limits) bucket {
	if l.Rate == 0 {
		l.Rate = 2
	}
	if l.Burst == 0 {
		l.Burst = 50
	}
	return bucket{limits: l, level: l.Level}
}

// take adds a request, or refuses it. The bucket flows out in steps, a whole
// second apart: between them nothing is forgiven.
func (b *bucket) take(now time.Time) bool {
	if b.limits.Unlimited {
		return true
	}
	if b.step.IsZero() {
		b.step = now.Add(-b.limits.Phase)
	}
	if n := int(now.Sub(b.step) / time.Second); n > 0 {
		b.level = max(0, b.level-n*b.limits.Rate)
		b.step = b.step.Add(time.Duration(n) * time.Second)
	}
	if b.level > b.limits.Burst {
		return false
	}
	b.level++
	return true
}
