package schedule

import (
	"math"
	"slices"
	"time"

	"syncsources/bitrix/rest"
)

// What the size of a batch goes by where costs are unknown.
const (
	// few writes go at once and each by itself, whatever they cost: no run of
	// that size needs more requests than a large one has slots.
	few = 16
	// probeTime is how long an answer may take, beside what every request takes
	// on its way, before further commands go ahead: by then it is known that
	// commands are slow, so that slots are dearer than tokens.
	probeTime = 250 * time.Millisecond
	// fewProbes are not lost by accident all at once.
	fewProbes = 3
	// mostBlind is how many commands a batch may hold then. Three that hang
	// for 20 s each are not cut.
	mostBlind = 3
	// usualWrite is what a write costs in the portal's documentation, in
	// seconds.
	usualWrite = 1.35
	// probeRead is how many reads of unknown cost a request may hold.
	probeRead = 4
	// classesApart is how many classes of a method are measured apart; the
	// others share one estimate, so that not each of many has to be probed.
	classesApart = 8
)

// price is how many seconds a request more has to gain, as a part of the time
// that a token takes to flow out of the bucket: whoever comes next, this run's
// writes or another run, finds it missing.
const price = 0.12

// estimate is what a command of this kind is expected to cost: as measured for
// its class, or else for its method.
func (s *Scheduler) estimate(k kind) estimate {
	if e := s.cost(k.class).estimate(); e.n > 0 {
		return e
	}
	e := s.cost(k.method).estimate()
	if k.class != k.method {
		e.n = 0
	}
	return e
}

// known reports whether anything is known of what a method's commands cost.
func (s *Scheduler) known(method string) bool { return s.cost(method).n > 0 }

// mostOf is the most commands from the lanes that a batch should hold.
func (s *Scheduler) mostOf(lanes []*lane) int {
	most := min(s.conf.BatchSize, lanes[0].suspect.most())
	for _, l := range lanes {
		c := s.cost(l.class)
		most = c.capped(most)
		if e := s.estimate(l.kind); s.known(l.method) {
			most = e.largest(s.conf.planned(), most)
		}
	}
	return most
}

// readSize is the size of the next batch of reads, or 0 if none should go now.
//
// Where it is unknown what reads take, the first request holds few of them, and
// best what full ones would leave over. Then n reads of c seconds go in batches
// of the size s for which
//
//	rounds*s*c + price/2*requests
//
// is least: so many requests that each of them gains more than half its price,
// because somebody waits for reads with all that comes after them.
func (s *Scheduler) readSize(lanes []*lane, now time.Time, b *blocked) int {
	n, most := s.waiting(lanes), s.mostOf(lanes)
	work, measured := 0.0, 0
	for _, l := range lanes {
		if s.known(l.method) {
			work += float64(l.len()) * s.estimate(l.kind).mean
			measured += l.len()
		}
	}
	if measured == 0 && n > probeRead {
		if first := slices.IndexFunc(s.inFlight, func(r *request) bool { return !r.write }); first >= 0 {
			if enough := s.inFlight[first].sentAt.Add(trialTime); enough.After(now) {
				b.by(enough, WaitAnswer)
				return 0
			}
		}
		// The largest lane tells most; it has to come first to be probed.
		slices.SortStableFunc(lanes, func(x, y *lane) int { return y.len() - x.len() })
		if rest := n % most; rest > 0 && rest <= probeRead {
			return rest
		}
		if len(s.inFlight) > 0 { // slow, or far away
			return min(most, (n+probeRead-1)/probeRead)
		}
		return 1
	}
	free := max(1, min(s.limiter.slots()-len(s.inFlight), s.bucket.tokens(now)))
	best, least := 1, math.Inf(1)
	for size := 1; size <= min(n, most); size++ {
		requests := math.Ceil(float64(n) / float64(size))
		rounds := math.Ceil(requests / float64(free))
		cost := rounds*float64(size)*work/float64(max(1, measured)) + price/2/s.bucket.ours()*requests
		if cost <= least {
			best, least = size, cost
		}
	}
	return best
}

// writeSize is the size of the next batch from a lane of writes, or 0 if none
// should go now. all are the lanes that wait as well.
func (s *Scheduler) writeSize(l *lane, all []*lane, now time.Time, b *blocked) int {
	bud := s.budget(l.method)
	oldest := slices.IndexFunc(s.inFlight, func(r *request) bool { return r.items[0].Command.Method() == l.method })
	if bud.asking && oldest >= 0 {
		return 0
	}
	if bud.asking || s.budget(rest.MethodBatch).asking {
		return 1
	}
	if !s.known(l.method) {
		return s.blindSize(l, all, now, b)
	}
	e := s.estimate(l.kind)
	if e.n == 0 { // the first of its class
		i := slices.IndexFunc(s.inFlight, func(r *request) bool { return r.items[0].class == l.class })
		if i >= 0 {
			if enough := s.inFlight[i].sentAt.Add(s.patienceOf(s.inFlight[i])); enough.After(now) {
				b.by(enough, WaitAnswer)
				return 0
			}
		}
		return 1
	}
	if l.alone {
		return 1
	}
	most := min(s.cost(l.class).capped(s.conf.BatchSize), l.suspect.most())
	z := s.sizing(l, all, e, most, now)
	size := z.size()
	// More requests than were ever served at a time may wait for each other.
	// They wait longest where the portal serves no more than was proven, and
	// not until the cut.
	if n := float64(len(s.inFlight)); n >= 2*s.limiter.proven && e.mean > 0 {
		safe := int(min(float64(size), s.limiter.proven*s.conf.cut()/((n+1)*e.mean)))
		if float64(safe) < min(float64(size), z.needed()) {
			return 0 // answers will prove more, and tokens do not suffice for so short ones
		}
		size = safe
	}
	if batch := s.budget(rest.MethodBatch); batch.billed && float64(z.work)*e.mean > batch.left(now) {
		// What does not fit into this window waits for ten minutes.
		size = min(z.work, s.closingSize(batch, e, most))
	}
	if left := bud.left(now); !math.IsInf(left, 1) && bud.billed && e.mean > 0 {
		room := int(math.Ceil(left/e.mean - 1e-9))
		if room < 1 && oldest >= 0 {
			return 0
		}
		size = min(size, max(1, room))
	}
	return size
}

// patienceOf is how long a request may take before its commands count as
// slow.
func (s *Scheduler) patienceOf(r *request) time.Duration {
	return probeTime + time.Duration((s.clock.base+r.planned)*float64(time.Second))
}

// blindSize is the size of the next batch of writes of which nobody knows what
// they cost.
//
// A few go at once. Of more, one goes ahead. Where its answer takes long,
// the others follow, if the tokens suffice for all of them in batches of no
// more than mostBlind; if not, so many as leave a token for each slot that will
// want one once the cost is known.
func (s *Scheduler) blindSize(l *lane, all []*lane, now time.Time, b *blocked) int {
	waiting, inFlight := s.waiting(all), 0
	var first *request
	for _, r := range s.inFlight {
		if r.write {
			inFlight++
			if first == nil {
				first = r
			}
		}
	}
	tokens := s.bucket.tokens(now)
	if waiting+inFlight <= few && waiting <= tokens || inFlight <= s.unmeasured || first == nil {
		return 1
	}
	slots := s.limiter.slots()
	suffice := tokens > 0 && waiting <= mostBlind*tokens
	enough := first.sentAt.Add(s.patienceOf(first))
	if !suffice && inFlight >= fewProbes && s.conf.Concurrency == 0 {
		enough = enough.Add(time.Duration(price / s.bucket.ours() * float64(slots) * float64(time.Second)))
	}
	if enough.After(now) {
		b.by(enough, WaitAnswer)
		return 0
	}
	if suffice {
		if l.alone {
			return 1
		}
		return min(l.len(), (waiting+tokens-1)/tokens, s.conf.BatchSize)
	}
	spare := tokens - max(slots, waiting/s.conf.BatchSize)
	if inFlight >= max(fewProbes, spare) {
		return 0
	}
	return 1
}

// closingSize is the size of a batch where the portal bills batches as a
// whole, and there is more work than the budget has room for. A batch is let
// in as long as anything is left of the budget. So the slots share what is
// left in equal rounds, to just below the limit, and the last round is as long
// as a batch may be.
func (s *Scheduler) closingSize(batch *budget, e estimate, most int) int {
	full := e.largest(s.conf.planned(), most)
	share := (batch.limit-batch.used)/float64(s.limiter.slots()) - e.mean // seconds
	rounds := math.Ceil(share / (float64(full) * e.mean))
	if size := int(share / rounds / e.mean); rounds >= 1 && size >= 1 {
		return size
	}
	return full
}

// sizing gathers what the size of the next batch from a lane follows from.
func (s *Scheduler) sizing(l *lane, all []*lane, e estimate, most int, now time.Time) sizing {
	z := sizing{work: l.len(), cost: e, atHand: s.bucket.tokens(now), rate: s.bucket.ours(),
		limit: s.conf.planned(), cut: s.conf.cut(), most: most, least: s.clock.base, queueing: s.limiter.queueing}
	for _, r := range s.inFlight {
		age := now.Sub(r.sentAt).Seconds()
		z.busy += max(0, r.planned-age)
		if r.write && age > 2*r.planned+1 {
			z.overdue++
		}
	}
	readBack := 0.0
	for _, o := range all {
		n, c := float64(o.len()), s.estimate(o.kind)
		readBack += n * o.readBack()
		switch {
		case o == l:
		case o.alone:
			z.others += n
		default:
			z.others += math.Ceil(n / float64(max(1, c.largest(z.limit, min(s.conf.BatchSize, o.suspect.most())))))
		}
		if o != l {
			z.busy += n * c.mean
		}
	}
	_, lazies := s.queue.in(func(k kind) bool { return k.lazy })
	z.others += math.Ceil(readBack + float64(lazies)/float64(s.conf.BatchSize))
	z.slots = float64(s.worthwhile())
	return z
}

// worthwhile is how many requests should be in flight for the writes that are
// left: as many as the caller allows, or, where that is up to us, as many as
// gain more than their price.
func (s *Scheduler) worthwhile() int {
	slots := s.limiter.slots()
	if s.conf.Concurrency > 0 {
		return slots
	}
	lanes, writes := s.queue.in(func(k kind) bool { return k.write })
	work := 0.0
	for _, l := range lanes {
		work += float64(l.len()) * s.estimate(l.kind).mean
		if !s.known(l.method) {
			work += float64(l.len()) * usualWrite
		}
	}
	for _, r := range s.inFlight {
		if r.write {
			writes += len(r.items)
			work += max(r.planned, 0)
			if !s.known(r.items[0].Command.Method()) {
				work += usualWrite * float64(len(r.items))
			}
		}
	}
	best, least := slots, math.Inf(1)
	for n := min(slots, firstInFlight/2); n <= slots+s.limiter.room(); n++ {
		each := math.Ceil(float64(writes) / float64(n))
		cost := each*work/float64(max(1, writes)) + price/s.bucket.ours()*float64(min(n, writes))
		if cost < least-1e-9 {
			best, least = n, cost
		}
	}
	return best
}

// readBack is what it costs to read back a write of the lane, in requests.
func (l *lane) readBack() float64 {
	if n := len(l.front); n > 0 {
		return l.front[n-1].Command.ReadBack()
	}
	return l.back[l.head].Command.ReadBack()
}

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
// A batch has to hold so many commands that the work is done at T, or tokens
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
	// all that a slot has to do would tell.
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

// needed is how many commands a batch has to hold at least.
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
