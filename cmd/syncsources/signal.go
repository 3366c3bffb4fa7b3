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
// leave with the exit code at once. The watch lasts as long as the process: a
// signal that comes when the run has just ended must not give it another exit
// code than its report tells.
//
// SIGPIPE ends nothing: a reader of the output that leaves early must cost
// neither updates in flight nor the other reports, so it becomes a write that
// fails. It is caught, not ignored, because programs that we start would
// inherit that.
func watchSignals(leave func(code int)) context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	go func() {
		cancel(interruption{<-signals})
		leave(interruptCode(<-signals))
	}()
	return ctx
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
