package schedule

import (
	"fmt"
	"time"

	"syncsources/bitrix/rest"
)

// patience is how long a portal that gives no answer at all is tried again.
const patience = 20 * time.Second

// outage tells a portal that is away from one that loses an answer now and
// then.
type outage struct {
	since  time.Time // the first failure with no answer after it
	failed int
}

// lost notes a request, sent at that time, that got no answer, or nothing but a
// page of the portal's front end, or was refused for a token that is new. It
// returns the error that ends the run if that has been so for too long. What was
// sent before the first failure tells nothing new: a portal that has more
// requests waiting than it serves in time cuts one after another, and is not
// away.
func (o *outage) lost(now, sent time.Time, err *rest.Error) error {
	if o.failed == 0 {
		o.since = now
	}
	o.failed++
	away := now.Sub(o.since)
	if o.failed < 3 || away < patience || sent.Before(o.since) {
		return nil
	}
	if err.Code == rest.ExpiredToken {
		refused := *err
		refused.NotSent = false // nothing is gained by sending again
		return &refused
	}
	return &rest.Error{
		Code: rest.Network, Status: err.Status, Method: err.Method,
		Message: fmt.Sprintf("the portal has not answered for %.0f s: %s", away.Seconds(), err.Message),
		Hint:    "check the portal's address and that it can be reached from here; running again later is safe",
		Err:     err,
	}
}

func (o *outage) answered() { *o = outage{} }
