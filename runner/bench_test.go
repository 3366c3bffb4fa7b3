package runner_test

import (
	"testing"

	"syncsources/bitrix/sandbox"
)

// inVirtualTime is onPortal for tests and benchmarks alike: synctest knows
// tests only, so a benchmark runs one.
func inVirtualTime(tb testing.TB, state sandbox.State, f func(t *testing.T, b *bench)) {
	tb.Helper()
	if t, ok := tb.(*testing.T); ok {
		onPortal(t, state, f)
		return
	}
	all := func(string, string) (bool, error) { return true, nil }
	if !testing.RunTests(all, []testing.InternalTest{{Name: tb.Name(), F: func(t *testing.T) { onPortal(t, state, f) }}}) {
		tb.FailNow()
	}
}

// BenchmarkPaces measures the paces in virtual time: how long the portal's
// limits make a run take, not how long this machine needs for it.
func BenchmarkPaces(b *testing.B) {
	for _, p := range paces {
		b.Run(p.name, func(b *testing.B) {
			var f figures
			var worst float64
			for b.Loop() {
				f, worst = p.measureAll(b, 9)
			}
			b.ReportMetric(float64(f.requests), "requests")
			b.ReportMetric(float64(f.refusals), "refusals")
			b.ReportMetric(float64(f.held), "held")
			b.ReportMetric(float64(f.cuts), "cuts")
			b.ReportMetric(f.makespan, "makespan-s")
			b.ReportMetric(f.bound, "bound-s")
			b.ReportMetric(f.ratio(), "ratio")
			b.ReportMetric(worst, "worst-ratio")
		})
	}
}
