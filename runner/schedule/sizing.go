package schedule

import "math"

// sizing is what the size of the next batch follows from.
type sizing struct {
	work   int       // W: commands waiting, that is to be divided into batches
	cost   estimate  // c: of one of them
	slots  float64   // C: requests that may be in flight
	busy   []float64 // seconds for which requests in flight still keep their slots
	atHand int       // requests that may be sent at once
	rate   float64   // R: further ones a second
	others float64   // requests that other work needs
	limit  float64   // seconds that a batch should take at most
	cut    float64   // seconds that it may take where tokens are scarce
	most   int       // commands that a batch may hold
}

// size is the number of commands of the next batch.
//
// All the work waiting is done, at best, after T: when the slots are through
// with it, each command whole, and when the tokens suffice for it. A request that
// is sent at t can do no more until T than T - t seconds of work, and no more
// than a full batch; so what tokens allow until T is the sum of that over those
// at hand and those that flow out each second. See done.
//
// A batch must hold so many commands that the work is done at T, or tokens
// run out before the work does. It need not hold more than what its slot must do
// until T, in as many equal batches as keep each below the limit.
func (z sizing) size() int {
	w, c := float64(z.work), z.cost.mean
	most := z.cost.largest(z.limit, z.most)
	if c <= 0 {
		return min(z.work, most)
	}
	slotTime, needed := z.time(), z.needed()

	// As long as few costs are known, some may be far higher: one as long as
	// all that a slot must do would tell. The short batches that follow soon show
	// whether more may be in flight.
	tail := min(z.limit, slotTime)
	fit := float64(min(most, z.cost.pessimistic(tail).largest(z.limit, z.most)))

	share := math.Floor(slotTime/c + 1e-9) // commands, for this slot until T
	rounds := min(math.Ceil(share/fit-1e-9), math.Floor(share/needed+1e-9))
	size := math.Ceil(share/max(1, rounds) - 1e-9)
	size = max(min(size, float64(most)), needed)
	// Where tokens are scarce a batch may take nearly as long as it can.
	return int(min(max(size, 1), w, float64(max(most, z.cost.largest(z.cut, z.most)))))
}

// time is how long the slots need for all the work.
func (z sizing) time() float64 {
	return least(func(t float64) bool {
		sum := max(0, z.slots-float64(len(z.busy))) * math.Floor(t/z.cost.mean+1e-9)
		for _, busy := range z.busy {
			sum += max(0, math.Floor((t-busy)/z.cost.mean+1e-9))
		}
		return sum >= float64(z.work)
	})
}

// done is how many commands requests of no more than n can do in t seconds:
// those that can go now, and those of each further second. What other work
// needs is taken from those that come too late for a command.
func (z sizing) done(t, n float64) float64 {
	each := func(left float64) float64 { return min(n, math.Floor(left/z.cost.mean+1e-9)) }
	seconds := math.Floor(t)
	full := max(0, math.Floor(t-n*z.cost.mean)) // those whose requests have time for n
	sum, late := z.rate*full*n, 0.0
	for second := full + 1; second <= seconds; second++ {
		if k := each(t - second); k > 0 {
			sum += z.rate * k
		} else {
			late += z.rate
		}
	}
	return sum + max(1, float64(z.atHand)-max(0, z.others-late))*each(t)
}

// tokenTime is how long it takes until there are tokens for all the work.
func (z sizing) tokenTime() float64 {
	return least(func(t float64) bool { return z.done(t, float64(z.most)) >= float64(z.work) })
}

// needed is how many commands a batch must hold at least.
func (z sizing) needed() float64 {
	w, most := float64(z.work), float64(z.most)
	t := max(z.time(), z.tokenTime())
	n := 1.0
	for n < most && z.done(t, n) < w {
		n++
	}
	return n
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
