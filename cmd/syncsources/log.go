package main

import (
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/lmittmann/tint"
	"github.com/spf13/pflag"
	"golang.org/x/term"
)

// logFlags are the flags of commands that log.
type logFlags struct {
	level  string
	format string
}

func (l *logFlags) add(set *pflag.FlagSet) {
	addChoice(set, &l.level, "log-level", "level", "warn",
		"what is logged to standard error: debug, info, warn or error; info tells of waits and steps, warn only what needs attention",
		"debug", "info", "warn", "error")
	addChoice(set, &l.format, "log-format", "format", "text",
		"text for people, json for machines (one object a line)", "text", "json")
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

// isTerminal reports whether a stream is a terminal.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// colored decides about colour on a stream: --no-color, then NO_COLOR
// (no-color.org), then FORCE_COLOR, then whether it is a terminal that can.
func colored(e environment, noColor bool, stream any) bool {
	switch force := e.get("FORCE_COLOR"); {
	case noColor || e.get("NO_COLOR") != "":
		return false
	case force != "":
		return force != "0" && force != "false"
	}
	return e.get("TERM") != "dumb" && isTerminal(stream)
}
