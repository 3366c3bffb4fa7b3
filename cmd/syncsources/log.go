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
	option.AddChoice(set, &l.level, "log-level", "", "LEVEL",
		"what is logged to standard error: warn (what needs attention), info (also waits and steps), debug or error", "warn", "info", "debug", "error")
	option.AddChoice(set, &l.format, "log-format", "", "FORMAT",
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
		return slog.New(slog.NewJSONHandler(harmlessLog{w, clean.JSON}, &slog.HandlerOptions{Level: level}))
	}
	return slog.New(tint.NewTextHandler(harmlessLog{w, func(line []byte) []byte { return []byte(clean.Log(string(line))) }}, &tint.Options{Level: level, TimeFormat: time.TimeOnly, NoColor: !color}))
}

// newLogger returns the logger of a run.
func (a *app) newLogger(l *logFlags, noColor bool) *slog.Logger {
	return l.logger(a.stderr, a.env.Colored(noColor, a.stderr))
}

// outlet is standard error: many goroutines write to it, whole lines, and while
// a progress bar is shown it goes through that.
type outlet struct {
	under io.Writer

	mu  sync.Mutex
	via io.Writer // nil: under
}

// Fd lets the outlet be asked whether it is a terminal.
func (o *outlet) Fd() uintptr {
	if f, ok := o.under.(interface{ Fd() uintptr }); ok {
		return f.Fd()
	}
	return ^uintptr(0) // no file
}

func (o *outlet) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.via != nil {
		return o.via.Write(p)
	}
	return o.under.Write(p)
}

// divert lets everything go through another writer; nil ends that.
func (o *outlet) divert(via io.Writer) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.via = via
}

// harmlessLog keeps orders to CI systems out of a log: what a portal says may
// be in it.
type harmlessLog struct {
	io.Writer
	clean func([]byte) []byte
}

func (h harmlessLog) Write(p []byte) (int, error) {
	if _, err := h.Writer.Write(h.clean(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}
