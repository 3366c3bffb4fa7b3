package schedule

// limiter adapts the number of requests in flight to what the portal serves,
// as TCP Vegas and the published adaptive concurrency limiters do.
//
// The signal is the time that requests spend waiting: what they took as seen
// from here, less what their commands took by the portal's own account, less
// the least that any request has needed on top of that. A portal that serves
// k requests at a time and queues the rest shows in it, and in nothing else.
// How long commands take does not count, so a heavy tail is no congestion.
type limiter struct {
	ceiling float64
	limit   float64
	proven  float64 // so many were in flight, and none waited
	waited  bool    // they have, at some time

	round struct { // as many requests as may be in flight
		answered, errors int
		inFlight         int     // summed over the requests
		took, service    float64 // seconds, likewise
	}
}

const (
	// Without a ceiling of the caller's own: requests in flight at the
	// beginning, and at most. A portal in the cloud was not seen to mind them.
	firstInFlight = 16
	mostInFlight  = 50
	// queued is how many are welcome to wait at the portal, so that it never
	// runs dry.
	queued = 2.5
	// tolerant is how many seconds of waiting do not count as such.
	tolerant = 0.25
)

// newLimiter returns one that stays at most, or, where that is 0, finds out.
func newLimiter(most int) *limiter {
	if most > 0 {
		return &limiter{ceiling: float64(most), limit: float64(most), proven: float64(most)}
	}
	return &limiter{ceiling: mostInFlight, limit: firstInFlight, proven: firstInFlight}
}

// slots is how many requests may be in flight while so many writes wait and so
// many requests are: while nothing has waited at the portal, all that ever may,
// where that brings the writes under way in batches too short to be cut.
func (l *limiter) slots(waiting, inFlight int) int {
	if room := int(l.ceiling) - inFlight; !l.waited && waiting <= mostBlind*room {
		return int(l.ceiling)
	}
	return max(1, int(l.limit))
}

// served is the part of what may be in flight that the portal was seen to serve at
// a time. If it serves no more, the rest waits for as long as these take.
func (l *limiter) served() float64 { return min(1, l.proven/l.limit) }

// answered notes a request that was answered: the seconds that it took on top
// of what every request takes, those that its commands took, and the requests in
// flight when it was sent, itself included.
func (l *limiter) answered(took, service float64, inFlight int) {
	r := &l.round
	r.answered++
	r.inFlight += inFlight
	r.took += took
	r.service += service
	l.decide()
}

// failed notes a request that ended in 5xx or was cut.
func (l *limiter) failed() {
	l.round.errors++
	l.decide()
}

// decide changes the limit once a round.
func (l *limiter) decide() {
	r := l.round
	n := float64(r.answered + r.errors)
	if n < max(4, l.limit) {
		return
	}
	l.round.answered, l.round.errors, l.round.inFlight, l.round.took, l.round.service = 0, 0, 0, 0, 0
	// Of those in flight, this many waited at any time: the rest is served.
	inFlight, inQueue := 0.0, 0.0
	if r.answered > 0 {
		inFlight = float64(r.inFlight) / float64(r.answered)
		if wait := r.took - r.service; wait > tolerant*float64(r.answered) {
			inQueue = inFlight * wait / r.took
		}
	}
	switch {
	case float64(r.errors) > 0.3*n:
		l.limit *= 0.7
	case inQueue > 1.5*queued:
		l.waited = true
		l.limit = max(1, inFlight-inQueue) + queued
	case inQueue > queued/2:
	case l.waited:
		l.limit += max(1, l.limit/8)
	default:
		l.proven, l.limit = max(l.proven, l.limit), l.ceiling
	}
	l.limit = min(max(1, l.limit), l.ceiling)
}
