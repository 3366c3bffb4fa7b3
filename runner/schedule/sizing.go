package schedule

import "math"

// sizing is what the size of the next batch follows from.
type sizing struct {
	work     int      // W: commands waiting, that is to be divided into batches
	cost     estimate // c: of one of them
	slots    float64  // C: requests that may be in flight
	busy     float64  // seconds of other work, in flight and waiting
	atHand   int      // requests that may be sent at once
	rate     float64  // R: further ones a second
	others   float64  // requests that other work needs
	limit    float64  // seconds that a batch should take at most
	cut      float64  // seconds that it may take where tokens are scarce
	most     int      // commands that a batch may hold
	least    float64  // seconds of work below which a request of its own does not pay
	overdue  int      // requests in flight that take longer than planned
	queueing bool     // requests wait at the portal, for who knows how long
}

// size is the number of commands of the next batch.
//
// All the work waiting is done, at best, after T: when the slots are through
// with it, at (W*c + busy)/C, and when the tokens suffice for it. A request that
// is sent at t can do no more until T than T - t seconds of work, and no more
// than a full batch; so what tokens allow until T is the sum of that over those
// at hand and those that flow out each second. See done.
//
// A batch must hold so many commands that the work is done at T, or tokens
// run out before the work does. It need not hold more than what its slot has to
// do until T, in as many equal batches as keep each below the limit. And it
// should not be so short that the request costs more than its commands.
//
// Where costs are uneven, or requests wait at the portal, equal batches would
// end far apart. There each batch takes a part of all the work that is left,
// W/x: batches get shorter towards the end and even out what the slow commands
// have put in disorder. x is what the tokens allow, see parts.
func (z sizing) size() int {
	w, c := float64(z.work), z.cost.mean
	slots := max(1, z.slots)
	most := z.cost.largest(z.limit, z.most)
	if c <= 0 {
		return min(z.work, most)
	}
	slotTime, needed := z.time(), z.needed()

	// As long as few costs are known, some may be far higher: one as long as
	// all that a slot must do would tell.
	tail := min(z.limit, slotTime)
	fit := float64(min(most, z.cost.pessimistic(tail, 1+z.overdue).largest(z.limit, z.most)))
	share := slotTime / c // commands, for this slot until T
	rounds := min(math.Ceil(share/fit-1e-9), math.Floor(share/needed+1e-9))
	size := math.Ceil(share/max(1, rounds) - 1e-9)
	if (z.cost.spread > uneven*c || z.queueing) && fit > 1 {
		n := max(1, z.tokens()+z.rate*math.Floor(slotTime))
		size = min(fit, math.Ceil(w/min(max(parts(w, fit, n), slots), finest*slots)-1e-9))
	}
	size = max(min(size, float64(most)), needed, math.Floor(z.least/c))
	// Where tokens are scarce a batch may take nearly as long as it can.
	return int(min(max(size, 1), w, float64(max(most, z.cost.largest(z.cut, z.most)))))
}

// time is how long the slots need for all the work.
func (z sizing) time() float64 { return (float64(z.work)*z.cost.mean + z.busy) / max(1, z.slots) }

// tokens is how many of those at hand are for this work.
func (z sizing) tokens() float64 { return float64(z.atHand) - z.others }

// done is how many seconds of work requests can do in t seconds that take no
// longer than each: those that can go now, and those of each further second.
func (z sizing) done(t, each float64) float64 {
	whole := math.Floor(max(0, t-each)) // seconds whose requests take that long
	rest := math.Floor(t) - whole       // those whose requests have less time left
	sum := whole*each + rest*(t-whole) - rest*(rest+1)/2
	return z.tokens()*min(each, t) + z.rate*sum
}

// needed is how many commands a batch must hold at least.
func (z sizing) needed() float64 {
	c := z.cost.mean
	work := float64(z.work) * c
	if c <= 0 {
		return 1
	}
	full := float64(z.most) * c
	t := max(z.time(), least(func(t float64) bool { return z.done(t, full) >= work }))
	each := least(func(each float64) bool { return z.done(t, each) >= work })
	return min(max(1, math.Ceil(each/c-1e-6)), float64(z.most))
}

// least is the smallest positive number for which ok holds, which does so for
// all larger ones.
func least(ok func(float64) bool) float64 {
	high := 1e-3
	for !ok(high) && high < 1e9 {
		high *= 2
	}
	low := high / 2
	for range 30 {
		if mid := (low + high) / 2; ok(mid) {
			high = mid
		} else {
			low = mid
		}
	}
	return high
}

// parts is the x for which n requests do for w commands in batches of w/x of
// what is left, but no more than m. That takes full batches of m first, from
// w = x*m on shorter ones, and single commands from w = x on:
//
//	w/m + x*ln(m)        requests, or, where w < x*m,
//	x + x*ln(w/x)
func parts(w, m, n float64) float64 {
	low, high := 1.0, w
	for range 30 {
		x := (low + high) / 2
		needed := w/m + x*math.Log(m)
		if w < x*m {
			needed = x + x*math.Log(w/x)
		}
		if needed <= n {
			low = x
		} else {
			high = x
		}
	}
	return low
}

// uneven is the spread of costs, as part of their mean, from which on they
// count as uneven.
const uneven = 0.5

// finest bounds how many times smaller than the share of its slot a batch is.
const finest = 4
