package exit

import (
	"context"
	"errors"
	"io/fs"
	"strings"

	"syncsources/manifest"
	"syncsources/runner"
)

// Codes of what is wrong before a run begins or after it, in the report's error.
const (
	CodeCommandLine = "INVALID_COMMAND_LINE" // or an environment variable that sets a flag
	CodeUnreadable  = "UNREADABLE"           // a file that the command line names
	CodeCredentials = "NO_CREDENTIALS"       // missing or malformed
	CodeState       = "INVALID_STATE"        // the sandbox's state file
	CodeLocked      = "LOCKED"               // another run holds the portal
	CodeOutput      = "OUTPUT_FAILED"        // the result could not be written
	CodeDeclined    = "DECLINED"             // an apply's question was not answered with yes
)

// Failure ends a command. It prints as a message and hints, a line each.
type Failure struct {
	Exit    int    // the exit code
	Code    string // one of the codes above, or the portal's
	Message string
	Hints   []string
	// Portal is the one that the report names; "" where it is not known.
	Portal string
	// Findings are mistakes in manifests that were found beside it.
	Findings []*manifest.Finding
	// Objects are what a run that stopped did not get to.
	Objects []runner.Object
}

func (f *Failure) Error() string { return f.Message }

// Report is the failure as a report has it.
func (f *Failure) Report() *runner.Failure {
	return &runner.Failure{Code: f.Code, Message: f.Message, Hint: strings.Join(f.Hints, "; ")}
}

// Refuse is a failure of what the user gave: nothing was sent.
func Refuse(code, message string, hints ...string) *Failure {
	return &Failure{Exit: Invalid, Code: code, Message: message, Hints: hints}
}

// Interruption is the failure of a command that a signal ended before there
// was anything to settle.
func Interruption(ctx context.Context) *Failure {
	return &Failure{Exit: Signalled(ctx), Code: runner.CodeInterrupted, Message: context.Cause(ctx).Error()}
}

// Unwritten is the failure of a result that could not be written.
func Unwritten(err error) *Failure {
	return &Failure{Exit: Failed, Code: CodeOutput, Message: "cannot write the result: " + err.Error()}
}

// AsFailure returns err as a failure. Any other error comes from the parsing
// of the command line, or from a script for completion that cannot be written.
func AsFailure(err error) *Failure {
	if f, ok := errors.AsType[*Failure](err); ok {
		return f
	}
	if e, ok := errors.AsType[*fs.PathError](err); ok && e.Op == "write" {
		return Unwritten(err)
	}
	return Refuse(CodeCommandLine, err.Error())
}
