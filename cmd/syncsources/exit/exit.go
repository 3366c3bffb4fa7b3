// Package exit knows how a command ends: its exit code, the failure that it
// prints, and the signals that interrupt it.
package exit

import (
	"context"
	"strconv"

	"syncsources/runner"
)

// Exit codes. The table in doc.go of package main says what they promise.
const (
	OK          = 0
	Failed      = 1
	Changes     = 2
	Invalid     = 3
	Stopped     = 4
	HungUp      = 129 // 128 + SIGHUP
	Interrupted = 130 // 128 + SIGINT
	Terminated  = 143 // 128 + SIGTERM
)

// claims orders the exit codes: the highest claim first.
var claims = [...]int{Invalid, HungUp, Interrupted, Terminated, Stopped, Failed, Changes, OK}

// Higher returns the exit code that wins over the other.
func Higher(a, b int) int {
	for _, c := range claims {
		if a == c || b == c {
			return c
		}
	}
	return a
}

// Of derives the exit code from the outcome of a run, and from nothing that a
// renderer does. ctx is the run's; detailed is --detailed-exitcode.
func Of(ctx context.Context, outcome runner.Outcome, detailed bool) int {
	switch outcome {
	case runner.OutcomeInvalid:
		return Invalid
	case runner.OutcomeInterrupted:
		return Signalled(ctx)
	case runner.OutcomeStopped:
		return Stopped
	case runner.OutcomeFailed:
		return Failed
	case runner.OutcomeChanges:
		if detailed {
			return Changes
		}
	}
	return OK
}

// Status is the exit code of a command that has printed all there is to say,
// as an error. OK is not an error: use Err.
type Status int

func (s Status) Error() string { return "exit code " + strconv.Itoa(int(s)) }

// Err returns the exit code as an error, nil for OK.
func Err(code int) error {
	if code == OK {
		return nil
	}
	return Status(code)
}
