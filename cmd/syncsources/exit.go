package main

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"syncsources/manifest"
	"syncsources/runner"
)

// Exit codes. doc.go says what they promise.
const (
	exitOK          = 0
	exitFailed      = 1
	exitChanges     = 2
	exitInvalid     = 3
	exitStopped     = 4
	exitInterrupted = 130 // 128 + SIGINT
	exitTerminated  = 143 // 128 + SIGTERM
)

// Codes of what is wrong before a run begins, in the report's error.
const (
	codeCommandLine = "INVALID_COMMAND_LINE" // or an environment variable that stands for a flag
	codeUnreadable  = "UNREADABLE"           // a file that the command line names
	codeCredentials = "NO_CREDENTIALS"       // missing or malformed
	codeState       = "INVALID_STATE"        // the sandbox's state file
	codeLocked      = "LOCKED"               // another run holds the portal
	codeOutput      = "OUTPUT_FAILED"        // the result could not be written
)

// failure ends a command. It prints as a message and lines of advice.
type failure struct {
	exit    int
	code    string // one of the codes above
	message string
	advice  []string
	// findings are errors of manifests that were found beside it.
	findings []*manifest.Finding
}

func (f *failure) Error() string { return f.message }

// report is the failure as a report has it.
func (f *failure) report() *runner.Failure {
	return &runner.Failure{Code: f.code, Message: f.message, Hint: strings.Join(f.advice, "; ")}
}

// invalid is a failure of what the user gave: nothing was sent.
func invalid(code, message string, advice ...string) *failure {
	return &failure{exit: exitInvalid, code: code, message: message, advice: advice}
}

// interrupted is the failure of a command that a signal ended before there was
// anything to settle.
func interrupted(ctx context.Context) *failure {
	return &failure{exit: interruptedCode(ctx), code: runner.CodeInterrupted, message: context.Cause(ctx).Error()}
}

// outputFailed reports that a result could not be written.
func outputFailed(err error) *failure {
	return &failure{exit: exitFailed, code: codeOutput, message: "cannot write the result: " + err.Error()}
}

// ended is the exit code of a command that has said all there is to say.
type ended int

func (e ended) Error() string { return "exit code " + strconv.Itoa(int(e)) }

// ending returns ended(code) as an error, nil for exitOK.
func ending(code int) error {
	if code == exitOK {
		return nil
	}
	return ended(code)
}

// asFailure returns err as a failure. An error that is none comes from the
// parsing of the command line.
func asFailure(err error) *failure {
	var f *failure
	if errors.As(err, &f) {
		return f
	}
	return invalid(codeCommandLine, err.Error())
}

// reportCode derives the exit code from the report, and from nothing that a
// renderer does. detailed is --detailed-exitcode.
func reportCode(ctx context.Context, r *runner.Report, detailed bool) int {
	switch r.Outcome {
	case runner.OutcomeInvalid:
		return exitInvalid
	case runner.OutcomeInterrupted:
		return interruptedCode(ctx)
	case runner.OutcomeStopped:
		return exitStopped
	case runner.OutcomeFailed:
		return exitFailed
	case runner.OutcomeChanges:
		if detailed {
			return exitChanges
		}
	}
	return exitOK
}

// claims orders the exit codes: the highest claim first.
var claims = []int{exitInvalid, exitInterrupted, exitTerminated, exitStopped, exitFailed, exitChanges, exitOK}

// higherClaim returns the exit code that wins over the other.
func higherClaim(a, b int) int {
	for _, c := range claims {
		if a == c || b == c {
			return c
		}
	}
	return a
}
