package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"syncsources/cmd/syncsources/exit"
	"syncsources/cmd/syncsources/option"
	"syncsources/runner"
)

type runFlags struct {
	output  outputFlags
	log     logFlags
	limits  limits
	metrics metricsFlags

	selection     selection
	portals       portalsFlags
	sandbox       string
	allowDirs     []string
	prune         bool
	maxChanges    runner.Limit
	maxDeletes    runner.Limit
	timeout       time.Duration
	noVerify      bool
	yes           bool
	failFast      bool
	showUnmanaged bool
	progress      string

	checksum        string
	dryRun          bool          // apply
	lockTimeout     time.Duration // apply
	planLockTimeout time.Duration // plan; 0: it takes no lock
	detailed        bool          // plan
}

// addSelection adds the flags that choose what a run is about.
func (f *runFlags) addSelection(set *pflag.FlagSet) {
	f.selection.add(set)
	f.portals.add(set)
	addSandbox(set, &f.sandbox)
	addAllowFile(set, &f.allowDirs)
}

// addSafety adds the flags that refuse or end a run.
func (f *runFlags) addSafety(set *pflag.FlagSet) {
	set.BoolVar(&f.prune, "prune", false, "also remove what the portal has and the manifests do not declare, of the kinds that they list; the plan shows each")
	option.Add(set, &f.maxDeletes, "max-deletes", "N|P%", "10", "refuse the whole run, before writing, if more than this would be removed, columns and connector settings included: a number, or a share of the live objects of the kinds pruned", limit)
	option.Add(set, &f.maxChanges, "max-changes", "N|P%", "", "refuse the whole run, before writing, if more objects than this would change: a number, or a share of the selected ones", limit)
	set.BoolVar(&f.failFast, "fail-fast", false, "stop at the first object that fails: what is in flight is read back, the rest skipped")
	option.Add(set, &f.checksum, "checksum", "SUM", "", "refuse changes other than those of the plan that printed this checksum", checksum)
}

// addOutput adds the flags that say what is printed and kept of a run.
func (f *runFlags) addOutput(set *pflag.FlagSet) {
	f.output.add(set)
	f.metrics.add(set)
	f.output.addQuiet(set)
	set.BoolVar(&f.showUnmanaged, "show-unmanaged", false, "also list the portal's objects that no manifest declares")
	option.AddChoice(set, &f.progress, "progress", "", "WHEN", "progress bar on standard error: auto (on a terminal), always or never", "auto", "always", "never")
	f.output.addColor(set)
	f.log.add(set)
}

// addLimits adds the flags that say how hard the portal may be pressed, and
// for how long.
func (f *runFlags) addLimits(set *pflag.FlagSet) {
	option.Add(set, &f.timeout, "timeout", "DURATION", "30m", "time limit of the whole run; when it is over, what is in flight is settled and the rest skipped", option.Duration)
	f.portals.addParallel(set)
	f.limits.add(set)
}

// check refuses, before anything is read or sent, flags that contradict each
// other and places where nothing could be written.
func (f *runFlags) check(in inputs) error {
	if f.prune && !f.selection.empty() {
		return exit.Refuse(exit.CodeCommandLine, "--prune cannot be combined with --target or --file", "pruning is about the whole portal")
	}
	return cmp.Or(f.output.check(in), f.metrics.check(in, f.output.reports))
}

// asks reports whether an apply asks before it writes: not where somebody has
// answered already, or has seen the plan, nor where nothing can be damaged.
func (f *runFlags) asks() bool {
	return !f.yes && f.checksum == "" && f.sandbox == ""
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

// addAllowFile adds the flag that lets manifests refer to files elsewhere. A
// directory that is not there is a mistake: nothing would be allowed by it.
func addAllowFile(set *pflag.FlagSet, target *[]string) {
	option.AddList(set, target, "allow-file", "DIR", "also let {file: ...} refer to files below this directory", func(text string) (string, error) {
		if info, err := os.Stat(text); text == "" || err != nil || !info.IsDir() {
			return "", errors.New("must be the path of a directory")
		}
		return text, nil
	})
}

// addSandbox adds the flag that puts a stand-in portal in the place of the
// real one.
func addSandbox(set *pflag.FlagSet, target *string) {
	option.Add(set, target, "sandbox", "FILE", "", "run against the sandbox, in memory, seeded from this state file; needs no credentials", option.Path("a state file"))
}
