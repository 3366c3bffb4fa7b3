package main

import (
	"fmt"
	"log/slog"
	"regexp"
	"strconv"
	"strings"

	"syncsources/cmd/syncsources/exit"
	"syncsources/manifest"
	"syncsources/runner"
	"syncsources/runner/render"
)

// printFailure writes a failure to standard error: lines for people, or, with
// --log-format json, one object a line. log may be nil.
func (a *app) printFailure(f *exit.Failure, log *logFlags) {
	a.printFindings(f.Findings, log)
	if log.machine() {
		log.logger(a.stderr, false).Error(f.Message, "code", f.Code, "hint", strings.Join(f.Hints, "; "))
		return
	}
	_, _ = fmt.Fprintf(a.stderr, "error: %s\n", printable(f.Message))
	for _, line := range f.Hints {
		_, _ = fmt.Fprintf(a.stderr, "hint: %s\n", printable(line))
	}
}

// warn writes a warning to standard error, in the form that log asks for.
func (a *app) warn(message string, log *logFlags) {
	if log.machine() {
		log.logger(a.stderr, false).Warn(message)
		return
	}
	_, _ = fmt.Fprintf(a.stderr, "warning: %s\n", printable(message))
}

// printFindings writes what is wrong with manifests.
func (a *app) printFindings(findings []*manifest.Finding, log *logFlags) {
	var logger *slog.Logger
	if log.machine() {
		logger = log.logger(a.stderr, false)
	}
	for _, f := range findings {
		if logger != nil {
			logger.Error(f.Message, "file", f.Position.File, "line", f.Position.Line, "column", f.Position.Column, "rule", f.Rule, "hint", strings.Join(f.Advice, "; "))
			continue
		}
		_, _ = fmt.Fprintln(a.stderr, defused(f.Detail()))
	}
}

// printRunError writes why a run as a whole ended early.
func (a *app) printRunError(r *runner.Report, noColor bool, log *logFlags) {
	if r.Error != nil && log.machine() {
		log.logger(a.stderr, false).Error(r.Error.Message, "code", r.Error.Code, "hint", r.Error.Hint)
		return
	}
	_ = render.RunError(a.stderr, r, render.Options{Color: a.env.Colored(noColor, a.stderr)})
}

// The orders that CI systems read from a log: ::add-mask:: at the beginning of
// a line, ##[group] anywhere in it. Both begin with what a file may be named,
// and a line of a manifest may be.
var (
	orderLine = regexp.MustCompile(`(?m)^(\s*:):`)
	orderWord = regexp.MustCompile(`##([A-Za-z]*\[)`)
)

// defused escapes such orders.
func defused(text string) string {
	return orderWord.ReplaceAllString(orderLine.ReplaceAllString(text, `$1\x3a`), `#\x23$1`)
}

// printable shows control characters of a text as escapes, line breaks apart:
// a path or a file's content must not send commands to a terminal.
func printable(text string) string {
	text = defused(text)
	if !strings.ContainsFunc(text, unprintable) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if unprintable(r) {
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func unprintable(r rune) bool { return r != '\n' && !strconv.IsPrint(r) }
