// Package signin finds the credentials of a run in the environment, and gets
// an application's first token pair.
package signin

import (
	"context"
	"errors"
	"fmt"
	"os/exec"

	"syncsources/bitrix/auth"
	"syncsources/bitrix/rest"
)

// Error says what is wrong with credentials, or with the store of a token
// pair, before anything is sent to the portal.
type Error struct {
	Message string
	Hints   []string
	// Stopped: what was given is in order, but the store cannot be used.
	Stopped bool
	Err     error // a *rest.Error, or nil
}

func (e *Error) Error() string { return e.Message }
func (e *Error) Unwrap() error { return e.Err }

// refuse is the error of credentials that are missing or malformed.
func refuse(message string, hints ...string) *Error { return &Error{Message: message, Hints: hints} }

// unusable is the error of a store, which a variable names, that cannot be
// used. A database that is down, or a helper that fails, is not the fault of
// what was given.
func unusable(variable string, err error) *Error {
	message := err.Error()
	var e *rest.Error
	if errors.As(err, &e) {
		message = e.Message
	}
	down := e != nil && (e.Reason == auth.StoreDown || e.Reason == auth.StoreKeyWrong) || errors.Is(err, context.DeadlineExceeded)
	if _, failed := errors.AsType[*exec.ExitError](err); failed { // of a helper, which may find its vault again
		down = true
	}
	return &Error{Message: fmt.Sprintf("%s: %s", variable, message), Err: err, Stopped: down}
}
