package schedule

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"syncsources/bitrix/rest"
)

// backoff is the one pause that everybody keeps when the portal refuses or
// does not answer: exponential, with full jitter, so that other runs that met
// the same trouble do not come back at the same moment. What was sent before
// the pause ended says nothing new, so that the many requests in flight make
// no more of one event than a single one would.
type backoff struct {
	rng   *rand.Rand
	first time.Duration // the longest first pause
	most  time.Duration // the longest pause
	times int           // failures in a row
	until time.Time
}

// failed notes a request that was sent at that time and failed.
func (b *backoff) failed(now, sent time.Time) {
	if sent.Before(b.until) {
		return
	}
	longest := min(b.first<<min(b.times, 16), b.most)
	b.times++
	b.until = now.Add(time.Duration(b.rng.Int64N(int64(longest) + 1)))
}

// succeeded notes a request that was sent at that time and answered.
func (b *backoff) succeeded(sent time.Time) {
	if !sent.Before(b.until) {
		b.times = 0
	}
}

// patience is how long a portal that gives no answer at all is tried again.
const patience = 20 * time.Second

// outage distinguishes a portal that is away from one that loses an answer now and
// then.
type outage struct {
	since  time.Time // the first failure with no answer after it
	failed int
	heard  bool // the portal has answered in this run
}

// lost notes a request, sent at that time, that got no answer, or nothing but a
// page of the portal's front end, or was refused for a token that is new. It
// returns the error that ends the run if that has been so for too long. What was
// sent before the first failure says nothing new: a portal that has more
// requests waiting than it serves in time cuts one after another, and is not
// away. One that has never answered is: there all that it was waited for counts.
func (o *outage) lost(now, sent time.Time, err *rest.Error) error {
	if o.failed == 0 {
		o.since = now
	}
	o.failed++
	silent := !o.heard && timedOut(err)
	if silent && sent.Before(o.since) {
		o.since = sent
	}
	enough := 3
	if timedOut(err) { // waited for in full
		enough = 2
	}
	away := now.Sub(o.since)
	if away < patience || !silent && (o.failed < enough || sent.Before(o.since)) {
		return nil
	}
	if err.Code == rest.ExpiredToken {
		refused := *err
		refused.NotSent = false // nothing is gained by sending again
		return &refused
	}
	gone := &rest.Error{Code: err.Code, Status: err.Status, Method: err.Method, Reason: err.Reason, Hint: err.Hint, Err: err}
	switch err.Code {
	case rest.BadAnswer: // somebody answers, but not the REST interface
		gone.Message = fmt.Sprintf("no usable answer for %.0f s: %s", away.Seconds(), err.Message)
		if err.Hint == "" && err.Reason == "" {
			gone.Hint = "something on the portal's server, or in front of it, spoils its answers: ask whoever runs it; running again later is safe"
		}
	case rest.Proxy:
		gone.Message = fmt.Sprintf("no connection to the portal for %.0f s: %s", away.Seconds(), err.Message)
	default:
		gone.Code = rest.Network
		gone.Message = fmt.Sprintf("the portal has not answered for %.0f s: %s", away.Seconds(), err.Message)
		gone.Hint = "check the portal's address and that it can be reached from here; running again later is safe"
	}
	return gone
}

func (o *outage) answered() { *o = outage{heard: true} }

// timedOut reports whether a time limit of ours ended a request.
func timedOut(err error) bool {
	var limit interface{ Timeout() bool }
	return errors.As(err, &limit) && limit.Timeout()
}
