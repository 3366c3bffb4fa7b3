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
		flying           int
	}
	var flying []flight
	var c costs
	for range requests {
		for len(flying) < l.slots() {
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
			flying = append(flying, flight{free[first], free[first].Sub(now), service, len(flying) + 1})
		}
		next := 0
		for i := range flying {
			if flying[i].done.Before(flying[next].done) {
				next = i
			}
		}
		f := flying[next]
		flying = append(flying[:next], flying[next+1:]...)
		now = f.done
		c.add(f.service)
		l.answered(now, f.elapsed, f.service, f.flying, c.estimate())
	}
	return l.slots()
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

func TestSlotsShrinkWhereCommandsGetSlower(t *testing.T) {
	l := newLimiter(16)
	simulate(l, 100, func() time.Duration { return 500 * time.Millisecond }, 200)
	if slots := simulate(l, 100, func() time.Duration { return 5 * time.Second }, 32); slots >= 16 {
		t.Errorf("%d slots after costs rose tenfold", slots)
	}
}

func TestSlotsShrinkWithErrorsNotWithAFew(t *testing.T) {
	e := estimate{known: true, median: 1, mean: 1}
	l := newLimiter(16)
	for i := range 200 {
		if i%10 == 0 {
			l.failed(epoch, e)
		} else {
			l.answered(epoch, time.Second, time.Second, 1, e)
		}
	}
	if l.slots() != 16 {
		t.Errorf("%d slots with a tenth of errors, want 16", l.slots())
	}
	for range 48 {
		l.failed(epoch, e)
	}
	if l.slots() > 8 {
		t.Errorf("%d slots with nothing but errors", l.slots())
	}
	for range 400 {
		l.failed(epoch, e)
	}
	if l.slots() != 1 {
		t.Errorf("%d slots in the end, want 1", l.slots())
	}
}
