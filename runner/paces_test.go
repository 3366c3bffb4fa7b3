package runner_test

import (
	"math"
	"math/rand/v2"
	"net/http"
	"time"

	"syncsources/bitrix/sandbox"
	"syncsources/manifest"
	"syncsources/runner"
	"syncsources/runner/schedule"
)

// pace is a run whose makespan is measured against what no client could beat.
type pace struct {
	name      string
	sources   int
	changed   int // the first so many sources; 0: all
	other     int // the last so many belong to another external system
	systems   int // so many external systems share the sources; 0: one, and other
	unchanged bool
	conf      schedule.Config
	// portal sets the portal up and returns the lower bound of the makespan,
	// in seconds.
	portal func(s *sandbox.State, seed uint64) (bound float64)
	seeds  int // 0: nothing is drawn
	// wire stands between the portal and its clients; may be nil.
	wire func(http.RoundTripper) http.RoundTripper
	// story is what happens where that is more than one run. It returns the
	// run that counts, and its bound, where only the story tells.
	story  func(w *scene) (*runner.Report, float64)
	rounds int           // runs that update
	want   runner.Status // of all objects; updated where empty

	// What the run has to keep to. Counts are of the worst seed, the ratio of
	// makespan to bound is of the median one.
	ratio    float64
	worst    float64 // 0: any
	loose    float64 // by how much the ratio varies with the order of what happens at one instant, or with seeds
	requests int     // 0: any number
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

// runBound is for a whole run of n changes that cost alike: three rounds that
// depend on each other - reading, writing, reading back - and what slots and
// tokens allow. The bucket holds level requests at the start.
func runBound(n int, cost, latency float64, slots, level int, rate float64, burst int) float64 {
	rounds := math.Ceil(float64(n) / float64(slots))
	return 3*latency + max(rounds*cost, math.Ceil(float64(max(0, leastRequests(n)+level-burst))/rate))
}

// fewBound is for a whole run of n changes, of which so few fit into a slot that
// it matters when each slot gets its token: all of them but one, which is for
// reading, at once, and 2 with each step. A request cannot be divided, and a
// change neither.
func fewBound(n int, cost, latency float64, slots, burst int) float64 {
	done := func(t float64) int {
		sum := 0
		for i := range slots {
			start := latency
			if i >= burst-1 {
				start = 1 + float64((i-burst+1)/2)
			}
			sum += max(0, int((t-latency-start)/cost+1e-9))
		}
		return sum
	}
	t := latency + cost
	for done(t+cost/1000) < n {
		t += cost / 1000
	}
	return t + latency
}

const ms = time.Millisecond

// equal makes every update cost the same.
func equal(n int, cost time.Duration, slots int) func(*sandbox.State, uint64) float64 {
	return func(s *sandbox.State, _ uint64) float64 {
		s.UpdateCost = cost
		return workBound(float64(n)*cost.Seconds(), cost.Seconds(), slots)
	}
}

// away makes every update cost the same on a portal 50 ms away.
func away(n int, cost time.Duration, slots int) func(*sandbox.State, uint64) float64 {
	return func(s *sandbox.State, _ uint64) float64 {
		s.UpdateCost, s.Latency = cost, 50*ms
		return runBound(n, cost.Seconds(), .05, slots, 0, 2, 50)
	}
}

// early says that the portal cuts requests after 2 s, and cutEarly is a portal
// that does. A request holds 32 updates then, and the last one has its token a
// step before the end.
var early = schedule.Config{Concurrency: 16, OperatingLimit: -1, RequestTime: 2 * time.Second}

func cutEarly(s *sandbox.State, _ uint64) float64 {
	s.Latency, s.UpdateCost, s.RequestTime = 50*ms, 60*ms, 2*time.Second
	each, reads := 32, 2
	requests := reads + (2000+each-1)/each
	return .15 + max(2000*.06/16, rateBound(requests))
}

// hundred changes are twice as many as there are slots and tokens.
func hundred(s *sandbox.State, _ uint64) float64 {
	s.UpdateCost, s.Latency = 1350*ms, 50*ms
	return fewBound(100, 1.35, .05, 50, 50)
}

// nearlyFull is a bucket that somebody else has left ten tokens in.
func nearlyFull(n int) func(*sandbox.State, uint64) float64 {
	return cell{changes: n, cost: .02, latency: .05, slots: 50, level: 40}.pace().portal
}

var (
	noBudget = schedule.Config{OperatingLimit: -1}
	sixteen  = schedule.Config{Concurrency: 16, OperatingLimit: -1}
	fifty    = schedule.Config{Concurrency: 50, OperatingLimit: -1}
)

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
	{name: "1,000 of 1.35 s, 16 in flight", sources: 1000, ratio: 1.06, portal: equal(1000, 1350*ms, 16), conf: sixteen},
	{name: "400 of 25 ms, 16 in flight", sources: 400, ratio: 1.1, portal: equal(400, 25*ms, 16), conf: sixteen},
	// 0.35 s is what it has to stay below.
	{name: "400 of 25 ms, 50 in flight", sources: 400, ratio: 1.3, portal: equal(400, 25*ms, 50), conf: schedule.Config{Concurrency: 50}},
	{name: "5,000 of 0.5 s, 480 s in ten minutes", sources: 5000, ratio: 1.02, held: 50, conf: schedule.Config{Concurrency: 16},
		portal: func(s *sandbox.State, _ uint64) float64 {
			s.UpdateCost, s.OperatingLimit = 500*ms, 480*time.Second
			// A command is let in while anything is left, one in each slot.
			return windowBound(2500, 480+16*0.5, 16)
		}},
	{name: "the same, billed to batch", sources: 5000, ratio: 1.02, held: 50, conf: schedule.Config{Concurrency: 16},
		portal: func(s *sandbox.State, _ uint64) float64 {
			s.UpdateCost, s.OperatingLimit, s.OperatingBilled = 500*ms, 480*time.Second, sandbox.BilledBatch
			// A batch is let in while anything is left, one in each slot, and
			// is planned to take a third of the cut.
			return windowBound(2500, 480+16*20, 16)
		}},
	{name: "2,000 with a heavy tail", sources: 2000, ratio: 1.3, worst: 1.5, loose: 0.1, cuts: 2, seeds: 9, conf: sixteen,
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
	{name: "5,000 changed, bucket full at the start", sources: 5000, ratio: 1.05, refusals: 3,
		portal: func(s *sandbox.State, _ uint64) float64 {
			s.Limits.Level = 51
			return rateBound(leastRequests(5000) + 50)
		}},
	{name: "10,000 changed, 10 % faults", sources: 10000, ratio: 1.3, loose: 0.1, seeds: 9,
		portal: func(s *sandbox.State, _ uint64) float64 {
			s.Faults = everyFault()
			return rateBound(leastRequests(10000)) // even without faults
		}},

	// The everyday run.
	{name: "2 changes of 1.35 s", sources: 2, ratio: 1.05, portal: away(2, 1350*ms, 50)},
	{name: "4 changes of 1.35 s", sources: 4, ratio: 1.05, portal: away(4, 1350*ms, 50)},
	{name: "4 changes, external systems that hang for 25 s", sources: 4, ratio: 1.05, portal: away(4, 25*time.Second, 50)},
	{name: "40 changes of 1.35 s", sources: 40, ratio: 1.25, portal: away(40, 1350*ms, 50)},
	{name: "100 changes of 1.35 s", sources: 100, ratio: 1.05, portal: hundred},
	{name: "500 changes of 1.35 s", sources: 500, ratio: 1.3, conf: noBudget, portal: away(500, 1350*ms, 50)},
	{name: "5,000 of 0.1 s", sources: 5000, ratio: 1.2, conf: noBudget, portal: away(5000, 100*ms, 50)},
	{name: "3,000 of 1.35 s", sources: 3000, ratio: 1.25, conf: noBudget, portal: away(3000, 1350*ms, 50)},
	{name: "3,000 of 1.35 s, 20 served at a time", sources: 3000, ratio: 1.1, loose: 0.05, conf: noBudget,
		portal: func(s *sandbox.State, _ uint64) float64 {
			s.Workers = 20
			return away(3000, 1350*ms, 20)(s, 0)
		}},

	// The second run.
	{name: "345 of 1.35 s again, 60 s later", sources: 345, conf: schedule.Config{Concurrency: 16}, ratio: 1.05, held: 50, rounds: 2, portal: afterAnother, story: again(60 * time.Second)},
	{name: "345 of 1.35 s again, 360 s later", sources: 345, conf: schedule.Config{Concurrency: 16}, ratio: 1.05, held: 50, rounds: 2, portal: afterAnother, story: again(360 * time.Second)},
	{name: "345 of 1.35 s again, 540 s later", sources: 345, conf: schedule.Config{Concurrency: 16}, ratio: 1.06, held: 50, rounds: 2, portal: afterAnother, story: again(540 * time.Second)},
	{name: "400 of 25 ms, for the third time in a row", sources: 400, ratio: 1.2, rounds: 3, refusals: 3,
		portal: func(s *sandbox.State, _ uint64) float64 { s.UpdateCost, s.Latency = 25*ms, 50*ms; return 1 },
		story: func(w *scene) (*runner.Report, float64) {
			first := w.apply("one")
			w.apply("two")
			return w.apply("new"), first.Duration
		}},

	// The reader.
	{name: "plan of 1,000, 200 ms a list", sources: 1000, unchanged: true, ratio: 1.05, portal: slowLists(1000)},
	{name: "plan of 2,500, 200 ms a list", sources: 2500, unchanged: true, ratio: 1.05, portal: slowLists(2500)},
	{name: "3 changes in 1,000, 200 ms a list", sources: 1000, changed: 3, ratio: 1.05,
		portal: func(s *sandbox.State, _ uint64) float64 {
			s.ReadCost, s.Latency, s.UpdateCost = 200*ms, 50*ms, 1350*ms
			return .15 + 2*.2 + 1.35 + .2
		}},

	// Creations and deletions.
	{name: "1 connector, 100 sources, 100 tables from nothing", ratio: 2.1, want: runner.StatusCreated,
		portal: func(s *sandbox.State, _ uint64) float64 {
			s.Latency, s.UpdateCost, s.WriteCost = 100*ms, 100*ms, 20*ms
			// Of 50 tokens, 3 are for the connector, reading and reading back:
			// 34 requests make 3 sources each, 13 make 8 tables.
			return 5*.1 + .02 + 3*.1 + 8*.02
		},
		story: func(w *scene) (*runner.Report, float64) { return w.make(fromNothing(100)), 0 }},
	{name: "the same, 16 in flight", ratio: 1.3, want: runner.StatusCreated, conf: sixteen,
		portal: func(s *sandbox.State, _ uint64) float64 {
			s.Latency, s.UpdateCost, s.WriteCost = 100*ms, 100*ms, 20*ms
			return 5*.1 + .02 + 7*.1 + 7*.02 // each slot makes 7 sources, and 7 tables
		},
		story: func(w *scene) (*runner.Report, float64) { return w.make(fromNothing(100)), 0 }},
	{name: "the same again", ratio: 1.05, want: runner.StatusUnchanged, requests: 6,
		portal: func(s *sandbox.State, _ uint64) float64 { s.Latency = 100 * ms; return 2 * .1 },
		story: func(w *scene) (*runner.Report, float64) {
			w.make(fromNothing(100))
			return w.make(fromNothing(100)), 0
		}},
	{name: "2 connectors with 100 sources removed", sources: 100, ratio: 2.25, want: runner.StatusDeleted,
		portal: func(s *sandbox.State, _ uint64) float64 {
			s.Latency, s.WriteCost = 100*ms, 20*ms
			return 4*.1 + 3*.02 + .02 // the connectors after their sources
		},
		story: func(w *scene) (*runner.Report, float64) {
			return w.make(&manifest.Set{Declares: manifest.Declares{Connectors: true}}), 0
		}},

	// Many slots.
	{name: "100 of 1.35 s, 50 in flight", sources: 100, ratio: 1.05, portal: hundred, conf: fifty},
	{name: "400 of 0.1 s, 50 in flight", sources: 400, ratio: 1.35, portal: away(400, 100*ms, 50), conf: fifty},
	{name: "2,000 of 25 ms, 50 in flight", sources: 2000, ratio: 1.25, portal: away(2000, 25*ms, 50), conf: fifty},
	{name: "2,000 of 1 s, 200 in flight, Enterprise", sources: 2000, ratio: 1.3,
		conf: schedule.Config{Concurrency: 200, Rate: 5, Burst: 250, OperatingLimit: -1},
		portal: func(s *sandbox.State, _ uint64) float64 {
			s.UpdateCost, s.Latency, s.Limits.Rate, s.Limits.Burst = time.Second, 50*ms, 5, 250
			return runBound(2000, 1, .05, 200, 0, 5, 250)
		}},

	// Neighbours at the bucket.
	{name: "10 of 20 ms, 40 of 50 taken", sources: 10, ratio: 1.7, portal: nearlyFull(10)},
	{name: "40 of 20 ms, 50 in flight, 40 of 50 taken", sources: 40, ratio: 1.4, portal: nearlyFull(40), conf: fifty},
	{name: "1,000 of 0.2 s, two hosts at once", sources: 1000, ratio: 2.1, loose: 0.5, seeds: 9, refusals: 80, rounds: 2,
		portal: func(s *sandbox.State, _ uint64) float64 { s.UpdateCost, s.Latency = 200*ms, 50*ms; return 1 },
		story: func(w *scene) (*runner.Report, float64) {
			other := make(chan *runner.Report, 1)
			second := *w
			second.seed += 100 // it draws pauses of its own
			go func() { other <- second.apply("new") }()
			report := w.apply("new")
			<-other
			return report, runBound(1000, .2, .05, 16, 0, 2, 50)
		}},
	{name: "5,000 changed, beside a client of one a second", sources: 5000, ratio: 1.85, loose: 0.2, refusals: 40,
		portal: func(s *sandbox.State, _ uint64) float64 { s.Latency = 50 * ms; return 1 }, story: besideAnother},

	// Costs that mislead.
	{name: "2,500 quick ones, the first slow by accident", sources: 2500, ratio: 1.25, conf: sixteen,
		portal: func(s *sandbox.State, _ uint64) float64 {
			s.Latency = 50 * ms
			s.CostOf = func(id int64) time.Duration {
				if id == 1 {
					return 700 * ms
				}
				return 25 * ms
			}
			return .15 + max(2500*.025/16, rateBound(leastRequests(2500)))
		}},
	{name: "1,900 of 25 ms, then 100 of 5 s of another system", sources: 2000, other: 100, ratio: 1.1, conf: sixteen,
		portal: func(s *sandbox.State, _ uint64) float64 {
			s.Latency = 50 * ms
			s.CostOf = func(id int64) time.Duration {
				if id > 1900 {
					return 5 * time.Second
				}
				return 25 * ms
			}
			return .15 + (1900*.025+100*5)/16
		}},
	{name: "500 of 1.35 s of 100 systems, 16 in flight", sources: 500, systems: 100, ratio: 1.05, conf: sixteen, portal: away(500, 1350*ms, 16)},
	{name: "2,000 of 60 ms, cut at 2 s", sources: 2000, ratio: 1.45, portal: cutEarly, conf: early},
	{name: "the same, times in whole seconds", sources: 2000, ratio: 1.45, portal: cutEarly, conf: early, wire: wholeSeconds},
	{name: "2,500 free ones, 300 ms of a request counted as processing", sources: 2500, ratio: 1.4, wire: latencyCounts,
		portal: func(s *sandbox.State, _ uint64) float64 {
			s.Latency = 300 * ms
			return runBound(2500, 0, .3, 50, 0, 2, 50)
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
