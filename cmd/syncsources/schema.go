package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"syncsources/cmd/syncsources/exit"
	"syncsources/cmd/syncsources/option"
	"syncsources/schema"
)

// newSchema builds the command that prints a JSON Schema.
func newSchema(a *app) *cobra.Command {
	documents := []string{"sources", "report"}
	return &cobra.Command{
		Use:   "schema [sources|report]",
		Short: "Print the JSON Schema of manifests, or of reports",
		Long: `Print a JSON Schema (draft-07): of manifests (sources, the default), or of the
JSON report. Editors complete and check a manifest that begins with

  # yaml-language-server: $schema=sources.schema.json`,
		Example:   "  syncsources schema > sources.schema.json",
		ValidArgs: documents,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return noArguments(cmd, args[1:])
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			document := schema.Sources()
			if len(args) == 1 {
				switch args[0] {
				case "sources":
				case "report":
					document = schema.Report()
				default:
					return exit.Refuse(exit.CodeCommandLine, fmt.Sprintf("unknown schema %q", args[0]), didYouMean(args[0], documents, "there are "+option.Enumerate(documents, "or")))
				}
			}
			if _, err := a.stdout.Write(document); err != nil {
				return exit.Unwritten(err)
			}
			return nil
		},
	}
}
