package main

import (
	"github.com/spf13/cobra"
)

// newPlan builds the command that shows what apply would do.
func newPlan(a *app) *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "plan PATH...",
		Short: "Show what apply would change, without changing it",
		Long: `Read the live sources and print how they differ from the manifests. Nothing is
written: the client of a plan has no method that writes.

The checksum that it prints can be given to apply --checksum, which then
refuses any other changes.`,
		Example: `  syncsources plan manifests/
  syncsources plan --target crm -o json manifests/
  syncsources plan --sandbox examples/sandbox.yaml examples/fleet.yaml`,
		Args: atLeastOnePath,
		RunE: func(cmd *cobra.Command, paths []string) error {
			return a.execute(cmd.Context(), "plan", &f, paths)
		},
	}
	set := cmd.Flags()
	f.add(set)
	set.BoolVar(&f.noVerify, "no-verify", false, "for apply --no-verify's sake: a plan has nothing to read back")
	set.BoolVar(&f.detailed, "detailed-exitcode", false, "exit with 2 where there are changes and no failure")
	return cmd
}
