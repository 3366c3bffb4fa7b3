package schedule

import (
	"math/rand/v2"
	"testing"
	"time"
)

// simulate runs batches through a portal that serves some at a time and
// queues the rest, and returns the limiter's slots at the end.
func simulate(l *limiter, serves int, cost func() time.Duration, requests int) int {
	now := epoch
	free := make([]time.Time, serves) // when each server is
	for i := range free {
		free[i] = now
	}
	type flight struct {
		done             time.Time
		elapsed, service time.Duration
		inFlight         int
	}
	var inFlight []flight
	for range requests {
		for len(inFlight) < l.slots(1000, 0) {
			first := 0
			for i := range free {
				if free[i].Before(free[first]) {
					first = i
				}
			}
			begin := now
			if free[first].After(now) {
				begin = free[first]
			}
			service := cost()
			free[first] = begin.Add(service)
			inFlight = append(inFlight, flight{free[first], free[first].Sub(now), service, len(inFlight) + 1})
		}
		next := 0
		for i := range inFlight {
			if inFlight[i].done.Before(inFlight[next].done) {
				next = i
			}
		}
		f := inFlight[next]
		inFlight = append(inFlight[:next], inFlight[next+1:]...)
		now = f.done
		l.answered(f.elapsed.Seconds(), f.service.Seconds(), f.inFlight)
	}
	return l.slots(1000, 0)
}

func TestSlotsFollowWhatIsServed(t *testing.T) {
	for _, serves := range []int{1, 3, 6, 10} {
		l := newLimiter(16)
		slots := simulate(l, serves, func() time.Duration { return 5 * time.Second }, 300)
		if slots < serves || slots > serves+3 {
			t.Errorf("a portal that serves %d: %d slots", serves, slots)
		}
	}
	if slots := simulate(newLimiter(16), 100, func() time.Duration { return 5 * time.Second }, 300); slots != 16 {
		t.Errorf("a portal that serves all: %d slots, want 16", slots)
	}
}

func TestSlotsGrowBack(t *testing.T) {
	l := newLimiter(16)
	simulate(l, 2, func() time.Duration { return time.Second }, 200)
	if slots := simulate(l, 100, func() time.Duration { return time.Second }, 400); slots != 16 {
		t.Errorf("%d slots once the queue is gone, want 16", slots)
	}
}

func TestHeavyTailIsNoCongestion(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	l := newLimiter(16)
	slots := simulate(l, 100, func() time.Duration {
		if rng.IntN(20) == 0 {
			return 20 * time.Second
		}
		return time.Duration(rng.IntN(600)) * time.Millisecond
	}, 2000)
	if slots != 16 {
		t.Errorf("%d slots, want 16", slots)
	}
}

// Without a number of the caller's, as many are in flight as are served: from
// 16 on, and 50 at most.
func TestSlotsWithoutACeiling(t *testing.T) {
	l := newLimiter(0)
	if l.slots(1000, 0) != 16 {
		t.Errorf("%d slots at first, want 16", l.slots(1000, 0))
	}
	for serves, want := range map[int]int{100: 50, 30: 30, 6: 6} {
		l := newLimiter(0)
		if slots := simulate(l, serves, func() time.Duration { return time.Second }, 1000); slots < want || slots > want+8 {
			t.Errorf("a portal that serves %d: %d slots", serves, slots)
		}
	}
}

func TestSlotsShrinkWithErrorsNotWithAFew(t *testing.T) {
	l := newLimiter(16)
	for i := range 200 {
		if i%10 == 0 {
			l.failed()
		} else {
			l.answered(1, 1, 1)
		}
	}
	if l.slots(1000, 0) != 16 {
		t.Errorf("%d slots with a tenth of errors, want 16", l.slots(1000, 0))
	}
	for range 48 {
		l.failed()
	}
	if l.slots(1000, 0) > 8 {
		t.Errorf("%d slots with nothing but errors", l.slots(1000, 0))
	}
	for range 400 {
		l.failed()
	}
	if l.slots(1000, 0) != 1 {
		t.Errorf("%d slots in the end, want 1", l.slots(1000, 0))
	}
}
