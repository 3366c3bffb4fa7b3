package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"syncsources/cmd/syncsources/exit"
	"syncsources/runner"
	"syncsources/runner/render"
	"syncsources/runner/render/clean"
)

// printFailure writes a failure to standard error: lines for people, or, with
// --log-format json, one object a line. log may be nil.
func (a *app) printFailure(f *exit.Failure, log *logFlags) {
	a.printFindings(runner.Invalid("", f.Findings).Findings, true, log)
	if log.machine() {
		log.logger(a.stderr, false).Error(f.Message, "code", f.Code, "hint", strings.Join(f.Hints, "; "))
		return
	}
	_, _ = fmt.Fprintf(a.stderr, "error: %s\n", clean.Lines(f.Message))
	for _, line := range f.Hints {
		_, _ = fmt.Fprintf(a.stderr, "hint: %s\n", clean.Lines(line))
	}
}

// warn writes a warning to standard error, in the form that log asks for.
func (a *app) warn(message string, log *logFlags) { a.say(slog.LevelWarn, "warning", message, log) }

// hint writes a hint to standard error, in the form that log asks for.
func (a *app) hint(text string, log *logFlags) { a.say(slog.LevelInfo, "hint", text, log) }

func (a *app) say(level slog.Level, word, text string, log *logFlags) {
	if log.machine() {
		log.logger(a.stderr, false).Log(context.Background(), level, text)
		return
	}
	_, _ = fmt.Fprintf(a.stderr, "%s: %s\n", word, clean.Lines(text))
}

// printFindings writes what is wrong with files.
func (a *app) printFindings(findings []runner.Finding, noColor bool, log *logFlags) {
	if !log.machine() {
		_ = render.Findings(a.stderr, findings, render.Options{Color: a.env.Colored(noColor, a.stderr)})
		return
	}
	logger := log.logger(a.stderr, false)
	for _, f := range findings {
		logger.Error(f.Message, "file", f.File, "line", f.Line, "column", f.Column, "rule", f.Rule, "hint", strings.Join(f.Hints, "; "))
	}
}

// printRunError writes why a run as a whole ended early.
func (a *app) printRunError(run render.Run, noColor bool, log *logFlags) {
	if f := run.Failure(); f != nil && log.machine() {
		log.logger(a.stderr, false).Error(f.Message, "code", f.Code, "hint", f.Hint)
		return
	}
	_ = render.RunError(a.stderr, run, render.Options{Color: a.env.Colored(noColor, a.stderr)})
}
