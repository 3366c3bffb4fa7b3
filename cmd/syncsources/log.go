package main

import (
	"io"
	"log/slog"
	"time"

	"github.com/lmittmann/tint"
	"github.com/spf13/pflag"

	"syncsources/cmd/syncsources/option"
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

// harmlessLog keeps orders to CI systems out of a log: what a portal says may
// stand in it.
type harmlessLog struct{ io.Writer }

func (h harmlessLog) Write(p []byte) (int, error) {
	if _, err := io.WriteString(h.Writer, defused(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}
