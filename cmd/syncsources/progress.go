package main

import (
	"io"
	"os"

	"golang.org/x/term"

	"syncsources/runner"
	"syncsources/runner/render"
)

// progress begins to show on standard error how far a run is, where --progress
// says so. It returns what to tell about the run, where to write log lines
// meanwhile, and what ends it.
func (a *app) progress(when string) (show func(runner.Progress), log io.Writer, end func()) {
	if when == "never" || when == "auto" && (!isTerminal(a.stderr) || a.env.get("TERM") == "dumb") {
		return nil, a.stderr, func() {}
	}
	bar := render.NewProgress(a.stderr, func() int { return width(a.stderr) })
	return bar.Update, bar.Writer(), bar.Close
}

// width is how many columns a terminal has, 80 where nobody knows.
func width(stream any) int {
	if f, ok := stream.(*os.File); ok {
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil && columns > 0 {
			return columns
		}
	}
	return 80
}
