package runner

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"syncsources/bitrix/rest"
)

// CodeInternal is the code of a panic: a mistake in this program.
const CodeInternal = string(rest.Internal)

// Portal is one portal of a run of many.
type Portal struct {
	Name string
	// Run plans or applies. It always returns a report.
	Run func(ctx context.Context) *Report
}

// PortalsOptions are the choices of a run of many portals.
type PortalsOptions struct {
	// Parallel is how many portals run at a time; less than 1 means 1.
	Parallel int
	// Done is called with each report in the order of the portals, as soon as it and
	// those before it are there; never concurrently. It may be nil.
	Done func(name string, r *Report)
	// Panicked is called when a run or Done panics; it may be nil.
	Panicked func(name string, reason any, stack []byte)
}

func (o *PortalsOptions) panicked(name string, reason any) {
	if o.Panicked != nil {
		o.Panicked(name, reason, debug.Stack())
	}
}

// Portals runs portals side by side. None waits for another, nor fails with
// it; the outcome is the one with the highest claim on the exit code.
//
// The report of a portal that is done is stored outside of memory until it is
// read, so that memory does not grow with the number of portals. Close ends
// that.
func Portals(ctx context.Context, command string, portals []Portal, o PortalsOptions) *PortalsReport {
	all := &PortalsReport{Schema: PortalsSchema, Command: command, Outcome: OutcomeOK, Started: time.Now(), Portals: make([]PortalReport, len(portals))}
	store := &reportStore{}
	all.close = store.close
	var (
		mu      sync.Mutex
		ended   = make([]bool, len(portals))
		told    int // how many of the first portals Done knows; no more once it has panicked
		broken  any // what Done panicked with
		running sync.WaitGroup
		slots   = make(chan struct{}, max(1, o.Parallel))
	)
	for i := range portals {
		slots <- struct{}{}
		running.Go(func() {
			defer func() { <-slots }()
			r := portals[i].run(ctx, command, o)
			mu.Lock()
			defer mu.Unlock()
			defer func() {
				if reason := recover(); reason != nil {
					broken = reason
					o.panicked(portals[i].Name, reason)
				}
			}()
			all.Portals[i] = store.keep(portals[i].Name, r)
			all.Summary.Add(r.Summary)
			all.Outcome = higher(all.Outcome, r.Outcome)
			ended[i] = true
			for ; broken == nil && told < len(portals) && ended[told]; told++ {
				if o.Done == nil {
					continue
				}
				if told != i {
					r, _ = all.Portals[told].Open() // what cannot be read is reported when the run is rendered
				}
				if r != nil {
					o.Done(portals[told].Name, r)
				}
			}
		})
	}
	running.Wait()
	if broken != nil {
		all.Close()
		panic(broken) // in the caller's goroutine, where it can be recovered
	}
	all.Finished = time.Now()
	all.Duration = all.Finished.Sub(all.Started).Seconds()
	return all
}

// run is Run, with a report where it panics: a mistake that one portal brings
// out must not cost the others.
func (p *Portal) run(ctx context.Context, command string, o PortalsOptions) (r *Report) {
	began := time.Now()
	defer func() {
		reason := recover()
		if reason == nil {
			return
		}
		o.panicked(p.Name, reason)
		r = &Report{Schema: ReportSchema, Command: command, Outcome: OutcomeStopped, Started: began, Finished: time.Now(),
			Error: &Failure{Code: CodeInternal, Message: fmt.Sprintf("internal error: %v", reason)}}
	}()
	return p.Run(ctx)
}

// claims orders the outcomes by their claim on the exit code, the highest
// first.
var claims = []Outcome{OutcomeInvalid, OutcomeInterrupted, OutcomeStopped, OutcomeFailed, OutcomeChanges, OutcomeOK}

func higher(a, b Outcome) Outcome {
	for _, o := range claims {
		if a == o || b == o {
			return o
		}
	}
	return a
}

// Close removes the reports that are stored outside of memory. The run cannot
// be rendered any more then.
func (p *PortalsReport) Close() {
	if p.close != nil {
		p.close()
	}
}
