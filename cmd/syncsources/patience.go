package main

import (
	"context"
	"os"

	"syncsources/cmd/syncsources/exit"
	"syncsources/runner"
)

// obeying calls f, which reads what the command line or the environment names,
// and returns early when ctx ends: a named pipe that nobody writes to and a
// terminal at which nobody types keep a read waiting for ever. What f does is
// left behind then; the process ends soon after. A panic of f is the caller's.
func obeying[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type end struct {
		result   T
		err      error
		panicked any
	}
	done := make(chan end, 1)
	go func() {
		var e end
		defer func() {
			e.panicked = recover()
			done <- e
		}()
		e.result, e.err = f()
	}()
	select {
	case e := <-done:
		if e.panicked != nil {
			panic(e.panicked)
		}
		return e.result, e.err
	case <-ctx.Done():
		var none T
		return none, tooLate(ctx)
	}
}

// endless reports whether reading the file at path may never end: a named pipe
// waits for a writer, a device for somebody at it.
func endless(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.Mode().IsRegular() && !info.IsDir()
}

// tooLate is the failure of a command whose context ended before there was
// anything to settle: by a signal, or because its time was over.
func tooLate(ctx context.Context) *exit.Failure {
	if context.Cause(ctx) == context.DeadlineExceeded {
		return &exit.Failure{Exit: exit.Stopped, Code: runner.CodeTimeout, Message: "the run hit its time limit before it began",
			Hints: []string{"an input that never ends, such as a pipe without a writer, may be the cause; --timeout gives more time"}}
	}
	return exit.Interruption(ctx)
}
