package schedule

import (
	"testing"
	"time"

	"syncsources/bitrix/rest"
)

func at(s float64) time.Time { return epoch.Add(time.Duration(s * float64(time.Second))) }

func used(seconds float64, reset time.Time) rest.Time {
	return rest.Time{Operating: time.Duration(seconds * float64(time.Second)), OperatingResetAt: reset}
}

func TestUsedUpBudgetIsHeldUntilTheReset(t *testing.T) {
	b := newBudget(480 * time.Second)
	b.report(at(30), used(480, at(600)), 0)
	if got := b.open(at(31)); !got.Equal(at(601)) {
		t.Fatalf("open at %v, want 601 s", got.Sub(epoch))
	}
	if got := b.open(at(602)); !got.Equal(at(602)) {
		t.Fatalf("not open after the reset: %v", got.Sub(epoch))
	}
	if !b.asking {
		t.Error("what the reset has forgiven is not asked by one command")
	}
	b.passed(at(603))
	b.report(at(603), used(30, at(1203)), 0)
	if left := b.left(at(604)); b.asking || left != 450 {
		t.Errorf("%v s left after the answer", left)
	}
}

// Nothing is forgiven later than ten minutes from now, whatever the portal's
// clock says.
func TestResetOfAnotherClock(t *testing.T) {
	b := newBudget(480 * time.Second)
	b.report(at(30), used(480, at(600+5*3600)), 0)
	if got := b.open(at(31)); !got.Equal(at(631)) {
		t.Fatalf("open at %v, want 631 s", got.Sub(epoch))
	}
}

// An answer that was overtaken by a later one takes nothing back.
func TestOvertakenAnswerOfAnEarlierWindow(t *testing.T) {
	b := newBudget(480 * time.Second)
	b.report(at(601), used(20, at(1200)), 0)
	b.report(at(602), used(470, at(1100)), 0)
	if left := b.left(at(603)); left != 460 {
		t.Errorf("%v s left, want 460", left)
	}
}

// Another job has spent the time: that shows in the answer to the one that
// asks, not in what we have spent ourselves.
func TestAResetThatForgivesLittleIsAskedAgain(t *testing.T) {
	b := newBudget(480 * time.Second)
	b.report(at(30), used(481, at(600)), 0)
	for _, reset := range []float64{660, 720} {
		now := b.open(at(40))
		b.passed(now)
		b.report(now, used(480, at(reset)), 0)
		if got := b.open(now); !got.Equal(at(reset + 1)) {
			t.Errorf("open at %v, want %v s", got.Sub(epoch), reset+1)
		}
	}
}

// A clock that is behind ours tells resets that seem to have passed.
func TestResetOfASlowClock(t *testing.T) {
	b := newBudget(480 * time.Second)
	b.report(at(30), used(480, at(600-3600)), time.Hour)
	if got := b.open(at(31)); !got.Equal(at(601)) {
		t.Fatalf("open at %v, want 601 s", got.Sub(epoch))
	}
}

func TestRefusalWithoutAKnownResetWaitsTwiceAsLongEachTime(t *testing.T) {
	b := newBudget(480 * time.Second)
	now := epoch
	var waits []time.Duration
	for range 7 {
		b.refused(now)
		b.refused(now) // another command of the same batch
		waits = append(waits, b.open(now).Sub(now))
		now = b.open(now)
		if !b.asking {
			t.Fatal("more than one command goes ahead")
		}
	}
	want := []time.Duration{10, 20, 40, 80, 160, 300, 300}
	for i, w := range want {
		if waits[i] != w*time.Second {
			t.Fatalf("waits %v, want %v s", waits, want)
		}
	}
	b.report(now, used(5, now.Add(10*time.Minute)), 0)
	b.resetAt = time.Time{}
	b.refused(now)
	if got := b.open(now).Sub(now); got != firstHold {
		t.Errorf("the first wait after an answer is %v", got)
	}
}

func TestALowerLimitIsLearned(t *testing.T) {
	b := newBudget(480 * time.Second)
	b.report(at(10), used(400, at(600)), 0)
	b.planned = 20
	b.refused(at(11))
	if b.limit != 420 {
		t.Errorf("limit %v, want 420", b.limit)
	}
	c := newBudget(480 * time.Second)
	c.report(at(10), used(300, at(600)), 0)
	c.planned = 250 // enough to explain the refusal
	c.refused(at(11))
	if c.limit != 480 {
		t.Errorf("limit %v, want 480", c.limit)
	}
}

func TestNoBudget(t *testing.T) {
	b := newBudget(-1)
	b.report(at(10), used(100000, at(600)), 0)
	if !b.open(at(11)).Equal(at(11)) {
		t.Error("held without a limit")
	}
	b.refused(at(11)) // the portal has one all the same
	if got := b.open(at(12)); !got.Equal(at(601)) {
		t.Errorf("open at %v, want 601 s", got.Sub(epoch))
	}
}

func TestAnswersThatWereOvertaken(t *testing.T) {
	b := newBudget(480 * time.Second)
	b.report(at(10), used(100, at(600)), 0)
	b.report(at(10), used(90, at(600)), 0)
	if b.used != 100 {
		t.Errorf("an older answer took %v for the latest", b.used)
	}
	b.report(at(610), used(20, at(1200)), 0)
	b.report(at(611), used(0, at(1200)), 0)
	if b.used != 20 || !b.resetAt.Equal(at(1200)) {
		t.Errorf("used %v, reset %v", b.used, b.resetAt.Sub(epoch))
	}
}
