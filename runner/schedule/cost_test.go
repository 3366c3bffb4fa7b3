package schedule

import (
	"testing"
	"time"
)

func TestHeavyTailMovesTheMeanNotTheMedian(t *testing.T) {
	var c costs
	for i := range 400 {
		d := 300 * time.Millisecond
		if i%100 == 50 {
			d = 20 * time.Second
		}
		c.add(d)
	}
	e := c.estimate()
	if e.median != .3 || e.mean < .45 || e.mean > .55 || e.spread < 1.5 {
		t.Errorf("%+v", e)
	}
	if n := e.largest(20, 50); n < 10 || n > 25 {
		t.Errorf("batches of %d", n)
	}
}

func TestARiseShowsAtOnce(t *testing.T) {
	var c costs
	for range 512 {
		c.add(100 * time.Millisecond)
	}
	if n := c.estimate().largest(20, 50); n != 50 {
		t.Fatalf("batches of %d, want 50", n)
	}
	for range recent {
		c.add(2 * time.Second)
	}
	if e := c.estimate(); e.mean < 2 || e.largest(20, 50) > 10 {
		t.Errorf("after a rise to 2 s: %+v, batches of %d", e, e.largest(20, 50))
	}
	for range 512 {
		c.add(100 * time.Millisecond)
	}
	if n := c.estimate().largest(20, 50); n != 50 {
		t.Errorf("after the fall: batches of %d, want 50", n)
	}
}

func TestCutHalvesAndGrowsBack(t *testing.T) {
	var c costs
	c.cut(40)
	if c.most != 20 {
		t.Fatalf("cap %d after a cut of 40", c.most)
	}
	c.cut(50)
	if c.most != 20 {
		t.Errorf("a later cut of a larger batch raised the cap to %d", c.most)
	}
	c.cut(1)
	if c.most != 1 {
		t.Errorf("cap %d after a cut of 1", c.most)
	}
	for range 40 {
		c.passed(c.most)
	}
	if c.most < 50 {
		t.Errorf("cap %d after 40 good batches", c.most)
	}
	before := c.most
	for range 40 {
		c.passed(1)
	}
	if c.most != before {
		t.Error("batches below the cap lifted it")
	}
}
