package schedule

import (
	"math"
	"testing"
	"time"

	"syncsources/bitrix"
	"syncsources/bitrix/rest"
)

func TestHeavyTailMovesTheMean(t *testing.T) {
	var c costs
	for i := range 400 {
		d := .3
		if i%100 == 50 {
			d = 20
		}
		c.add(d)
	}
	e := c.estimate()
	if e.mean < .45 || e.mean > .55 || e.spread < 1.5 {
		t.Errorf("%+v", e)
	}
	if n := e.largest(20, 50); n < 8 || n > 20 {
		t.Errorf("batches of %d", n)
	}
}

// answer is one that took so many seconds, of which the portal tells of each
// command.
func answer(elapsed float64, fine bool, told ...float64) *bitrix.Response {
	r := &bitrix.Response{Elapsed: time.Duration(elapsed * float64(time.Second))}
	for _, t := range told {
		r.Replies = append(r.Replies, bitrix.Reply{Time: rest.Time{Processing: time.Duration(t * float64(time.Second)), Fine: fine}})
	}
	return r
}

// The portal's figures count where they have fractions; where they are whole
// seconds, our own clock does, shared out over the commands.
func TestWholeSecondsAreNoMeasure(t *testing.T) {
	var c clock
	if _, took, each := c.read(answer(.35, true, .1, .2), 2); math.Abs(took-.3) > 1e-6 || each[0] != .1 || each[1] != .2 {
		t.Errorf("with fractions: %v in all, %v each", took, each)
	}
	c = clock{}
	c.read(answer(.05, false, 0), 1)
	for _, told := range [][]float64{{0, 0}, {1, 0}} {
		if _, took, each := c.read(answer(.25, false, told...), 2); math.Abs(took-.2) > 1e-6 || math.Abs(each[0]-.1) > 1e-6 || math.Abs(each[1]-.1) > 1e-6 {
			t.Errorf("told %v: %v in all, %v each", told, took, each)
		}
	}
}

// A portal that tells no times does not look as if all of them were waits.
func TestNoTimesAreNoWaits(t *testing.T) {
	var c clock
	c.read(answer(.05, false, 0), 1)
	if told, took, _ := c.read(answer(2.05, false, 0, 0), 2); told != took {
		t.Errorf("told %v of %v", told, took)
	}
}
