package main

import (
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"syncsources/cmd/syncsources/option"
	"syncsources/manifest"
)

// addCompletion adds the command that prints completion scripts, and what the
// scripts ask for: the words of flags, files by their endings, the objects that
// the manifests on the command line declare.
func addCompletion(root *cobra.Command) {
	option.Complete(root, map[string][]string{
		"report": {"json", "md", "xml", "html"}, "sandbox": {"yaml", "yml"}, "portals": {"yaml", "yml"}, "state": {"yaml", "yml"}, "metrics-file": {"prom"},
	})
	option.VisitCommands(root, func(c *cobra.Command) {
		if c.Flags().Lookup("portal") != nil {
			_ = c.RegisterFlagCompletionFunc("portal", completePortals)
		}
		if c.Flags().Lookup("target") == nil {
			return
		}
		_ = c.RegisterFlagCompletionFunc("target", completeDeclared(func(o manifest.Object) []string {
			if o.ID == 0 || o.Name == "#"+strconv.FormatInt(o.ID, 10) {
				return []string{o.Name}
			}
			return []string{o.Name, strconv.FormatInt(o.ID, 10)}
		}))
		_ = c.RegisterFlagCompletionFunc("file", completeDeclared(func(o manifest.Object) []string { return []string{o.Position.File} }))
	})
}

// completePortals completes with the names of the portals in the file of
// --portals.
func completePortals(cmd *cobra.Command, _ []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
	file, _, err := manifest.LoadPortals(cmd.Flag("portals").Value.String(), manifest.PortalsOptions{Host: portalHost})
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var found []string
	for _, p := range file.Portals {
		if strings.HasPrefix(p.Name, begun) && !strings.ContainsAny(p.Name, "\n\r\t") {
			found = append(found, p.Name)
		}
	}
	return found, cobra.ShellCompDirectiveNoFileComp
}

// completeDeclared completes with words made of what the manifests that are
// on the command line so far declare. They are read, and nothing else is.
func completeDeclared(words func(manifest.Object) []string) cobra.CompletionFunc {
	return func(_ *cobra.Command, paths []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
		paths = slices.DeleteFunc(slices.Clone(paths), func(p string) bool { return p == "-" })
		set, _, _ := manifest.Load(paths, manifest.Options{}) // what can be read is better than nothing
		var found []string
		for _, o := range declared(set) {
			for _, w := range words(o) {
				if strings.HasPrefix(w, begun) && !strings.ContainsAny(w, "\n\r\t") {
					found = append(found, w)
				}
			}
		}
		slices.Sort(found)
		return slices.Compact(found), cobra.ShellCompDirectiveNoFileComp
	}
}
