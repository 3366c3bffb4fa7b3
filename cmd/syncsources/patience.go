package main

import (
	"context"
	"os"

	"syncsources/cmd/syncsources/exit"
	"syncsources/cmd/syncsources/option"
	"syncsources/runner"
)

// obeying is option.Obey with an error that says what ended it.
func obeying[T any](ctx context.Context, f func() (T, error)) (T, error) {
	result, err := option.Obey(ctx, f)
	if err != nil && err == context.Cause(ctx) {
		err = tooLate(ctx)
	}
	return result, err
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
