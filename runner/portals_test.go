package runner

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// sleeper is a portal whose run takes a while.
func sleeper(name string, d time.Duration, outcome Outcome) Portal {
	return Portal{Name: name, Run: func(context.Context) *Report {
		time.Sleep(d)
		return &Report{Schema: ReportSchema, Command: "apply", Portal: "https://" + name, Outcome: outcome, Summary: Summary{Total: 3, Updated: 1}}
	}}
}

// Portals run side by side: the makespan is that of the slowest, and reports
// come in the file's order all the same.
func TestPortalsRunSideBySide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		portals := []Portal{
			sleeper("slow", time.Minute, OutcomeOK), sleeper("quick", time.Second, OutcomeFailed),
			sleeper("medium", 30*time.Second, OutcomeOK), sleeper("last", time.Second, OutcomeOK),
		}
		var told []string
		begin := time.Now()
		all := Portals(t.Context(), "apply", portals, PortalsOptions{Parallel: 3, Done: func(name string, r *Report) {
			told = append(told, fmt.Sprintf("%s %s %s", name, r.Outcome, time.Since(begin)))
		}})
		defer all.Close()
		if passed := time.Since(begin); passed != time.Minute {
			t.Errorf("it took %v", passed)
		}
		if want := []string{"slow ok 1m0s", "quick failed 1m0s", "medium ok 1m0s", "last ok 1m0s"}; !slices.Equal(told, want) {
			t.Errorf("told %q, want %q", told, want)
		}
		if all.Outcome != OutcomeFailed || all.Summary.Total != 12 || all.Summary.Updated != 4 {
			t.Errorf("outcome %s, summary %+v", all.Outcome, all.Summary)
		}
		for i := range all.Portals {
			r, err := all.Portals[i].Open()
			if err != nil || r.Portal != "https://"+portals[i].Name {
				t.Errorf("portal %d: %+v, %v", i, r, err)
			}
		}
	})
}

// No more portals run at a time than are allowed.
func TestPortalsParallel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var portals []Portal
		for i := range 10 {
			portals = append(portals, sleeper(fmt.Sprint("p", i), time.Second, OutcomeOK))
		}
		begin := time.Now()
		Portals(t.Context(), "plan", portals, PortalsOptions{Parallel: 2}).Close()
		if passed := time.Since(begin); passed != 5*time.Second {
			t.Errorf("ten portals of a second, two at a time, took %v", passed)
		}
	})
}

// A panic in the run of one portal is that portal's failure.
func TestPortalThatPanics(t *testing.T) {
	var stack string
	all := Portals(t.Context(), "plan", []Portal{
		{Name: "bad", Run: func(context.Context) *Report { panic("a mistake") }},
		sleeper("good", 0, OutcomeOK),
	}, PortalsOptions{Parallel: 2, Panicked: func(name string, reason any, s []byte) { stack = fmt.Sprintf("%s %v %s", name, reason, s) }})
	defer all.Close()
	bad, err := all.Portals[0].Open()
	if err != nil || bad.Outcome != OutcomeStopped || bad.Error.Code != CodeInternal || all.Outcome != OutcomeStopped || all.Summary.Total != 3 {
		t.Errorf("%v, %+v, outcome %s", err, bad, all.Outcome)
	}
	if !strings.HasPrefix(stack, "bad a mistake goroutine") {
		t.Errorf("the stack is %q", stack)
	}
}

// A panic of Done is the caller's, once the other portals have ended, and Done
// is not called again.
func TestPanicOfDone(t *testing.T) {
	ended, stacks := false, []string(nil)
	defer func() {
		if reason := recover(); reason != "a mistake" || !ended || len(stacks) != 1 || stacks[0] == "" {
			t.Errorf("recovered %v, the other portal ended: %t, stacks %q", reason, ended, stacks)
		}
	}()
	Portals(t.Context(), "plan", []Portal{sleeper("one", 0, OutcomeOK), {Name: "two", Run: func(context.Context) *Report {
		ended = true
		return &Report{}
	}}}, PortalsOptions{
		Done:     func(string, *Report) { panic("a mistake") },
		Panicked: func(_ string, _ any, s []byte) { stacks = append(stacks, string(s)) },
	})
}

// The highest claim wins, whatever the order.
func TestOutcomeOfPortals(t *testing.T) {
	order := []Outcome{OutcomeInvalid, OutcomeInterrupted, OutcomeStopped, OutcomeFailed, OutcomeChanges, OutcomeOK}
	for i, a := range order {
		for _, b := range order[i:] {
			if higher(a, b) != a || higher(b, a) != a {
				t.Errorf("of %s and %s the higher is %s", a, b, higher(a, b))
			}
		}
	}
}

// Memory does not grow with the number of portals that are done.
func TestMemoryOfManyPortals(t *testing.T) {
	if testing.Short() {
		t.Skip("it makes 100 MB of reports")
	}
	report := func(context.Context) *Report {
		r := &Report{Schema: ReportSchema, Command: "plan"}
		for i := range 100 {
			r.Objects = append(r.Objects, Object{Kind: KindSource, Name: strings.Repeat("x", 500), ID: int64(i)})
		}
		return r
	}
	var portals []Portal
	for i := range 1000 {
		portals = append(portals, Portal{Name: fmt.Sprint(i), Run: report})
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	all := Portals(t.Context(), "plan", portals, PortalsOptions{Parallel: 4})
	defer all.Close()
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 8<<20 {
		t.Errorf("1,000 reports of 100 objects keep %d KiB", grown>>10)
	}
	if r, err := all.Portals[999].Open(); err != nil || len(r.Objects) != 100 {
		t.Errorf("the last report: %v", err)
	}
}

// Without a directory for temporary files reports stay in memory, compressed.
func TestReportsWithoutTemporaryFiles(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir()+"/absent")
	all := Portals(t.Context(), "plan", []Portal{sleeper("a", 0, OutcomeOK)}, PortalsOptions{})
	defer all.Close()
	if r, err := all.Portals[0].Open(); err != nil || r.Portal != "https://a" {
		t.Errorf("%+v, %v", r, err)
	}
}
