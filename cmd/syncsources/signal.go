package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"

	"syncsources/runner"
)

// interruption is the cause of a context that a signal cancelled.
type interruption struct{ signal os.Signal }

func (i interruption) Error() string { return "interrupted by a signal (" + i.signal.String() + ")" }

// Is makes it the runner's cause of an interrupted run.
func (i interruption) Is(target error) bool { return target == runner.ErrInterrupted }

// watchSignals returns a context that the first SIGINT or SIGTERM cancels, so
// that a run can settle what is in flight and report. The second one calls
// leave with the exit code at once. stop ends the watch.
func watchSignals(parent context.Context, leave func(code int)) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		for range 2 {
			select {
			case s := <-signals:
				if ctx.Err() != nil {
					leave(interruptCode(s))
				}
				cancel(interruption{s})
			case <-done:
				return
			}
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		cancel(nil)
	}
}

// interruptCode is the exit code by which shells know a signal.
func interruptCode(s os.Signal) int {
	if s == syscall.SIGTERM {
		return exitTerminated
	}
	return exitInterrupted
}

// interruptedCode is the exit code of a run whose context a signal cancelled.
func interruptedCode(ctx context.Context) int {
	var i interruption
	if errors.As(context.Cause(ctx), &i) {
		return interruptCode(i.signal)
	}
	return exitInterrupted
}
