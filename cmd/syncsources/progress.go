package main

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"syncsources/cmd/syncsources/option"
	"syncsources/runner"
	"syncsources/runner/render"
)

// progress begins to show on standard error how far a run is: on a terminal by
// a bar, elsewhere by a line a minute, as --progress says. show takes note of
// where the run is, and end ends it.
func (a *app) progress(when string, log *slog.Logger) (show func(runner.Progress), end func()) {
	terminal := option.IsTerminal(a.stderr) && a.env.Get("TERM") != "dumb"
	switch {
	case when == "always" || when == "auto" && terminal:
		out := a.stderr.(*outlet)
		bar := render.NewProgress(out.under, func() int { return option.Width(out) })
		out.divert(bar.Writer())
		return bar.Update, func() {
			bar.Close()
			out.divert(nil)
		}
	case when == "auto":
		return heartbeat(log)
	}
	return nil, func() {}
}

// heartbeat logs once a minute where a run is, so that whoever reads the log of
// a long one sees that it lives, and what it waits for.
func heartbeat(logger *slog.Logger) (show func(runner.Progress), end func()) {
	var current atomic.Pointer[runner.Progress]
	current.Store(&runner.Progress{})
	stop := make(chan struct{})
	var loop sync.WaitGroup
	loop.Go(func() {
		began, ticker := time.Now(), time.NewTicker(time.Minute)
		defer ticker.Stop()
		for {
			select {
			case <-stop:
				return
			case <-ticker.C:
				logger.Warn("still running", append([]any{"after", time.Since(began).Round(time.Second).String()}, heartbeatOf(current.Load())...)...)
			}
		}
	})
	return func(state runner.Progress) { current.Store(&state) }, func() {
		close(stop)
		loop.Wait()
	}
}

// heartbeatOf is where a run is, as a log has it.
func heartbeatOf(state *runner.Progress) []any {
	attrs := []any{"phase", string(state.Phase), "done", state.Done, "of", state.Total}
	if state.Failed > 0 {
		attrs = append(attrs, "failed", state.Failed)
	}
	if state.Left > 0 {
		attrs = append(attrs, "left", state.Left.Round(time.Second).String())
	}
	if state.Waiting != "" {
		attrs = append(attrs, "waiting for", state.Waiting, "until", state.Until.Format(time.TimeOnly))
	}
	return attrs
}
