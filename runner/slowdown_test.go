package runner_test

import (
	"fmt"
	"testing"
	"time"

	"syncsources/bitrix/sandbox"
	"syncsources/manifest"
	"syncsources/runner"
	"syncsources/runner/schedule"
)

// Another job has filled the portal's bucket, far beyond what it forgives in a
// minute. The refusals are few, because everybody waits longer after each of
// them, and the run does not begin much later than it can.
func TestAFullBucketIsNotRunInto(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		state := sqlState(1000)
		state.UpdateCost = 200 * time.Millisecond
		state.Limits.Level = 250 // the first request gets through after 100 s
		onPortal(t, state, func(t *testing.T, b *bench) {
			report := b.apply(runner.Options{Set: declares(retitled(1000)...), Schedule: schedule.Config{Seed: seed + 1}})
			if report.Summary.Updated != 1000 {
				t.Errorf("seed %d: %v", seed, statuses(report))
			}
			if n := b.Stats().Refused; n > 40 {
				t.Errorf("seed %d: %d requests were refused", seed, n)
			}
			if report.Duration > 160 {
				t.Errorf("seed %d: the run took %.0f s", seed, report.Duration)
			}
		})
	}
}

// A number of slots is an upper limit, and no order to use the tokens up before
// the objects that wait for others have their turn.
func TestNamedSlotsMakeNoRunSlower(t *testing.T) {
	var without float64
	for _, slots := range []int{0, 32, 50} {
		onPortal(t, sandbox.State{Latency: 100 * ms, UpdateCost: 100 * ms, WriteCost: 20 * ms}, func(t *testing.T, b *bench) {
			report := b.apply(runner.Options{Set: fromNothing(300), Schedule: schedule.Config{Concurrency: slots}})
			if report.Summary.Created != 601 {
				t.Fatal(statuses(report))
			}
			if slots == 0 {
				without = report.Duration
			}
			if report.Duration > without+.05 {
				t.Errorf("%d slots: %.2f s, %.2f s without a number", slots, report.Duration, without)
			}
		})
	}
}

// Changes and creations that cost the same share batches. With batches of their
// own each of them would count on all tokens.
func TestChangesAndCreationsShareBatches(t *testing.T) {
	state := sqlState(200)
	state.Latency, state.UpdateCost = 50*ms, 1350*ms
	onPortal(t, state, func(t *testing.T, b *bench) {
		set := declares(retitled(200)...)
		set.Connectors = []manifest.Connector{declaredConnector("erp")}
		for i := range 200 {
			set.Sources = append(set.Sources, declaredSource(fmt.Sprintf("new%03d", i), "erp"))
		}
		report := b.apply(runner.Options{Set: set, Schedule: schedule.Config{Concurrency: 50, OperatingLimit: -1}})
		if report.Summary.Updated != 200 || report.Summary.Created != 201 {
			t.Fatal(statuses(report))
		}
		if report.Duration > 14 { // 10.8 s are the least for 400 of them
			t.Errorf("took %.1f s", report.Duration)
		}
	})
}

// The first update shows what one costs. A portal that is far away answers it
// late, and that is no reason to send more of them alone.
func TestFarPortal(t *testing.T) {
	state := sqlState(1000)
	state.Latency = 1500 * time.Millisecond
	onPortal(t, state, func(t *testing.T, b *bench) {
		report := b.apply(runner.Options{Set: declares(retitled(1000)...), Schedule: schedule.Config{Seed: 1}})
		if got := statuses(report)["updated"]; got != 1000 {
			t.Fatal(statuses(report))
		}
		if most := leastRequests(1000) + 7; report.Requests.HTTP > most {
			t.Errorf("%d requests, want %d", report.Requests.HTTP, most)
		}
	})
}

// A portal that serves fewer requests at a time than are sent cuts those that
// wait for too long. It is busy, not away.
func TestCutsAreNoOutage(t *testing.T) {
	state := sqlState(60)
	state.UpdateCost, state.Workers = 30*time.Second, 6
	onPortal(t, state, func(t *testing.T, b *bench) {
		report := b.apply(runner.Options{Set: declares(retitled(60)...), Schedule: schedule.Config{Seed: 1, OperatingLimit: -1}})
		if got := statuses(report)["updated"]; got != 60 || report.Error != nil {
			t.Errorf("%v, %v after %.0f s and %d cuts", statuses(report), report.Error, report.Duration, b.Stats().Cuts)
		}
	})
}
