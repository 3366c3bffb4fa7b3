package main

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/pflag"

	"syncsources/cmd/syncsources/exit"
	"syncsources/runner"
	"syncsources/runner/schedule"
)

// The portal's limits as the flags tell them.
func TestSchedule(t *testing.T) {
	standard := schedule.Config{Rate: 2, Burst: 50, BatchSize: 50, RequestTime: time.Minute, OperatingLimit: 480 * time.Second}
	for _, c := range []struct {
		args []string
		want func(*schedule.Config)
	}{
		{nil, func(*schedule.Config) {}},
		{[]string{"--tariff", "enterprise"}, func(c *schedule.Config) { c.Rate, c.Burst = 5, 250 }},
		{[]string{"--tariff", "enterprise", "--rate", "0.5"}, func(c *schedule.Config) { c.Rate, c.Burst = 0.5, 250 }},
		{[]string{"--rate", "4", "--burst", "7"}, func(c *schedule.Config) { c.Rate, c.Burst = 4, 7 }},
		{[]string{"--concurrency", "3", "--batch-size", "9"}, func(c *schedule.Config) { c.Concurrency, c.BatchSize = 3, 9 }},
		{[]string{"--request-time", "20s", "--operating-limit", "420s"}, func(c *schedule.Config) {
			c.RequestTime, c.OperatingLimit = 20*time.Second, 420*time.Second
		}},
		{[]string{"--operating-limit", "0"}, func(c *schedule.Config) { c.OperatingLimit = -1 }}, // none; zero would be the default
	} {
		var p limits
		set := pflag.NewFlagSet("", pflag.ContinueOnError)
		p.add(set)
		check(t, set.Parse(c.args))
		want := standard
		c.want(&want)
		got := p.schedule()
		if got.Rate != want.Rate || got.Burst != want.Burst || got.Concurrency != want.Concurrency || got.BatchSize != want.BatchSize ||
			got.RequestTime != want.RequestTime || got.OperatingLimit != want.OperatingLimit {
			t.Errorf("%v: %+v, want %+v", c.args, got, want)
		}
	}
}

// What a flag says counts for every portal, before what the portals file says
// of one.
func TestLimitsOfFlagsAndFile(t *testing.T) {
	none := time.Duration(0)
	file := limits{Tariff: "enterprise", Rate: 4, Burst: 9, BatchSize: 7, Operating: &none}
	got := limits{Rate: 3, BatchSize: 50}.or(file).schedule()
	want := schedule.Config{Rate: 3, Burst: 9, BatchSize: 50, RequestTime: time.Minute, OperatingLimit: -1}
	if got.Rate != want.Rate || got.Burst != want.Burst || got.OperatingLimit != want.OperatingLimit || got.RequestTime != want.RequestTime || got.BatchSize != 50 {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := (limits{Tariff: "standard"}).or(limits{Tariff: "enterprise"}).schedule(); got.Rate != 2 || got.Burst != 50 {
		t.Errorf("the flag's tariff is not used: %+v", got)
	}
}

// What the flags say reaches the run.
func TestFlagsReachTheRun(t *testing.T) {
	state, manifest := "connectors: [{id: 1, title: SQL}]\nsources:\n", "version: 1\nsources:\n"
	for id := range 20 {
		state += "  - {id: " + strconv.Itoa(id+1) + ", title: Old, connectorId: 1}\n"
		manifest += "  - {id: " + strconv.Itoa(id+1) + ", title: New}\n"
	}
	paths := files(t, state, manifest)
	apply := func(t *testing.T, args ...string) (report runner.Report) {
		synctest.Test(t, func(t *testing.T) {
			got := program(t.Context(), nil, append([]string{"apply", "--sandbox", paths[0], "-o", "json", paths[1]}, args...)...)
			report = got.report(t)
			if got.code != exit.OK || report.Summary.Updated != 20 {
				t.Errorf("%v: exit code %d, summary %+v", args, got.code, report.Summary)
			}
		})
		return report
	}
	plain := apply(t)
	if small := apply(t, "--batch-size", "2"); small.Requests.Batches < 11 || plain.Requests.Batches >= 11 { // ten of updates
		t.Errorf("batches of two: %+v", small.Requests)
	}
	if slow := apply(t, "--batch-size", "2", "--rate", "0.5", "--burst", "1"); slow.Duration < 20 {
		t.Errorf("at a request in two seconds it took %.0f s", slow.Duration)
	}
	if trusting := apply(t, "--no-verify"); trusting.Objects[0].Verified || !plain.Objects[0].Verified || trusting.Requests.Commands >= plain.Requests.Commands {
		t.Errorf("without reading back: %+v, with: %+v", trusting.Requests, plain.Requests)
	}
}

// Where a request is cut is the portal's decision, not ours.
func TestClientOutlastsThePortal(t *testing.T) {
	for _, cut := range []time.Duration{20 * time.Second, time.Minute, 5 * time.Minute} {
		if got := (&connection{}).config(nil, limits{RequestTime: cut}).Timeout; got <= cut {
			t.Errorf("the portal cuts after %v, the client after %v", cut, got)
		}
	}
}
