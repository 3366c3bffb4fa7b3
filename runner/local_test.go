package runner_test

import (
	"context"
	"runtime"
	"sync"
	"testing"

	"syncsources/bitrix"
	"syncsources/bitrix/sandbox"
	"syncsources/runner"
)

// quick is a portal that limits nothing, so that what is left is the cost on
// this machine: ours, and the sandbox's.
func quick(n int) sandbox.State {
	s := sqlState(n)
	s.Limits.Unlimited, s.KeepCalls = true, -1
	return s
}

// BenchmarkPlan plans 100,000 sources that differ.
func BenchmarkPlan(b *testing.B) {
	const n = 100_000
	state, declared := quick(n), retitled(n)
	b.ReportAllocs()
	for b.Loop() {
		inVirtualTime(b, state, func(t *testing.T, bench *bench) {
			report := runner.Plan(context.Background(), bench.client, runner.Options{Set: declares(declared...)})
			if report.Summary.Planned != n {
				t.Fatalf("%+v", report.Summary)
			}
		})
	}
}

// watched says how much of the heap is in use at each eighth request.
type watched struct {
	runner.Client
	mu       sync.Mutex
	requests int
	peak     uint64
}

func (w *watched) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.requests++; w.requests%8 != 0 {
		return
	}
	runtime.GC() // how much garbage lies there depends on how busy the machine is
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	w.peak = max(w.peak, m.HeapAlloc)
}

func (w *watched) Query(ctx context.Context, queries []bitrix.Query) (*bitrix.Response, error) {
	resp, err := w.Client.Query(ctx, queries)
	w.look()
	return resp, err
}

func (w *watched) Write(ctx context.Context, updates []bitrix.Write) (*bitrix.Response, error) {
	resp, err := w.Client.Write(ctx, updates)
	w.look()
	return resp, err
}

// TestPeakMemory holds what an apply of 10,000 sources keeps in memory under
// 45 MiB. What the sandbox needs for its own state is there before and does not
// count; what it needs to answer does.
func TestPeakMemory(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector needs memory of its own")
	}
	const n = 10_000
	state, declared := quick(n), retitled(n)
	onPortal(t, state, func(t *testing.T, b *bench) {
		runtime.GC()
		var before runtime.MemStats
		runtime.ReadMemStats(&before)
		client := &watched{Client: b.client}
		report := runner.Apply(context.Background(), client, runner.Options{Set: declares(declared...)})
		if report.Summary.Updated != n {
			t.Fatalf("%+v", report.Summary)
		}
		peak := (client.peak - before.HeapAlloc) >> 20
		t.Logf("peak %d MiB above the %d MiB before", peak, before.HeapAlloc>>20)
		if peak >= 45 {
			t.Errorf("the heap grew by %d MiB, want less than 45", peak)
		}
	})
}
