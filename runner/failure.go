package runner

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/hashicorp/go-multierror"

	"syncsources/bitrix/rest"
)

// ErrInterrupted is the cause with which a caller cancels the context of a
// run after a signal. The run then settles what is in flight and reports.
var ErrInterrupted = errors.New("interrupted")

// failure makes a report's failure of an error.
func failure(err error) *Failure {
	if f, ok := errors.AsType[*Failure](err); ok {
		return f
	}
	if e, ok := errors.AsType[*rest.Error](err); ok {
		message := cmp.Or(e.Message, "the portal gave no reason")
		return &Failure{Code: string(e.Code), Message: message, Hint: e.Hint, Reason: string(e.Reason)}
	}
	return &Failure{Code: string(rest.Network), Message: err.Error()}
}

// ended is the failure of a run whose context has ended, and its outcome.
func ended(ctx context.Context) (*Failure, Outcome) {
	if errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		return &Failure{Code: CodeTimeout, Message: "the run hit its time limit", Hint: "raise --timeout, or run again: finished work is kept"}, OutcomeStopped
	}
	if e := (*rest.Error)(nil); errors.As(context.Cause(ctx), &e) {
		return failure(e), OutcomeStopped
	}
	return &Failure{Code: CodeInterrupted, Message: "the run was interrupted", Hint: "run again: finished work is kept"}, OutcomeInterrupted
}

// Err collects the failures of the objects, and of the run as a whole, into
// one error; nil where there is none. A run that has one has failed.
func (r *Report) Err() error {
	var all *multierror.Error
	if r.Error != nil {
		all = multierror.Append(all, r.Error)
	}
	for i := range r.Objects {
		if o := &r.Objects[i]; o.Error != nil {
			all = multierror.Append(all, fmt.Errorf("%s %s (#%d): %w", o.Kind, cmp.Or(o.Name, o.Title), o.ID, o.Error))
		}
	}
	return all.ErrorOrNil()
}
