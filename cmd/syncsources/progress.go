package main

import (
	"log/slog"
	"sync"
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
		beat := newHeartbeat(log)
		return beat.update, beat.close
	}
	return nil, func() {}
}

// heartbeat logs once a minute where a run is, so that whoever reads the log of
// a long one sees that it lives, and what it waits for.
type heartbeat struct {
	logger *slog.Logger
	stop   chan struct{}
	ended  chan struct{}

	mu    sync.Mutex
	state runner.Progress
}

// beatEvery is how often a heartbeat logs.
const beatEvery = time.Minute

func newHeartbeat(logger *slog.Logger) *heartbeat {
	h := &heartbeat{logger: logger, stop: make(chan struct{}), ended: make(chan struct{})}
	go h.loop()
	return h
}

func (h *heartbeat) loop() {
	defer close(h.ended)
	began, ticker := time.Now(), time.NewTicker(beatEvery)
	defer ticker.Stop()
	for {
		select {
		case <-h.stop:
			return
		case <-ticker.C:
			h.mu.Lock()
			state := h.state
			h.mu.Unlock()
			attrs := []any{"after", time.Since(began).Round(time.Second).String(), "phase", string(state.Phase), "done", state.Done, "of", state.Total}
			if state.Failed > 0 {
				attrs = append(attrs, "failed", state.Failed)
			}
			if state.Left > 0 {
				attrs = append(attrs, "left", state.Left.Round(time.Second).String())
			}
			if state.Waiting != "" {
				attrs = append(attrs, "waiting for", state.Waiting, "until", state.Until.Format(time.TimeOnly))
			}
			h.logger.Warn("still running", attrs...)
		}
	}
}

// update takes note of where the run is.
func (h *heartbeat) update(state runner.Progress) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.state = state
}

// close ends the heartbeat. It may be called more than once, by one goroutine.
func (h *heartbeat) close() {
	select {
	case <-h.stop:
	default:
		close(h.stop)
	}
	<-h.ended
}
