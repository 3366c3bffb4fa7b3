package schedule

import (
	"context"
	"testing"
	"time"
)

// While a token is renewed nothing leaves, and what was counted for that time
// is counted anew: afterwards, requests do not come in a crowd.
func TestRenewalIsPaced(t *testing.T) {
	bubble(t, func(t *testing.T, p *fakePortal) {
		const life, renewal = 11 * time.Second, 3 * time.Second
		p.latency = 2 * time.Second
		p.ready = func() {
			if age := time.Since(p.start) % life; age < renewal {
				time.Sleep(renewal - age)
			}
		}
		s := New(Config{Seed: 1}, p)
		got := collect(s, updates(5000), false)
		if err := s.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		for i, r := range got {
			if r.Reply.Err != nil || r.Sent != 1 {
				t.Fatalf("update %d: %+v", i, r)
			}
		}
		if n := s.Stats().Retries; p.refused != 0 || n != 0 {
			t.Errorf("%d requests refused, %d retries of what was sent once", p.refused, n)
		}
	})
}

// Tokens that are over before they can be used do not keep a run from sending.
func TestAlwaysLate(t *testing.T) {
	bubble(t, func(t *testing.T, p *fakePortal) {
		p.ready = func() { time.Sleep(time.Second) }
		s := New(Config{Seed: 1}, p)
		got := collect(s, updates(200), false)
		if err := s.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		for i, r := range got {
			if r.Reply.Err != nil || r.Sent != 1 {
				t.Fatalf("update %d: %+v", i, r)
			}
		}
	})
}
