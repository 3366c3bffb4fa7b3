package schedule

import (
	"time"

	"syncsources/bitrix/rest"
)

// Exchange is a request and what became of it.
type Exchange struct {
	At       time.Time // when it was sent
	Seconds  float64   // until its answer, or its loss
	Method   string    // of a single call, or batch
	Commands int
	Result   Result
}

// Result is what became of a request.
type Result string

// What becomes of a request.
const (
	ResultOK        Result = "ok"        // answered, whatever the answers to its commands
	ResultThrottled Result = "throttled" // refused because requests come too fast
	ResultHeld      Result = "held"      // refused for want of operating time
	ResultLost      Result = "lost"      // not answered, or not delivered
	ResultRefused   Result = "refused"   // refused as a whole for another reason
)

// Waited is a time longer than a second in which there was work and nothing
// was sent.
type Waited struct {
	At      time.Time
	Seconds float64
	Reason  string // one of the Wait constants
}

// Config returns the choices that the scheduler works by, defaults filled in.
func (s *Scheduler) Config() Config { return s.conf }

// Timeline returns the requests that have been answered, in the order of
// their answers.
func (s *Scheduler) Timeline() []Exchange { return s.timeline }

// Waits returns the waits that are over.
func (s *Scheduler) Waits() []Waited { return s.waits }

// note adds an answered request to the timeline.
func (s *Scheduler) note(r *request) {
	x := Exchange{At: r.sentAt, Seconds: r.answeredAt.Sub(r.sentAt).Seconds(), Method: rest.MethodBatch, Commands: len(r.items), Result: ResultOK}
	if r.alone {
		x.Method = r.items[0].Command.Method()
	}
	if r.err != nil {
		switch asError(r.err).Reaction() {
		case rest.Throttled:
			x.Result = ResultThrottled
		case rest.Held:
			x.Result = ResultHeld
		case rest.Unknown, rest.NotDelivered:
			x.Result = ResultLost
		default:
			x.Result = ResultRefused
		}
	}
	s.timeline = append(s.timeline, x)
}

// noteWait ends the wait that is on and begins one, if why is not empty.
func (s *Scheduler) noteWait(now time.Time, why string) {
	if n := len(s.waits); n > 0 && s.waits[n-1].Seconds == 0 {
		s.waits[n-1].Seconds = now.Sub(s.waits[n-1].At).Seconds()
	}
	if why != "" {
		s.waits = append(s.waits, Waited{At: now, Reason: why})
	}
}
