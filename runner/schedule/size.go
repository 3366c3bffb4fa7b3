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
	round  float64  // seconds of work below which a request of its own does not pay
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
// N = tokens + R*T - others tokens, so a batch has to hold W/N commands at
// least, or tokens run out before the work. It need not hold more than what
// its slot has to do until T, in as many equal batches as it takes to keep
// each below the limit; costs that vary call for more and shorter ones, which
// even out. And it should not be so short that the request costs more than
// its commands.
func (z sizing) size() int {
	w, c := float64(z.work), z.cost.mean
	slots := max(1, z.slots)
	// Above what is proven, the portal may serve the requests one after
	// another, and each waits for those before it.
	most := min(z.most, z.cost.largest(z.limit/max(1, z.trust), z.most))
	if c <= 0 {
		return min(z.work, most)
	}
	slotTime := (w*c + z.busy) / slots
	tokenTime := (w/float64(z.most) + z.others - float64(z.tokens)) / z.rate
	t := math.Floor(max(slotTime, tokenTime, 0))
	n := max(1, float64(z.tokens)+z.rate*t-z.others)

	share := slotTime / c // commands, for this slot until T
	rounds := math.Ceil(share/float64(most) - 1e-9)
	if v := z.cost.spread / c; v > 0.5 {
		rounds = max(rounds, uneven)
	}
	size := math.Ceil(share/max(1, rounds) - 1e-9)
	size = max(size, math.Ceil(w/n-1e-9), math.Floor(z.round/c))
	return int(min(max(size, 1), float64(most), w))
}

// uneven is in how many batches a slot divides its share of the work left
// where costs vary widely. As it is asked anew for each batch, they get
// shorter towards the end.
const uneven = 2
