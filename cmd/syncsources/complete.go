package main

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// addCompletion adds the command that prints completion scripts, and tells the
// scripts what the values of flags can be.
func addCompletion(root *cobra.Command) {
	root.InitDefaultCompletionCmd("completion")
	visitCommands(root, func(c *cobra.Command) {
		if c.Name() == "completion" { // without this, a shell it does not know would be no mistake
			c.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if v, ok := f.Value.(*flagValue[string]); ok && v.words != nil {
				_ = c.RegisterFlagCompletionFunc(f.Name, cobra.FixedCompletions(v.words, cobra.ShellCompDirectiveNoFileComp))
			}
		})
		for flag, endings := range map[string][]string{
			"report": {"json", "md", "xml"}, "sandbox": {"yaml", "yml"}, "state": {"yaml", "yml"}, "metrics-file": {"prom"},
		} {
			if c.Flags().Lookup(flag) != nil {
				_ = c.MarkFlagFilename(flag, endings...)
			}
		}
	})
}
