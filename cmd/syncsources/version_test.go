package main

import (
	"runtime"
	"runtime/debug"
	"testing"
)

func TestVersionLine(t *testing.T) {
	platform := " " + runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH
	commit := debug.BuildSetting{Key: "vcs.revision", Value: "0123456789abcdef0123"}
	for want, info := range map[string]*debug.BuildInfo{
		"syncsources v1.2.3":                                  {Main: debug.Module{Version: "v1.2.3"}},
		"syncsources v1.2.3 (commit 0123456789ab)":            {Main: debug.Module{Version: "v1.2.3"}, Settings: []debug.BuildSetting{commit, {Key: "vcs.modified", Value: "false"}}},
		"syncsources (devel) (commit 0123456789ab, modified)": {Settings: []debug.BuildSetting{commit, {Key: "vcs.modified", Value: "true"}}},
		"syncsources (devel)":                                 nil,
	} {
		if got := versionLine(info, info != nil); got != want+platform {
			t.Errorf("%q, want %q", got, want+platform)
		}
	}
}
