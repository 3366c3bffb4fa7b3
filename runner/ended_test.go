package runner

import (
	"context"
	"errors"
	"testing"

	"syncsources/bitrix/rest"
)

// A run whose context ends for a reason of its own, such as a lost lock, is
// stopped, and not interrupted.
func TestEndOfAContextSaysWhy(t *testing.T) {
	for _, tt := range []struct {
		cause   error
		code    string
		outcome Outcome
	}{
		{&rest.Error{Code: "LOCKED", Message: "the lock was lost"}, "LOCKED", OutcomeStopped},
		{context.DeadlineExceeded, CodeTimeout, OutcomeStopped},
		{ErrInterrupted, CodeInterrupted, OutcomeInterrupted},
		{errors.New("any"), CodeInterrupted, OutcomeInterrupted},
	} {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(tt.cause)
		if f, outcome := ended(ctx); f.Code != tt.code || outcome != tt.outcome {
			t.Errorf("%v: %v, %s", tt.cause, f, outcome)
		}
	}
}
