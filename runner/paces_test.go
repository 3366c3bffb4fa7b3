package runner_test

import (
	"math"
	"math/rand/v2"
	"time"

	"syncsources/bitrix/sandbox"
	"syncsources/runner/schedule"
)

// pace is a run whose makespan is measured against what no client could beat.
type pace struct {
	name      string
	sources   int
	unchanged bool
	conf      schedule.Config
	// portal sets the portal up and returns the lower bound of the makespan,
	// in seconds.
	portal func(s *sandbox.State, seed uint64) (bound float64)
	seeds  int // 0: nothing is drawn

	// What the run has to keep to. Counts are of the worst seed, the ratio of
	// makespan to bound is of the median one.
	ratio    float64
	requests int // 0: any number
	refusals int
	held     int // commands and batches refused for want of operating time
	cuts     int
}

// leastRequests is for reading, updating and reading back: 50 sources to a
// command and 50 commands to a request.
func leastRequests(sources int) int {
	commands := (sources + 49) / 50
	reads := (commands + 49) / 50
	return reads + commands + reads
}

// rateBound is when the last of n requests may go: 50 at once, and 2 with
// each step of a second.
func rateBound(n int) float64 { return math.Ceil(float64(max(0, n-50)) / 2) }

// workBound is how long slots need for work: evenly divided, and no shorter
// than the longest update.
func workBound(work, longest float64, slots int) float64 {
	return max(work/float64(slots), longest)
}

// windowBound is how long slots need for work of which each ten minutes grant
// limit seconds: full windows, and what is left at full speed.
func windowBound(work, limit float64, slots int) float64 {
	windows := math.Ceil(work/limit) - 1
	return windows*600 + (work-windows*limit)/float64(slots)
}

const ms = time.Millisecond

// equal makes every update cost the same.
func equal(n int, cost time.Duration, slots int) func(*sandbox.State, uint64) float64 {
	return func(s *sandbox.State, _ uint64) float64 {
		s.UpdateCost = cost
		return workBound(float64(n)*cost.Seconds(), cost.Seconds(), slots)
	}
}

var noBudget = schedule.Config{OperatingLimit: -1}

// paces are the runs of the table in docs/pacing.md.
var paces = []pace{
	{name: "10,000 changed, free updates", sources: 10000, ratio: 1.03, requests: leastRequests(10000) * 103 / 100,
		portal: func(*sandbox.State, uint64) float64 { return rateBound(leastRequests(10000)) }},
	{name: "the same, 120 ms away, other phase", sources: 10000, ratio: 1.03, requests: leastRequests(10000) * 103 / 100,
		portal: func(s *sandbox.State, _ uint64) float64 {
			s.Latency, s.Limits.Phase = 120*ms, 370*ms
			return rateBound(leastRequests(10000)) - s.Limits.Phase.Seconds()
		}},
	{name: "10,000 unchanged", sources: 10000, unchanged: true, ratio: 1, requests: 5,
		portal: func(*sandbox.State, uint64) float64 { return 0 }},
	{name: "1,000 of 1.35 s, 4 in flight", sources: 1000, ratio: 1.03, portal: equal(1000, 1350*ms, 4),
		conf: schedule.Config{Concurrency: 4, OperatingLimit: -1}},
	{name: "1,000 of 1.35 s, 16 in flight", sources: 1000, ratio: 1.06, portal: equal(1000, 1350*ms, 16), conf: noBudget},
	{name: "400 of 25 ms, 16 in flight", sources: 400, ratio: 1.2, portal: equal(400, 25*ms, 16)},
	// 0.35 s is what it has to stay below.
	{name: "400 of 25 ms, 50 in flight", sources: 400, ratio: 1.74, portal: equal(400, 25*ms, 50), conf: schedule.Config{Concurrency: 50}},
	{name: "5,000 of 0.5 s, 480 s in ten minutes", sources: 5000, ratio: 1.02, held: 50,
		portal: func(s *sandbox.State, _ uint64) float64 {
			s.UpdateCost, s.OperatingLimit = 500*ms, 480*time.Second
			// A command is let in while anything is left, one in each slot.
			return windowBound(2500, 480+16*0.5, 16)
		}},
	{name: "the same, billed to batch", sources: 5000, ratio: 1.02, held: 50,
		portal: func(s *sandbox.State, _ uint64) float64 {
			s.UpdateCost, s.OperatingLimit, s.OperatingBilled = 500*ms, 480*time.Second, sandbox.BilledBatch
			// A batch is let in while anything is left, one in each slot, and
			// is planned to take a third of the cut.
			return windowBound(2500, 480+16*20, 16)
		}},
	{name: "2,000 with a heavy tail", sources: 2000, ratio: 1.3, cuts: 2, seeds: 9, conf: noBudget,
		portal: func(s *sandbox.State, seed uint64) float64 {
			var work float64
			s.CostOf, work = heavyTail(2000, seed)
			return workBound(work, 20, 16)
		}},
	{name: "1,000 of 1 s, 6 served at a time", sources: 1000, ratio: 1 / .97, conf: noBudget,
		portal: func(s *sandbox.State, _ uint64) float64 {
			s.UpdateCost, s.Workers = time.Second, 6
			return workBound(1000, 1, 6)
		}},
	{name: "5,000 changed, bucket full at the start", sources: 5000, ratio: 1.1, refusals: 3,
		portal: func(s *sandbox.State, _ uint64) float64 {
			s.Limits.Level = 51
			return rateBound(leastRequests(5000) + 50)
		}},
	{name: "10,000 changed, 10 % faults", sources: 10000, ratio: 1.3, seeds: 9,
		portal: func(s *sandbox.State, _ uint64) float64 {
			s.Faults = everyFault()
			return rateBound(leastRequests(10000)) // even without faults
		}},
}

// heavyTail gives 99 of 100 sources about 0.3 s, and the others 20 s.
func heavyTail(sources int, seed uint64) (cost func(id int64) time.Duration, work float64) {
	rng := rand.New(rand.NewPCG(seed, 5))
	costs := make([]time.Duration, sources+1)
	for i := 1; i <= sources; i++ {
		costs[i] = time.Duration(0.3 * math.Exp(0.5*rng.NormFloat64()) * float64(time.Second))
	}
	for _, i := range rng.Perm(sources)[:sources/100] {
		costs[i+1] = 20 * time.Second
	}
	for _, c := range costs {
		work += c.Seconds()
	}
	return func(id int64) time.Duration { return costs[id] }, work
}

// everyFault strikes a tenth of all requests, every kind of fault alike,
// before execution and after it. The connection check of an update fails one
// time in a thousand; in one run of a hundred a source rightly stays failed,
// because the check fails again at the later retry.
func everyFault() []sandbox.Fault {
	var faults []sandbox.Fault
	for _, kind := range []string{sandbox.FaultInternal, sandbox.FaultUnexpected, sandbox.FaultBadGateway,
		sandbox.FaultTimeout, sandbox.FaultDropped, sandbox.FaultEmpty} {
		faults = append(faults, sandbox.Fault{Kind: kind}, sandbox.Fault{Kind: kind, Ran: true})
	}
	for _, kind := range []string{sandbox.FaultTruncated, sandbox.FaultQueryLimit, sandbox.FaultSlow} {
		faults = append(faults, sandbox.Fault{Kind: kind})
	}
	for i := range faults {
		faults[i].Rate = 0.1 / float64(len(faults))
	}
	return append(faults, sandbox.Fault{Kind: sandbox.FaultConnection, Rate: 0.001})
}
