package main

import (
	"github.com/spf13/cobra"
)

// newApply builds the command that brings the portal to the declared state.
func newApply(a *app) *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "apply PATH...",
		Short: "Update what differs, read it back, and report",
		Long: `Read the live sources, update those that differ from the manifests, and read
them back: a source counts as updated only when the portal shows what is
declared. One source that fails does not stop the others.

One apply runs against a portal at a time on one host; see --lock-timeout.`,
		Example: `  syncsources apply manifests/
  syncsources apply --max-changes 10% --report report.xml manifests/
  syncsources apply --sandbox examples/sandbox.yaml examples/fleet.yaml`,
		Args: atLeastOnePath,
		RunE: func(cmd *cobra.Command, paths []string) error {
			command := "apply"
			if f.dryRun {
				command = "plan"
			}
			return a.execute(cmd.Context(), command, &f, paths)
		},
	}
	set := cmd.Flags()
	f.add(set)
	set.BoolVar(&f.noVerify, "no-verify", false, "trust the portal's answers and do not read back")
	set.BoolVar(&f.dryRun, "dry-run", false, "plan only: show what differs, and write nothing")
	addFlag(set, &f.checksum, "checksum", "sum", "", "refuse changes other than those of the plan that printed this checksum", checkChecksum)
	addFlag(set, &f.lockTimeout, "lock-timeout", "duration", "10s", "how long to wait for another apply against the same portal on this host to end; --timeout goes on meanwhile", durationOrZero)
	return cmd
}
