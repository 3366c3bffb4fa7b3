package sandbox

import (
	"cmp"
	"context"
	"time"
)

// acquire waits for one of the portal's workers, first come, first served,
// until the cut. It returns nil, errCut or errGone.
func (p *Portal) acquire(ctx context.Context, cut time.Time) *apiError {
	if p.workers == nil {
		return nil
	}
	waiting := ctx
	if !cut.IsZero() {
		var cancel context.CancelFunc
		waiting, cancel = context.WithDeadline(ctx, cut)
		defer cancel()
	}
	switch err := p.workers.Acquire(waiting, 1); {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return errGone
	}
	return errCut
}

func (p *Portal) release() {
	if p.workers != nil {
		p.workers.Release(1)
	}
}

type bucket struct {
	limits Limits
	level  int
	step   time.Time // when it last flowed out; zero before the first request
}

func newBucket(l Limits) bucket {
	l.Rate = cmp.Or(l.Rate, 2)
	l.Burst = cmp.Or(l.Burst, 50)
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
