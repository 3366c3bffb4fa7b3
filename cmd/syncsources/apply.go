package main

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"syncsources/cmd/syncsources/option"
)

// credentialsHelp names the variables of credentials in the help of plan and
// apply.
const credentialsHelp = `Credentials come from the environment:
  B24_PORTAL_URL, B24_ACCESS_TOKEN        an application, with a token that you keep fresh
  B24_PORTAL_URL, B24_CLIENT_ID,          an application whose token pair is renewed
    B24_CLIENT_SECRET, B24_TOKEN_FILE       (the command login gets the first one)
    or B24_TOKEN_HELPER                     or SYNCSOURCES_STORE for several machines
  B24_WEBHOOK_URL                         an inbound webhook
Secret ones can be read from files: B24_ACCESS_TOKEN_FILE and so on. status checks
them.`

// newApply builds the command that brings the portal to the declared state.
func newApply(a *app) *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "apply PATH...",
		Short: "Create and update what differs, read it back, and report",
		Long: `Read the live connectors, sources and tables, create those that are missing,
update those that differ from the manifests and, with --prune, remove what is not
declared. Each is read back: it counts as done only when the portal shows it. One
object that fails stops only those that depend on it.

On a terminal it shows the plan and asks before it writes anything; see --yes.
What is applied is what was shown.

One apply runs against a portal at a time: on one host, or on all that share a
store; see --lock-timeout.

With --portals it applies to every portal of a file, side by side.

` + credentialsHelp,
		Example: `  syncsources apply manifests/
  syncsources apply --max-changes 10% --report report.xml manifests/
  syncsources apply --sandbox examples/sandbox.yaml examples/fleet.yaml`,
		RunE: func(cmd *cobra.Command, paths []string) error {
			command := "apply"
			if f.dryRun {
				command = "plan"
			}
			return a.planOrApply(cmd, command, &f, paths)
		},
	}
	set := cmd.Flags()
	option.AddGroup(set, option.Selection, f.addSelection)
	option.AddGroup(set, option.Safety, func(set *pflag.FlagSet) {
		set.BoolVar(&f.dryRun, "dry-run", false, "plan only: show what differs, and write nothing")
		set.BoolVar(&f.yes, "yes", false, "do not ask on a terminal before anything is written")
		f.addSafety(set)
		set.BoolVar(&f.noVerify, "no-verify", false, "trust the portal's answers instead of reading back")
	})
	option.AddGroup(set, option.Output, f.addOutput)
	option.AddGroup(set, option.Limits, func(set *pflag.FlagSet) {
		f.addLimits(set)
		option.Add(set, &f.lockTimeout, "lock-timeout", "DURATION", "10s", "how long to wait for another apply against the same portal to end; it counts towards --timeout", option.DurationOrZero)
	})
	return cmd
}
