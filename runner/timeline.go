package runner

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// requests notes in the report what the run sent and when, what it waited for,
// and the limits that it kept to.
func (r *run) requests() {
	conf := r.scheduler.Config()
	r.report.Limits = &Limits{conf.Rate, conf.Burst, conf.Concurrency}
	since := func(t time.Time) float64 { return milliseconds(max(0, t.Sub(r.report.Started).Seconds())) }
	for _, x := range r.scheduler.Timeline() {
		r.report.Timeline = append(r.report.Timeline, Exchange{
			At: since(x.At), Seconds: milliseconds(x.Seconds), Method: x.Method, Commands: x.Commands, Result: string(x.Result),
		})
	}
	slices.SortStableFunc(r.report.Timeline, func(a, b Exchange) int { return cmp.Compare(a.At, b.At) })
	for _, w := range r.scheduler.Waits() {
		r.report.Waits = append(r.report.Waits, Wait{At: since(w.At), Seconds: milliseconds(w.Seconds), Reason: w.Reason})
	}
}

// milliseconds rounds seconds to what somebody can read.
func milliseconds(s float64) float64 { return math.Round(s*1000) / 1000 }
