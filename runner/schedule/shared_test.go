package schedule

import (
	"context"
	"testing"
	"time"
)

// Another job sends a request a second all the time. The run gets what the
// other one leaves, without being refused for each request of the other.
func TestSharedBucket(t *testing.T) {
	for _, every := range []time.Duration{730 * time.Millisecond, 1030 * time.Millisecond, 2030 * time.Millisecond, 5030 * time.Millisecond} {
		bubble(t, func(t *testing.T, p *fakePortal) {
			p.latency = 60 * time.Millisecond
			stop, done := make(chan struct{}), make(chan struct{})
			other := 0
			go func() {
				defer close(done)
				for {
					select {
					case <-stop:
						return
					case <-time.After(every):
						<-p.mutex
						p.level++
						other++
						p.mutex <- struct{}{}
					}
				}
			}()
			s := New(Config{Seed: 1}, p)
			collect(s, updates(10000), false)
			if err := drive(s, context.Background()); err != nil {
				t.Fatal(err)
			}
			took := time.Since(p.start).Seconds()
			close(stop)
			<-done
			best := float64(len(p.requests)-p.refused-50) / (2 - 1/every.Seconds())
			t.Logf("every %v: %d of the other, %d refused, took %.0f s, at best %.0f s", every, other, p.refused, took, best)
			if p.refused > 20 && p.refused > other*2/3 {
				t.Errorf("every %v: %d refusals for %d requests of the other", every, p.refused, other)
			}
			if took > best*1.2 {
				t.Errorf("every %v: took %.0f s, at best %.0f s", every, took, best)
			}
		})
	}
}
