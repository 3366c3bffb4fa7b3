package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"syncsources/cmd/syncsources/exit"
	"syncsources/cmd/syncsources/option"
	"syncsources/schema"
)

// schemas are the documents that the command schema prints, the default first.
var schemas = []struct {
	name     string
	document func() []byte
}{
	{"sources", schema.Sources},
	{"portals", schema.Portals},
	{"report", schema.Report},
	{"portals-report", schema.PortalsReport},
}

// newSchema builds the command that prints a JSON Schema.
func newSchema(a *app) *cobra.Command {
	var names []string
	for _, s := range schemas {
		names = append(names, s.name)
	}
	return &cobra.Command{
		Use:   "schema [sources|portals|report|portals-report]",
		Short: "Print the JSON Schema of manifests, portals files or reports",
		Long: `Print a JSON Schema (draft-07): of manifests (sources, the default), of portals
files, or of the JSON reports of one portal and of many. Editors complete and
explain a manifest that begins with

  # yaml-language-server: $schema=sources.schema.json`,
		Example:   "  syncsources schema > sources.schema.json\n  syncsources schema portals > portals.schema.json",
		ValidArgs: names,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return noArguments(cmd, args[1:])
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			wanted := append(args, names[0])[0]
			for _, s := range schemas {
				if s.name != wanted {
					continue
				}
				if _, err := a.stdout.Write(s.document()); err != nil {
					return exit.Unwritten(err)
				}
				return nil
			}
			return exit.Refuse(exit.CodeCommandLine, fmt.Sprintf("unknown schema %q", wanted), didYouMean(wanted, names, "the schemas are "+option.Enumerate(names, "and")))
		},
	}
}
