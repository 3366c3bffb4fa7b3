package main

import (
	"github.com/spf13/cobra"

	"syncsources/runner/render"
)

// addCompletion adds the command that prints completion scripts, and tells the
// scripts what the values of flags can be.
func addCompletion(root *cobra.Command) {
	root.InitDefaultCompletionCmd("completion")
	visitCommands(root, func(c *cobra.Command) {
		if c.Name() == "completion" { // without this, a shell it does not know would be no mistake
			c.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		}
		for flag, words := range map[string][]string{
			"output": render.Forms(), "tariff": {"standard", "enterprise"}, "progress": {"auto", "always", "never"},
			"log-level": {"debug", "info", "warn", "error"}, "log-format": {"text", "json"},
		} {
			if c.Flags().Lookup(flag) != nil {
				_ = c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
			}
		}
		for flag, endings := range map[string][]string{
			"report": {"json", "md", "xml"}, "sandbox": {"yaml", "yml"}, "state": {"yaml", "yml"}, "metrics-file": {"prom"},
		} {
			if c.Flags().Lookup(flag) != nil {
				_ = c.MarkFlagFilename(flag, endings...)
			}
		}
	})
}
