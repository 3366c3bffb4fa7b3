package runner_test

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"syncsources/bitrix/sandbox"
	"syncsources/runner/schedule"
)

// cell is a run of the sweep.
type cell struct {
	changes       int
	cost, latency float64 // seconds
	slots         int
	level         int // requests in the bucket at the start
}

func (c cell) String() string {
	return fmt.Sprintf("%d of %gs, %gs away, %d slots, %d in the bucket", c.changes, c.cost, c.latency, c.slots, c.level)
}

// cells are all the runs of the sweep.
func cells() (all []cell) {
	for _, changes := range []int{1, 3, 10, 40, 150, 1000} {
		for _, cost := range []float64{.02, .2, 1.35, 15} {
			for _, latency := range []float64{.05, .3} {
				for _, slots := range []int{4, 16, 50} {
					for _, level := range []int{0, 40} {
						all = append(all, cell{changes, cost, latency, slots, level})
					}
				}
			}
		}
	}
	return all
}

// bound is what no client could beat, not even one that knew all costs and the
// bucket: after a request that reads, the rest of the bucket and each step of
// it let requests go, of which each holds 50 updates at most and takes a slot;
// and after the last one another request reads back.
func (c cell) bound() float64 {
	done := func(t float64) bool {
		each := math.Floor(t/c.cost + 1e-9)
		if float64(c.slots)*each < float64(c.changes) {
			return false
		}
		left := c.changes
		for begin := 0.0; begin <= t && left > 0; begin++ {
			tokens := 2
			if begin == 0 {
				tokens = 51 - c.level - 2 // one has read, one will read back
			}
			left -= tokens * min(50, int((t-begin)/c.cost+1e-9))
		}
		return left <= 0
	}
	least := 0.0
	for step := c.cost; step > c.cost/100; step /= 2 {
		for !done(least + step) {
			least += step
		}
	}
	return 3*c.latency + max(least, c.cost)
}

func (c cell) pace() pace {
	return pace{name: c.String(), sources: c.changes, conf: schedule.Config{Concurrency: c.slots, OperatingLimit: -1},
		portal: func(s *sandbox.State, _ uint64) float64 {
			s.UpdateCost = time.Duration(c.cost * float64(time.Second))
			s.Latency = time.Duration(c.latency * float64(time.Second))
			s.Limits.Level = c.level
			return c.bound()
		}}
}

// BenchmarkSweep measures runs of all kinds and sizes against their bounds.
func BenchmarkSweep(b *testing.B) {
	type result struct {
		cell
		figures
	}
	var all []result
	for b.Loop() {
		all = all[:0]
		for _, c := range cells() {
			all = append(all, result{c, c.pace().measure(b, 0)})
		}
	}
	for _, level := range []int{0, 40, -1} { // -1: either
		var ratios []float64
		refusals := 0
		for _, r := range all {
			if level < 0 || r.level == level {
				ratios = append(ratios, r.ratio())
				refusals += r.refusals
			}
		}
		slices.Sort(ratios)
		n := len(ratios)
		name := fmt.Sprintf("-with-%d", level)
		if level < 0 {
			name = "-of-all"
		}
		b.ReportMetric(ratios[n/2], "median"+name)
		b.ReportMetric(ratios[n*95/100], "95th"+name)
		b.ReportMetric(ratios[n-1], "worst"+name)
		b.ReportMetric(float64(refusals), "refused"+name)
	}
	slices.SortFunc(all, func(x, y result) int { return cmp.Compare(y.ratio(), x.ratio()) })
	for _, r := range all[:8] {
		b.Logf("%.2f (%.2f s, at best %.2f s; %d requests, %d refused): %v", r.ratio(), r.makespan, r.figures.bound, r.requests, r.refusals, r.cell)
	}
}
