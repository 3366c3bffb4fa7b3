package exit

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"

	"syncsources/runner"
)

// Signal is the cause of a context that a signal cancelled.
type Signal struct{ Received os.Signal }

func (s Signal) Error() string { return "interrupted by a signal (" + s.Received.String() + ")" }

// Is makes it the runner's cause of an interrupted run.
func (s Signal) Is(target error) bool { return target == runner.ErrInterrupted }

// Watch returns a context that the first SIGINT, SIGTERM or SIGHUP cancels, so
// that a run can settle what is in flight and report. The second one calls
// leave with the exit code at once. The watch lasts as long as the process: a
// signal that comes when the run has just ended must not give it another exit
// code than its report says.
//
// A SIGHUP that is ignored when the program starts stays ignored: that is how
// nohup and some service managers keep a program alive.
//
// SIGPIPE ends nothing: a reader of the output that leaves early must cost
// neither writes in flight nor the other reports, so it becomes a write that
// fails. It is caught, not ignored, because programs that we start would
// inherit that.
func Watch(leave func(code int)) context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(signals, syscall.SIGHUP)
	}
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	go func() {
		cancel(Signal{Received: <-signals})
		leave(signalCode(<-signals))
	}()
	return ctx
}

// signalCode is the exit code by which shells know a signal.
func signalCode(s os.Signal) int {
	switch s {
	case syscall.SIGHUP:
		return HungUp
	case syscall.SIGTERM:
		return Terminated
	}
	return Interrupted
}

// Signalled is the exit code of a command whose context a signal cancelled.
func Signalled(ctx context.Context) int {
	if s, ok := errors.AsType[Signal](context.Cause(ctx)); ok {
		return signalCode(s.Received)
	}
	return Interrupted
}
