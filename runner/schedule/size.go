package schedule

import "math"

// sizing is what the size of the next batch follows from.
type sizing struct {
	work   int      // W: commands waiting, that is to be divided into batches
	cost   estimate // c: of one of them
	slots  float64  // C: requests that may be in flight
	busy   float64  // seconds of work in flight
	tokens int      // requests that may be sent at once
	rate   float64  // R: further ones a second
	others float64  // requests that other work needs
	limit  float64  // seconds that a batch may take
	most   int      // commands that a batch may hold
	least  float64  // seconds of work below which a request of its own does not pay
	late   int      // requests in flight that take longer than planned
	queued bool     // requests wait at the portal, for who knows how long
	trust  float64  // how many times more requests than proven may be in flight
}

// size is the number of commands of the next batch.
//
// All the work waiting is done, at best, after
//
//	T = max((W*c + busy)/C, (W/most + others - tokens)/R)
//
// of which the first is how long the slots need, and the second until there
// are tokens for batches as full as can be. Until then there are
//
//	N = tokens + R*T - others
//
// tokens for this work, so a batch has to hold W/N commands at least, or
// tokens run out before the work does. It need not hold more than what its
// slot has to do until T, in as many equal batches as keep each below the
// limit. And it should not be so short that the request costs more than its
// commands.
//
// Where costs are uneven, or requests wait at the portal, equal batches would
// end far apart. There each batch takes a part of all the work that is left,
// W/x: batches get shorter towards the end and even out what the slow commands
// have put in disorder. x is what the tokens allow, see parts.
func (z sizing) size() int {
	w, c := float64(z.work), z.cost.mean
	slots := max(1, z.slots)
	// Above what is proven, the portal may serve requests one after another,
	// so that each waits for those before it.
	most := min(z.most, z.cost.largest(z.limit/max(1, z.trust), z.most))
	if c <= 0 {
		return min(z.work, most)
	}
	slotTime := (w*c + z.busy) / slots
	tokenTime := (w/float64(z.most) + z.others - float64(z.tokens)) / z.rate
	t := math.Floor(max(slotTime, tokenTime, 0))
	n := max(1, float64(z.tokens)+z.rate*t-z.others)

	// As long as few costs are known, some may be far higher.
	wary := float64(min(most, z.cost.wary(z.limit, 1+z.late).largest(z.limit/max(1, z.trust), z.most)))
	share := slotTime / c // commands, for this slot until T
	size := math.Ceil(share/max(1, math.Ceil(share/wary-1e-9)) - 1e-9)
	if (z.cost.spread > uneven*c || z.queued) && wary > 1 {
		size = min(wary, math.Ceil(w/min(max(parts(w, wary, n), slots), finest*slots)-1e-9))
	}
	size = max(size, math.Ceil(w/n-1e-9), math.Floor(z.least/c))
	return int(min(max(size, 1), float64(most), w))
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
