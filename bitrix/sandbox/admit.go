package sandbox

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// acquire waits for one of the portal's workers, first come, first served,
// until the cut. It returns nil, errCut or errGone.
//
// Each waiter makes its own channel, so that it belongs to the bubble that the
// request came from.
func (p *Portal) acquire(ctx context.Context, cut time.Time) *apiError {
	if p.cfg.Workers <= 0 {
		return nil
	}
	p.mu.Lock()
	if p.busy < p.cfg.Workers {
		p.busy++
		p.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	p.queue = append(p.queue, turn)
	p.mu.Unlock()

	var tooLate <-chan time.Time
	if !cut.IsZero() {
		t := time.NewTimer(time.Until(cut))
		defer t.Stop()
		tooLate = t.C
	}
	err := errCut
	select {
	case <-turn:
		return nil
	case <-tooLate:
	case <-ctx.Done():
		err = errGone
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.Index(p.queue, turn); i >= 0 {
		p.queue = slices.Delete(p.queue, i, i+1)
		return err
	}
	p.next() // the turn had come in the meantime: pass it on
	return err
}

func (p *Portal) release() {
	if p.cfg.Workers <= 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next()
}

// next gives a worker to the longest waiting request, or frees it. p.mu is held.
func (p *Portal) next() {
	if len(p.queue) == 0 {
		p.busy--
		return
	}
	close(p.queue[0])
	p.queue = p.queue[1:]
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
