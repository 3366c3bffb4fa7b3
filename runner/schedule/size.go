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
	// others share one estimate, so that not each of many must be probed.
	classesApart = 8
)

// price is how many seconds a request more must gain, as a part of the time
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

// mostOf is the maximum number of commands from the lanes that a batch should hold.
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
		// The largest lane shows most; it must come first to be probed.
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
