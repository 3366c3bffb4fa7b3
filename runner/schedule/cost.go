package schedule

import (
	"math"

	"syncsources/bitrix"
)

// clock measures what requests and commands cost.
//
// Our own clock is the measure: what a request took, less the least that any
// request has needed, shared out over its commands. The portal's figures are
// finer, but only where they have fractions: since rest 25.700 they are whole
// seconds, each stamp floored. Their sum over many commands is right also then.
type clock struct {
	base  float64 // seconds: the least overhead of a request
	based bool
	fine  bool // the portal's figures have fractions
	tells bool // it has figures
}

// read returns what the commands of an answer cost: all of them as the portal
// tells, all of them by our clock, and the single ones; in seconds.
func (c *clock) read(resp *bitrix.Response, commands int) (told, took float64, each []float64) {
	each = make([]float64, commands)
	for i := range min(commands, len(resp.Replies)) {
		t := resp.Replies[i].Time
		c.fine = c.fine || t.Fine
		each[i] = t.Processing.Seconds()
		told += each[i]
	}
	c.tells = c.tells || told > 0
	elapsed := resp.Elapsed.Seconds()
	over := elapsed
	if c.fine {
		over = max(0, elapsed-told)
	}
	if !c.based || over < c.base {
		c.base, c.based = over, true
	}
	took = elapsed - c.base
	if !c.fine {
		for i := range each {
			each[i] = took / float64(commands)
		}
	}
	if !c.tells {
		told = took
	}
	return told, took, each
}

// costs keeps what the commands of one class have taken.
type costs struct {
	ring [512]float64 // seconds
	n    int          // samples so far
	est  estimate     // of the ring
	old  bool         // est is older than the ring
}

// estimate is what a command is expected to cost, in seconds.
type estimate struct {
	mean   float64
	spread float64 // standard deviation
	n      int     // samples behind it
}

// sigmas is how much of its joint spread a batch is given room for. More of it
// makes batches so small that tokens run out where costs have a heavy tail,
// less of it gets batches cut; measured, both ends cost more.
const sigmas = 1.5

func (c *costs) add(seconds float64) {
	c.ring[c.n%len(c.ring)] = seconds
	c.n++
	c.old = true
}

// estimate sums the samples up.
func (c *costs) estimate() estimate {
	if !c.old {
		return c.est
	}
	c.old = false
	all := c.ring[:min(c.n, len(c.ring))]
	var sum, squares float64
	for _, v := range all {
		sum += v
	}
	mean := sum / float64(len(all))
	for _, v := range all {
		squares += (v - mean) * (v - mean)
	}
	c.est = estimate{mean, math.Sqrt(squares / float64(len(all))), len(all)}
	return c.est
}

// largest is the largest batch expected to take no longer than limit seconds:
// the n for which n commands and some of their joint spread fit into it,
//
//	n*mean + sigmas*spread*sqrt(n) <= limit
func (e estimate) largest(limit float64, most int) int {
	if e.mean <= 0 {
		return most
	}
	half := sigmas / 2 * e.spread
	root := (math.Sqrt(half*half+e.mean*limit) - half) / e.mean
	return max(1, int(min(root*root+1e-9, float64(most))))
}

// pessimistic is the estimate with one more command that took as long as
// tail: as long as few are known, none of them says that there are no slow
// ones.
func (e estimate) pessimistic(tail float64) estimate {
	n, off := float64(e.n), tail-e.mean
	e.spread = math.Sqrt((e.spread*e.spread*n + off*off) / (n + 1))
	return e
}
