package main

import (
	"cmp"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"syncsources/bitrix"
	"syncsources/cmd/syncsources/option"
	"syncsources/runner"
	"syncsources/runner/schedule"
)

// runFlags are the flags of plan and apply.
type runFlags struct {
	output  outputFlags
	log     logFlags
	limits  limitFlags
	metrics metricsFlags

	selection     selection
	allowDirs     []string
	maxChanges    runner.Limit
	timeout       time.Duration
	noVerify      bool
	yes           bool
	failFast      bool
	showUnmanaged bool
	progress      string

	checksum    string        // apply
	dryRun      bool          // apply
	lockTimeout time.Duration // apply
	detailed    bool          // plan
}

// addSelection adds the flags that choose what a run is about.
func (f *runFlags) addSelection(set *pflag.FlagSet) {
	f.selection.add(set)
	addSandbox(set, &f.limits.sandbox)
	option.AddList(set, &f.allowDirs, "allow-file", "directory", "also let {file: ...} refer to files below this directory", option.Path("a directory"))
}

// addSafety adds the flags that refuse or end a run.
func (f *runFlags) addSafety(set *pflag.FlagSet) {
	option.Add(set, &f.maxChanges, "max-changes", "N|P%", "", "refuse the whole run, before writing, if more sources than this would change: a number, or a share of the selected ones", limit)
	set.BoolVar(&f.failFast, "fail-fast", false, "stop at the first source that fails: what is in flight is read back, the rest skipped")
}

// addOutput adds the flags that say what is printed and kept of a run.
func (f *runFlags) addOutput(set *pflag.FlagSet) {
	f.output.add(set)
	f.metrics.add(set)
	f.output.addQuiet(set)
	set.BoolVar(&f.showUnmanaged, "show-unmanaged", false, "also list the portal's sources that no manifest declares")
	option.AddChoice(set, &f.progress, "progress", "", "when", "progress bar on standard error: auto (on a terminal), always or never", "auto", "always", "never")
	f.output.addColor(set)
	f.log.add(set)
}

// addLimits adds the flags that say how hard the portal may be pressed, and
// for how long.
func (f *runFlags) addLimits(set *pflag.FlagSet) {
	option.Add(set, &f.timeout, "timeout", "duration", "30m", "time limit of the whole run; when it is over, what is in flight is settled and the rest skipped", option.Duration)
	f.limits.add(set)
}

// check refuses, before anything is read or sent, flags that contradict each
// other and places where nothing could be written.
func (f *runFlags) check(in inputs) error {
	return cmp.Or(f.output.check(in), f.metrics.check(in))
}

// asks reports whether an apply asks before it writes: not where somebody has
// answered already, or has seen the plan, nor where nothing can be damaged.
func (f *runFlags) asks() bool {
	return !f.yes && f.checksum == "" && f.limits.sandbox == ""
}

// limit parses the value of --max-changes.
func limit(text string) (runner.Limit, error) {
	l, err := runner.ParseLimit(text)
	if err != nil || text == "" {
		return runner.Limit{}, fmt.Errorf("must be a number, like 10, or a share, like 5%%")
	}
	return l, nil
}

// checksum refuses the empty text, which would accept any change where a
// script lost the checksum on its way.
func checksum(text string) (string, error) {
	if text = strings.TrimSpace(text); text == "" {
		return "", fmt.Errorf("must be a checksum as plan prints it")
	}
	return text, nil
}

// addSandbox adds the flag that puts a stand-in portal in the place of the
// real one.
func addSandbox(set *pflag.FlagSet, target *string) {
	option.Add(set, target, "sandbox", "file", "", "run against an in-process stand-in portal seeded from this state file; needs no credentials", option.Path("a state file"))
}

// limitFlags say how hard the portal may be pressed, or that a sandbox stands
// in for it.
type limitFlags struct {
	sandbox        string
	concurrency    int
	batchSize      int
	tariff         string
	rate           float64
	burst          int
	operatingLimit time.Duration
	requestTime    time.Duration
}

func (l *limitFlags) add(set *pflag.FlagSet) {
	option.Add(set, &l.concurrency, "concurrency", "N", "16", "maximum requests in flight; fewer while the portal is slow", option.Integer(1, math.MaxInt))
	option.Add(set, &l.batchSize, "batch-size", "N", "50", "maximum commands per batch, up to 50", option.Integer(1, bitrix.MaxBatch))
	option.AddChoice(set, &l.tariff, "tariff", "", "name", "the portal's rate limit by its tariff: standard (2 a second, burst 50) or enterprise (5, 250)", "standard", "enterprise")
	option.Add(set, &l.rate, "rate", "R", "", "requests a second that the portal allows, instead of the tariff's", option.Rate)
	option.Add(set, &l.burst, "burst", "B", "", "requests that the portal allows at once, instead of the tariff's", option.Integer(1, math.MaxInt))
	option.Add(set, &l.operatingLimit, "operating-limit", "duration", "480s", "execution time that the portal allows each method in ten minutes, 0 for no limit", option.DurationOrZero)
	option.Add(set, &l.requestTime, "request-time", "duration", "60s", "time after which the portal cuts a request off", option.Duration)
}

// schedule translates the flags.
func (l *limitFlags) schedule() schedule.Config {
	conf := schedule.Config{
		Rate: 2, Burst: 50,
		Concurrency: l.concurrency, BatchSize: l.batchSize,
		RequestTime: l.requestTime, OperatingLimit: l.operatingLimit,
	}
	if l.tariff == "enterprise" {
		conf.Rate, conf.Burst = 5, 250
	}
	if l.rate > 0 {
		conf.Rate = l.rate
	}
	if l.burst > 0 {
		conf.Burst = l.burst
	}
	if l.operatingLimit == 0 {
		conf.OperatingLimit = -1 // none
	}
	return conf
}
