package schedule

import (
	"math/rand/v2"
	"testing"
	"time"
)

var epoch = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

// stepped is a portal's bucket, written the other way round than ours: it
// knows its steps and its level, not the past.
type stepped struct {
	level, rate, burst int
	next               time.Time
}

func (p *stepped) take(now time.Time) bool {
	for !now.Before(p.next) {
		p.level = max(0, p.level-p.rate)
		p.next = p.next.Add(time.Second)
	}
	if p.level >= p.burst {
		return false
	}
	p.level++
	return true
}

// Whatever the phase of the portal's steps, and however bursts and pauses
// alternate, the image never lets a request go that the portal refuses.
func TestBucketNeverOverruns(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 400 {
		rate, burst := 1+rng.IntN(5), 1+rng.IntN(60)
		now := epoch
		ours := newBucket(float64(rate), burst)
		portal := &stepped{rate: rate, burst: burst, next: epoch.Add(time.Duration(1 + rng.Int64N(int64(time.Second))))}
		for i := range 400 {
			if at := ours.next(now); at.After(now) {
				if ours.tokens(now) > 0 {
					t.Fatal("there are tokens, and yet it has to wait")
				}
				now = at
			}
			if rng.IntN(20) == 0 {
				now = now.Add(time.Duration(rng.Int64N(int64(20 * time.Second))))
			} else if rng.IntN(3) == 0 {
				now = now.Add(time.Duration(rng.Int64N(int64(300 * time.Millisecond))))
			}
			if ours.tokens(now) < 1 {
				t.Fatalf("request %d: next says now, and there is no token", i)
			}
			ours.take(now)
			if !portal.take(now) {
				t.Fatalf("request %d at %v refused: rate %d, burst %d", i, now.Sub(epoch), rate, burst)
			}
		}
	}
}

// A run that sends as fast as it may gets all that the portal gives.
func TestBucketWastesNothing(t *testing.T) {
	b := newBucket(2, 50)
	now := epoch
	for range 250 {
		if at := b.next(now); at.After(now) {
			now = at
		}
		b.take(now)
	}
	if took := now.Sub(epoch); took != 100*time.Second {
		t.Errorf("250 requests took %v, want 100s", took)
	}
	if len(b.marks) > 60 {
		t.Errorf("%d marks kept", len(b.marks))
	}
}

func TestRefusalWithholdsAndTrialsGiveBack(t *testing.T) {
	b := newBucket(2, 50)
	b.take(epoch)
	b.refused(epoch, epoch)
	if n := b.tokens(epoch); n != 0 {
		t.Fatalf("%d tokens after a refusal", n)
	}
	var sizes []int
	for s := 1; s <= 6; s++ {
		now := epoch.Add(time.Duration(s) * trialTime)
		for b.tokens(now) > 0 { // what the portal's own steps give
			b.take(now)
		}
		b.offer(now)
		n := b.tokens(now)
		sizes = append(sizes, n)
		for range n {
			b.take(now)
		}
	}
	want := []int{1, 2, 4, 8, 16, 17} // one fewer than withheld: the phase of the steps is not known
	for i := range want {
		if sizes[i] != want[i] {
			t.Fatalf("trials of %v, want %v", sizes, want)
		}
	}
	if b.withheld != 0 {
		t.Errorf("still withheld: %v", b.withheld)
	}
}

func TestTrialsEndWhenTheBucketReallyIsFull(t *testing.T) {
	b := newBucket(2, 50)
	portal := &stepped{level: 50, rate: 2, burst: 50, next: epoch.Add(time.Second)}
	refused, passed := 0, 0
	for now := epoch; now.Before(epoch.Add(time.Minute)); now = now.Add(100 * time.Millisecond) {
		for {
			b.offer(now)
			if b.tokens(now) == 0 {
				break
			}
			b.take(now)
			if !portal.take(now) {
				refused++
				b.refused(now, now)
				break
			}
			passed++
		}
	}
	if refused > 3 || passed < 115 {
		t.Errorf("%d refused, %d passed in a minute; want at most 3, at least 115", refused, passed)
	}
}

// What others use is taken off the rate from a refusal on, not for the time
// before it.
func TestRefusalForgetsOlderIntervals(t *testing.T) {
	b := newBucket(2, 50)
	now := epoch
	for range 120 { // as fast as it may
		now = b.next(now)
		b.take(now)
	}
	for range 2 {
		b.refused(now, now)
		b.accepted = true
		now = b.next(now)
		b.take(now)
	}
	b.refused(now, now)
	if wait := b.next(now).Sub(now); wait > 4*time.Second {
		t.Errorf("%v until the next request, with %.1f a second left to us", wait, b.ours())
	}
}

// A fifth of the bucket is sure, less what reads back, until more was sent or it has refused.
func TestSure(t *testing.T) {
	b := newBucket(2, 50)
	for i, want := range []int{9, 8, 7} {
		if n := b.sure(epoch); n != want {
			t.Errorf("%d sure after %d requests, want %d", n, i, want)
		}
		b.take(epoch)
	}
	for range 8 {
		b.take(epoch)
	}
	if n := b.sure(epoch); n < 50 {
		t.Errorf("%d sure after 11 requests, want as many as may be", n)
	}
	b = newBucket(2, 50)
	b.take(epoch)
	b.refused(epoch, epoch)
	if n := b.sure(epoch); n < 50 {
		t.Errorf("%d sure after a refusal, which tells all, want as many as may be", n)
	}
}
