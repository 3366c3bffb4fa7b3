package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"syncsources/cmd/syncsources/exit"
)

// newVersion builds the command that prints which build this is.
func newVersion(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Long:  "Print the version, the commit it was built from, the version of Go, and the platform.",
		Args:  noArguments,
		RunE: func(*cobra.Command, []string) error {
			if _, err := fmt.Fprintln(a.stdout, versionLine(debug.ReadBuildInfo())); err != nil {
				return exit.Unwritten(err)
			}
			return nil
		},
	}
}

// versionLine describes a build by what the toolchain recorded in it: the
// module's version, and the commit where it was built from a checkout.
func versionLine(info *debug.BuildInfo, ok bool) string {
	version, commit := "(devel)", ""
	if ok {
		if info.Main.Version != "" {
			version = info.Main.Version
		}
		modified := ""
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				commit = s.Value
			case "vcs.modified":
				if s.Value == "true" {
					modified = ", modified"
				}
			}
		}
		if commit != "" {
			commit = " (commit " + commit[:min(12, len(commit))] + modified + ")"
		}
	}
	return fmt.Sprintf("syncsources %s%s %s %s/%s", version, commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// userAgent names the program and its version to portals.
func userAgent() string {
	if info, ok := debug.ReadBuildInfo(); ok && strings.HasPrefix(info.Main.Version, "v") {
		return "syncsources/" + info.Main.Version
	}
	return "syncsources"
}
