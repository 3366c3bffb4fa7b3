package main

import (
	"io"

	"syncsources/cmd/syncsources/option"
	"syncsources/runner"
	"syncsources/runner/render"
)

// progress begins to show on standard error how far a run is, where --progress
// says so. It returns what to tell about the run, where to write log lines
// meanwhile, and what ends it.
func (a *app) progress(when string) (show func(runner.Progress), log io.Writer, end func()) {
	if when == "never" || when == "auto" && (!option.IsTerminal(a.stderr) || a.env.Get("TERM") == "dumb") {
		return nil, a.stderr, func() {}
	}
	bar := render.NewProgress(a.stderr, func() int { return option.Width(a.stderr) })
	return bar.Update, bar.Writer(), bar.Close
}
