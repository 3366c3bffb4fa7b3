package option

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Complete adds the command that prints completion scripts, and what the scripts
// ask for: the words of choices, and files with the endings that a flag takes.
func Complete(root *cobra.Command, endings map[string][]string) {
	root.InitDefaultCompletionCmd("completion")
	VisitCommands(root, func(c *cobra.Command) {
		if c.Name() == "completion" { // without this, an unknown shell would print help and exit with 0
			c.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if v, ok := f.Value.(*value[string]); ok && v.words != nil {
				_ = c.RegisterFlagCompletionFunc(f.Name, cobra.FixedCompletions(v.words, cobra.ShellCompDirectiveNoFileComp))
			}
			if e := endings[f.Name]; e != nil {
				_ = c.MarkFlagFilename(f.Name, e...)
			}
		})
	})
}
