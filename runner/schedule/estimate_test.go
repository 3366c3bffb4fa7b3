package schedule

import (
	"context"
	"testing"
	"time"

	"syncsources/bitrix"
	"syncsources/bitrix/rest"
)

func commands(n int) []bitrix.Command {
	list := make([]bitrix.Command, n)
	for i, u := range updates(n) {
		list[i] = u
	}
	return list
}

// An estimate knows the waits ahead: for tokens, and for the operating time.
func TestEstimate(t *testing.T) {
	measured := func(p *fakePortal, cost float64, operating bool) *Scheduler {
		p.cost = func(bitrix.Command) time.Duration { return time.Duration(cost * float64(time.Second)) }
		s := New(Config{Seed: 1, Concurrency: 16}, p)
		collect(s, updates(20), false)
		if err := drive(s, context.Background()); err != nil {
			t.Fatal(err)
		}
		if operating {
			b := s.budget(bitrix.MethodSourceUpdate)
			b.report(time.Now(), rest.Time{Operating: 80 * time.Second, OperatingResetAt: time.Now().Add(9 * time.Minute)}, 0)
		}
		return s
	}
	for _, tt := range []struct {
		name      string
		cost      float64
		operating bool
		n         int
		least     float64
		most      float64
	}{
		{"slots", 1, false, 1600, 100, 101},
		{"tokens", 0, false, 10000, 70, 100},
		{"one window", 1, true, 300, 300. / 16, 20},
		{"a reset away", 1, true, 500, 540 + 100./16, 550},
		{"two resets away", 1, true, 1000, 540 + 600 + 120./16, 1150},
	} {
		bubble(t, func(t *testing.T, p *fakePortal) {
			s := measured(p, tt.cost, tt.operating)
			if got := s.Estimate(commands(tt.n)...).Seconds(); got < tt.least || got > tt.most {
				t.Errorf("%s: %.1f s, want %.1f to %.1f", tt.name, got, tt.least, tt.most)
			}
		})
	}
}

// A portal whose quick reads use up nothing keeps an account all the same.
func TestEstimateBeforeAnythingIsSpent(t *testing.T) {
	for reset, want := range map[time.Duration]float64{0: 100, 9 * time.Minute: 1200} {
		s := New(Config{Concurrency: 16}, nil)
		answer := rest.Time{}
		if reset > 0 {
			answer.OperatingResetAt = time.Now().Add(reset)
		}
		s.budget("biconnector.source.list").report(time.Now(), answer, 0)
		if got := s.Estimate(commands(1000)...).Seconds(); got < want*.8 || got > want*1.2 {
			t.Errorf("reset in %v: %.0f s, want about %.0f", reset, got, want)
		}
	}
}

// The timeline holds every request, and what it waited for.
func TestTimeline(t *testing.T) {
	bubble(t, func(t *testing.T, p *fakePortal) {
		p.cost = func(bitrix.Command) time.Duration { return 50 * time.Millisecond }
		closedUntil(p, time.Second, 20*time.Second, true)
		s := New(Config{Seed: 1, Concurrency: 1}, p)
		collect(s, updates(500), false)
		if err := drive(s, context.Background()); err != nil {
			t.Fatal(err)
		}
		timeline := s.Timeline()
		if len(timeline) != len(p.requests) {
			t.Fatalf("%d entries for %d requests", len(timeline), len(p.requests))
		}
		held := 0
		for i, x := range timeline {
			if want := p.requests[i]; x.At.Sub(p.start) != want.at || x.Commands != want.size || x.Method != rest.MethodBatch {
				t.Errorf("entry %d: %+v, want %+v", i, x, want)
			}
			if x.Result == ResultHeld {
				held++
			}
		}
		waits := s.Waits()
		if held == 0 || len(waits) == 0 || waits[0].Reason != WaitOperating || waits[0].Seconds < 9 {
			t.Errorf("%d held; waits: %+v", held, waits)
		}
	})
}
