package main

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"syncsources/cmd/syncsources/option"
)

// newPlan builds the command that shows what apply would do.
func newPlan(a *app) *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "plan PATH...",
		Short: "Show what apply would change, without changing it",
		Long: `Read the live connectors, sources and tables and print how they differ from the
manifests: what apply would create, update and, with --prune, remove. Nothing is
written: the client of a plan has no method that writes.

The checksum that it prints can be given to apply --checksum, which then
refuses any other changes.

With --portals it plans for every portal of a file, with the manifests and
credentials that the file names.

` + credentialsHelp,
		Example: `  syncsources plan manifests/
  syncsources plan --target crm -o json manifests/
  syncsources plan --sandbox examples/sandbox.yaml examples/fleet.yaml`,
		RunE: func(cmd *cobra.Command, paths []string) error {
			return a.planOrApply(cmd, "plan", &f, paths)
		},
	}
	set := cmd.Flags()
	option.AddGroup(set, option.Selection, f.addSelection)
	option.AddGroup(set, option.Safety, f.addSafety)
	option.AddGroup(set, option.Output, func(set *pflag.FlagSet) {
		f.addOutput(set)
		set.BoolVar(&f.detailed, "detailed-exitcode", false, "exit with 2 if there are changes and no failure")
	})
	option.AddGroup(set, option.Limits, func(set *pflag.FlagSet) {
		f.addLimits(set)
		option.Add(set, &f.planLockTimeout, "lock-timeout", "DURATION", "0", "how long to wait for an apply against the same portal to end before reading, 0 for not at all; it counts towards --timeout", option.DurationOrZero)
	})
	return cmd
}
