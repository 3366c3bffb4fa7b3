package main

import (
	"fmt"
	"math"
	"time"

	"github.com/spf13/pflag"

	"syncsources/bitrix"
	"syncsources/runner"
	"syncsources/runner/schedule"
)

// runFlags are the flags of plan and apply.
type runFlags struct {
	outputFlags
	logFlags
	portalFlags
	metricsFlags

	targets       []string
	allowDirs     []string
	maxChanges    runner.Limit
	timeout       time.Duration
	noVerify      bool
	failFast      bool
	showUnmanaged bool
	progress      string

	checksum    string        // apply
	dryRun      bool          // apply
	lockTimeout time.Duration // apply
	detailed    bool          // plan
}

func (f *runFlags) add(set *pflag.FlagSet) {
	f.outputFlags.add(set)
	f.outputFlags.addQuiet(set)
	f.outputFlags.addColor(set)
	f.logFlags.add(set)
	f.portalFlags.add(set)
	f.metricsFlags.add(set)
	set.StringArrayVar(&f.targets, "target", nil, "only the source with this `name or id` (repeatable)")
	set.Var(&listValue[string]{&f.allowDirs, "directory", pathTo("a directory")}, "allow-file", "also let {file: ...} refer to files below this directory (repeatable)")
	addFlag(set, &f.maxChanges, "max-changes", "N|P%", "", "refuse the whole run, before writing, if more sources than this would change: a number, or a share of the targeted ones", limit)
	addFlag(set, &f.timeout, "timeout", "duration", "30m", "time limit of the whole run; when it is over, what is in flight is settled and the rest skipped", duration)
	set.BoolVar(&f.failFast, "fail-fast", false, "stop at the first source that fails: what is in flight is read back, the rest skipped")
	set.BoolVar(&f.showUnmanaged, "show-unmanaged", false, "also list the portal's sources that no manifest declares")
	addChoice(set, &f.progress, "progress", "when", "auto", "progress bar on standard error: auto (on a terminal), always or never", "auto", "always", "never")
}

// limit parses the value of --max-changes.
func limit(text string) (runner.Limit, error) {
	l, err := runner.ParseLimit(text)
	if err != nil || text == "" {
		return runner.Limit{}, fmt.Errorf("must be a number of changes, like 10, or a share of the sources, like 5%%")
	}
	return l, nil
}

// pathTo refuses the empty text: a script that lost a path on its way must not
// run against the real portal for want of a sandbox, nor open the working
// directory to manifests.
func pathTo(what string) func(string) (string, error) {
	return func(text string) (string, error) {
		if text == "" {
			return "", fmt.Errorf("must be the path of %s", what)
		}
		return text, nil
	}
}

// portalFlags say how hard the portal may be pressed, or that a sandbox
// stands in for it.
type portalFlags struct {
	sandbox        string
	concurrency    int
	batchSize      int
	tariff         string
	rate           float64
	burst          int
	operatingLimit time.Duration
	requestTime    time.Duration
}

func (p *portalFlags) add(set *pflag.FlagSet) {
	addFlag(set, &p.sandbox, "sandbox", "file", "", "run against an in-process stand-in portal seeded from this state file; needs no credentials", pathTo("a state file"))
	addFlag(set, &p.concurrency, "concurrency", "N", "16", "most requests in flight; fewer while the portal is slow", integer(math.MaxInt))
	addFlag(set, &p.batchSize, "batch-size", "N", "50", "most commands in a batch, 50 at most", integer(bitrix.MaxBatch))
	addChoice(set, &p.tariff, "tariff", "name", "standard", "the portal's rate limit by its tariff: standard (2 a second, burst 50) or enterprise (5, 250)", "standard", "enterprise")
	addFlag(set, &p.rate, "rate", "R", "", "requests a second that the portal allows, instead of the tariff's", rate)
	addFlag(set, &p.burst, "burst", "B", "", "requests that the portal allows at once, instead of the tariff's", integer(math.MaxInt))
	addFlag(set, &p.operatingLimit, "operating-limit", "duration", "480s", "execution time that the portal allows each method in ten minutes, 0 for no limit", durationOrZero)
	addFlag(set, &p.requestTime, "request-time", "duration", "60s", "time after which the portal cuts a request off", duration)
}

// schedule translates the flags.
func (p *portalFlags) schedule() schedule.Config {
	conf := schedule.Config{
		Rate: 2, Burst: 50,
		Concurrency: p.concurrency, BatchSize: p.batchSize,
		RequestTime: p.requestTime, OperatingLimit: p.operatingLimit,
	}
	if p.tariff == "enterprise" {
		conf.Rate, conf.Burst = 5, 250
	}
	if p.rate > 0 {
		conf.Rate = p.rate
	}
	if p.burst > 0 {
		conf.Burst = p.burst
	}
	if p.operatingLimit == 0 {
		conf.OperatingLimit = -1 // none
	}
	return conf
}
