package runner_test

import (
	"slices"
	"testing"
	"time"

	"syncsources/bitrix/sandbox"
	"syncsources/runner"
)

// Writing counts what is to be written and what has failed.
func TestProgressOfAFailure(t *testing.T) {
	state := sqlState(5)
	state.ShowAfter = time.Second
	state.Sources[0].Check = sandbox.CheckFail
	state.Sources[2].Title = "new"
	onPortal(t, state, func(t *testing.T, b *bench) {
		var last runner.Progress
		b.apply(runner.Options{Set: declares(retitled(3)...), Progress: func(p runner.Progress) {
			if last = p; p.Phase != runner.PhaseReading && p.Total != 2 || p.Done > p.Total {
				t.Errorf("%+v", p)
			}
		}})
		if last.Failed != 1 || last.Done != 2 {
			t.Errorf("%+v", last)
		}
	})
}

// Each phase counts from none to all, by itself: what is written is seen
// before anything is read back.
func TestProgress(t *testing.T) {
	const n = 400
	onPortal(t, sqlState(n), func(t *testing.T, b *bench) {
		done := map[runner.Phase][]int{}
		var order []runner.Phase
		report := b.apply(runner.Options{Set: declares(retitled(n)...), Progress: func(p runner.Progress) {
			if p.Total != n {
				t.Fatalf("%+v: total is not %d", p, n)
			}
			if !slices.Contains(order, p.Phase) {
				order = append(order, p.Phase)
			}
			done[p.Phase] = append(done[p.Phase], p.Done)
		}})
		if report.Summary.Updated != n {
			t.Fatal(statuses(report))
		}
		if want := []runner.Phase{runner.PhaseReading, runner.PhaseWriting, runner.PhaseVerifying}; !slices.Equal(order, want) {
			t.Fatalf("phases %v, want %v", order, want)
		}
		for phase, counts := range done {
			if first, last := counts[0], counts[len(counts)-1]; first != 0 || last != n || !slices.IsSorted(counts) {
				t.Errorf("%s: from %d to %d in %d steps, sorted %v", phase, first, last, len(counts), slices.IsSorted(counts))
			}
		}
		// A bar that jumps at the end shows nothing.
		if writing := slices.Compact(done[runner.PhaseWriting]); len(writing) < n/2 {
			t.Errorf("writing is shown in %d steps", len(writing))
		}
	})
}
