package sandbox

import (
	"context"
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
	for i, c := range p.queue {
		if c == turn {
			p.queue = append(p.queue[:i], p.queue[i+1:]...)
			return err
		}
	}
	p.next() // the turn had come in the meantime: pass it on
	return err
}

// release frees a worker.
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
