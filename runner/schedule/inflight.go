package schedule

import (
	"math"
	"slices"
	"time"
)

// limiter adapts the number of requests in flight, below a ceiling, as TCP
// Vegas and the published adaptive concurrency limiters do.
//
// The signal is the time that a request spends waiting: what it took as seen
// from here, less what its commands took by the portal's own account, less
// the least that any request has needed on top of that. A portal that serves
// k requests at a time and queues the rest shows in it, and in nothing else.
// How long commands take does not count, so a heavy tail is no congestion -
// but for the median, which rises where an external system is overrun.
type limiter struct {
	ceiling float64
	limit   float64
	proven  float64 // the most in flight that were served without waiting
	base    float64 // seconds: the least overhead of a request
	based   bool
	served  float64 // how many are served at a time while others wait; 0: none wait

	rounds [2]struct { // this round and the one before
		since   time.Time // when it began
		service float64   // seconds of work answered in it
	}

	waits  []float64 // of the requests of this round: the part of its time that each waited
	errors int       // requests of this round that ended in 5xx, or were cut
	median float64   // lowest median cost so far, at any number in flight
}

// Thresholds of the limiter.
const (
	queued   = 2.5  // requests that are welcome to wait at the portal, so that it never runs dry
	tolerant = 0.25 // seconds of waiting that do not count as such
	slower   = 2.0  // times the best median cost that count as overrun
)

func newLimiter(ceiling int) *limiter {
	return &limiter{ceiling: float64(ceiling), limit: float64(ceiling), proven: 1}
}

// slots is how many requests may be in flight.
func (l *limiter) slots() int { return max(1, int(l.limit)) }

// capacity is how many requests are being served at a time.
func (l *limiter) capacity() float64 {
	slots := math.Floor(l.limit)
	if l.served > 0 {
		slots = min(slots, l.served)
	}
	return max(1, slots)
}

// overhead is the least that any request has needed on top of its commands.
func (l *limiter) overhead() time.Duration { return time.Duration(l.base * float64(time.Second)) }

// trust is by how many times n requests in flight exceed what is proven.
func (l *limiter) trust(n int) float64 { return max(1, float64(n)/l.proven) }

// answered notes a request that was answered: elapsed as seen from here,
// service the sum of what its commands took, flying the requests in flight
// when it was sent, itself included.
func (l *limiter) answered(now time.Time, elapsed, service time.Duration, flying int, e estimate) {
	over := max(0, (elapsed - service).Seconds())
	if !l.based || over < l.base {
		l.base, l.based = over, true
	}
	wait := over - l.base
	if wait < max(tolerant, l.base) {
		wait = 0
	}
	share := 0.0
	if wait > 0 {
		share = wait / (wait + service.Seconds())
	}
	if share == 0 {
		l.proven = max(l.proven, float64(flying))
	}
	l.waits = append(l.waits, share)
	l.rounds[0].service += service.Seconds()
	l.decide(now, e)
}

// failed notes a request that ended in 5xx or was cut.
func (l *limiter) failed(now time.Time, e estimate) {
	l.errors++
	l.decide(now, e)
}

// decide changes the limit once a round, a round being as many requests as
// may be in flight.
func (l *limiter) decide(now time.Time, e estimate) {
	n := len(l.waits) + l.errors
	if float64(n) < max(4, l.limit) {
		return
	}
	slices.Sort(l.waits)
	waiting := 0.0
	if len(l.waits) > 0 {
		waiting = l.waits[len(l.waits)/2]
	}
	bad := float64(l.errors) / float64(n)
	l.waits, l.errors = l.waits[:0], 0

	if e.known && e.median > 0 && (l.median == 0 || e.median < l.median) {
		l.median = e.median
	}
	// Of those in flight, so many waited at any time: the rest is served. And
	// a portal that lets requests wait works as fast as it can, so the work
	// done in a second also tells how many it serves. Both vary; the larger
	// is taken, since too few in flight cost more than too many.
	inQueue := math.Floor(l.limit) * waiting
	l.served = 0
	if inQueue > queued/2 {
		l.served = math.Floor(l.limit) - inQueue
		l.served = max(l.served, min(l.throughput(now), math.Floor(l.limit)))
	}
	copy(l.rounds[1:], l.rounds[:])
	l.rounds[0].since, l.rounds[0].service = now, 0
	switch {
	case bad > 0.3:
		l.limit *= 0.7
	case inQueue > 1.5*queued:
		l.proven = max(1, l.served)
		l.limit = l.proven + queued
	case l.median > 0 && e.median > slower*l.median && e.median > tolerant:
		l.limit *= 0.8
		l.median *= 1.1 // the level may have changed for good
	case inQueue < queued/2:
		l.limit += max(1, l.limit/8)
	}
	l.limit = min(max(1, l.limit), l.ceiling)
}

// throughput is how many seconds of work were done in a second of the latest
// rounds.
func (l *limiter) throughput(now time.Time) float64 {
	since, service := now, 0.0
	for _, r := range l.rounds {
		if r.since.IsZero() {
			break
		}
		since, service = r.since, service+r.service
	}
	if took := now.Sub(since).Seconds(); took > 0 {
		return service / took
	}
	return 0
}
