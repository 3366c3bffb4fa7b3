package option

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// helpColumns is how wide help is written.
const helpColumns = 100

// groupAnnotation marks a flag with the group that help shows it in.
const groupAnnotation = "group"

// Groups are the groups of help, in their order. Flags of no group follow
// them.
const (
	Selection = "Selection"
	Safety    = "Safety"
	Output    = "Output"
	Limits    = "Limits"
)

var groups = []string{Selection, Safety, Output, Limits, ""}

// AddGroup calls add with a set of its own, and adds its flags to set as those
// of a group.
func AddGroup(set *pflag.FlagSet, group string, add func(*pflag.FlagSet)) {
	own := pflag.NewFlagSet("", pflag.ContinueOnError)
	own.SortFlags, set.SortFlags = false, false // help has the important ones first
	add(own)
	own.VisitAll(func(f *pflag.Flag) { f.Annotations = map[string][]string{groupAnnotation: {group}} })
	set.AddFlagSet(own)
}

// Help lets the help of all commands show their flags by group, and wraps what
// it says of each.
func Help(root *cobra.Command) {
	const flags = "Flags:\n{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}"
	template, show := root.UsageTemplate(), root.HelpFunc()
	root.SetHelpFunc(func(c *cobra.Command, args []string) {
		c.SetUsageTemplate(strings.Replace(template, flags, strings.ReplaceAll(groupedUsage(c), "{{", "{ {"), 1))
		show(c, args)
	})
}

// groupedUsage describes the flags of a command, group by group.
func groupedUsage(c *cobra.Command) string {
	byGroup := map[string]*pflag.FlagSet{}
	c.LocalFlags().VisitAll(func(f *pflag.Flag) {
		group := ""
		if a := f.Annotations[groupAnnotation]; len(a) > 0 {
			group = a[0]
		}
		if byGroup[group] == nil {
			byGroup[group] = pflag.NewFlagSet("", pflag.ContinueOnError)
			byGroup[group].SortFlags = false
		}
		byGroup[group].AddFlag(f)
	})
	var parts []string
	for _, group := range groups {
		set := byGroup[group]
		if set == nil {
			continue
		}
		title := "Flags:\n"
		switch {
		case group != "":
			title = group + ":\n"
		case len(byGroup) > 1:
			title = "Other flags:\n"
		}
		parts = append(parts, title+strings.TrimRight(set.FlagUsagesWrapped(helpColumns), " \n"))
	}
	return strings.Join(parts, "\n\n")
}

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
