package main

import (
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/lmittmann/tint"
	"github.com/spf13/pflag"

	"syncsources/cmd/syncsources/option"
	"syncsources/runner/render/clean"
)

// logFlags are the flags of commands that log.
type logFlags struct {
	level  string
	format string
}

func (l *logFlags) add(set *pflag.FlagSet) {
	option.AddChoice(set, &l.level, "log-level", "", "level",
		"what is logged to standard error: warn (what needs attention), info (waits and steps as well), debug or error", "warn", "info", "debug", "error")
	option.AddChoice(set, &l.format, "log-format", "", "format",
		"text for people or json for programs (one object a line)", "text", "json")
}

// machine reports whether standard error is for machines. Without flags it is
// for people.
func (l *logFlags) machine() bool { return l != nil && l.format == "json" }

// logger returns the logger that the flags ask for.
func (l *logFlags) logger(w io.Writer, color bool) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(l.level)) // one of the four words
	if l.machine() {
		return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level}))
	}
	return slog.New(tint.NewTextHandler(harmlessLog{w}, &tint.Options{Level: level, TimeFormat: time.TimeOnly, NoColor: !color}))
}

// logger is the logger of a run. Its lines can be diverted, so that they do not
// run into a progress bar.
type logger struct {
	*slog.Logger
	to *outlet
}

func (a *app) newLogger(l *logFlags, noColor bool) *logger {
	to := &outlet{w: a.stderr}
	return &logger{l.logger(to, a.env.Colored(noColor, a.stderr)), to}
}

// outlet is a writer that can be diverted to another one.
type outlet struct {
	mu sync.Mutex
	w  io.Writer
}

func (o *outlet) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.w.Write(p)
}

func (o *outlet) divert(to io.Writer) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.w = to
}

// harmlessLog keeps orders to CI systems out of a log: what a portal says may
// be in it.
type harmlessLog struct{ io.Writer }

func (h harmlessLog) Write(p []byte) (int, error) {
	if _, err := io.WriteString(h.Writer, clean.Log(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}
