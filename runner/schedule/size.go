package schedule

import (
	"math"
	"slices"
	"time"

	"syncsources/bitrix/rest"
)

// What the size of a batch goes by where costs are unknown.
const (
	// few writes go at once and each by itself, whatever they cost: even a bucket
	// that others have nearly filled has room for them.
	few = 8
	// probeTime is how long an answer may take, beside what every request takes
	// on its way, before further commands go ahead: by then it is known that
	// commands are slow, so that slots are dearer than tokens.
	probeTime = 0.25 // s
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

// What a request more must gain, as a part of the time that a token takes to
// flow out of the bucket.
const (
	// price is for the token: whoever comes next, this run's writes or another
	// run, finds it missing.
	price = 0.12
	// risk is for going beyond what is surely free, once: what the portal refuses
	// waits for its next step.
	risk = 1
)

// anyOf is the class that all reads, or all writes, are measured with as well.
func anyOf(write bool) string {
	if write {
		return "any write"
	}
	return "any read"
}

// estimate is what a command of this kind is expected to cost: as measured for
// its class, or else for its method, or else for any that read or write, or else
// the usual. Its n is 0 where its class was not measured.
func (s *Scheduler) estimate(k kind) estimate {
	e := s.cost(k.class).estimate()
	for _, class := range []string{k.method, anyOf(k.write)} {
		if e.n == 0 {
			e = s.cost(class).estimate()
			e.n = 0
		}
	}
	if e.mean == 0 && k.write && !s.known(true) {
		e.mean = usualWrite
	}
	return e
}

// known reports whether any read, or write, was measured.
func (s *Scheduler) known(write bool) bool { return s.cost(anyOf(write)).n > 0 }

// mostOf is the maximum number of commands from the lanes that a batch should hold.
func (s *Scheduler) mostOf(lanes []*lane) int {
	most := min(s.conf.BatchSize, lanes[0].suspect.most())
	for _, l := range lanes {
		if e := s.estimate(l.kind); e.n > 0 {
			most = e.largest(s.conf.planned(), most)
		}
	}
	return most
}

// readSize is the size of the next batch of reads, or 0 if none should go now.
//
// Where it is unknown what reads take, the first request holds few of them, and
// best what full ones would leave over. Then each request more has to gain a
// quarter of its price, because somebody waits for reads with all that comes
// after them.
func (s *Scheduler) readSize(lanes []*lane, now time.Time) int {
	n, most := s.waiting(lanes), s.mostOf(lanes)
	work := 0.0
	for _, l := range lanes {
		work += float64(len(l.items)) * s.estimate(l.kind).mean
	}
	if !s.known(false) && n > probeRead {
		if slices.ContainsFunc(s.inFlight, func(r *request) bool { return !r.write }) {
			return 0 // its answer tells
		}
		if n <= 2*probeRead {
			return (n + 1) / 2
		}
		if rest := n % most; rest > 0 && rest <= probeRead {
			return rest
		}
		return 1
	}
	free, busy := min(s.slots()-len(s.inFlight), s.bucket.tokens(now)), 0.0
	for _, r := range s.inFlight {
		if !r.write {
			busy = max(busy, r.left(now))
		}
	}
	requests := s.worthwhile(n, work/float64(n), busy, price/4, risk/4, free, s.bucket.sure(now))
	return min((n+requests-1)/requests, most)
}

// worthwhile is over how many requests n commands of that cost should be spread,
// no more than most, where others take so long anyhow: each one more has to gain
// its price, and those beyond the sure ones what they risk.
func (s *Scheduler) worthwhile(n int, cost, others, price, risk float64, most, sure int) int {
	best, least := 1, math.Inf(1)
	for k := 1; k <= min(n, most); k++ {
		c := max(others, math.Ceil(float64(n)/float64(k))*cost) + price/s.bucket.ours()*float64(k)
		if k > sure {
			c += risk / s.bucket.ours()
		}
		if c < least-1e-9 {
			best, least = k, c
		}
	}
	return best
}

// slots is how many requests may be in flight.
func (s *Scheduler) slots() int {
	_, writes := s.queue.in(func(k kind) bool { return k.write })
	return s.limiter.slots(writes, len(s.inFlight))
}

// writeSize is the size of the next batch from lanes of writes that cost alike,
// or 0 if none should go now. all are the lanes that wait as well.
func (s *Scheduler) writeSize(from, all []*lane, now time.Time, b *blocked) int {
	l := from[0]
	bud := s.budget(l.method)
	oldest := slices.IndexFunc(s.inFlight, func(r *request) bool { return r.items[0].Command.Method() == l.method })
	if bud.asking && oldest >= 0 {
		return 0
	}
	if bud.asking || s.budget(rest.MethodBatch).asking {
		return 1
	}
	e := s.estimate(l.kind)
	most := min(s.conf.BatchSize, l.suspect.most())
	if l.alone {
		most = 1
	}
	if e.n == 0 {
		e.mean = max(e.mean, usualWrite)
		return s.blindSize(l, s.waiting(all), s.sizing(from, e, most, now), now, b)
	}
	e.mean = 0
	for _, x := range from {
		e.mean += s.estimate(x.kind).mean * float64(len(x.items)) / float64(s.waiting(from))
	}
	z := s.sizing(from, e, most, now)
	size := z.size()
	if s.growing(z) {
		size = 1
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

// growing reports whether the next request should hold a single command, so that
// it shows soon whether more may be in flight: where that gains more than the
// tokens of a round of such requests take to flow out.
func (s *Scheduler) growing(z sizing) bool {
	l := s.limiter
	if l.waited || l.limit == l.ceiling || z.cost.mean <= 0 {
		return false
	}
	slots := z.time()
	return slots-max(slots*l.limit/l.ceiling, z.tokenTime()) > l.limit/z.rate
}

// blindSize is the size of the next batch of writes of which nobody knows what
// they cost.
//
// A few go at once. Of more, one goes ahead. Where its answer takes long, the
// others follow, if batches of no more than mostBlind suffice; if not, a few
// more go ahead, or as many as show whether more may be in flight.
func (s *Scheduler) blindSize(l *lane, waiting int, z sizing, now time.Time, b *blocked) int {
	inFlight, probes := 0, 0
	var first *request
	for _, r := range s.inFlight {
		if r.write && (r.items[0].class == l.class || !s.known(true)) {
			inFlight += len(r.items)
			probes++
			if first == nil {
				first = r
			}
		}
	}
	size := min(z.size(), mostBlind)
	if waiting+inFlight <= few {
		return size
	}
	if first == nil {
		return 1
	}
	suffice := z.needed() <= mostBlind
	wait := probeTime
	if !suffice {
		wait *= float64(min(probes, fewProbes)) / 2
	}
	if enough := first.sentAt.Add(time.Duration((s.clock.base + wait) * float64(time.Second))); enough.After(now) {
		b.by(enough, WaitAnswer)
		return 0
	}
	switch {
	case suffice:
		return size
	case probes < fewProbes, s.growing(z):
		return 1
	}
	return 0
}

// closingSize is the size of a batch where the portal bills batches as a
// whole, and there is more work than the budget has room for. A batch is let
// in as long as anything is left of the budget. So the slots share what is
// left in equal rounds, to just below the limit, and the last round is as long
// as a batch may be.
func (s *Scheduler) closingSize(batch *budget, e estimate, most int) int {
	full := e.largest(s.conf.planned(), most)
	share := (batch.limit-batch.used)/float64(s.slots()) - e.mean // seconds
	rounds := math.Ceil(share / (float64(full) * e.mean))
	if size := int(share / rounds / e.mean); rounds >= 1 && size >= 1 {
		return size
	}
	return full
}

// sizing gathers what the size of the next batch from lanes that cost alike
// follows from.
func (s *Scheduler) sizing(from []*lane, e estimate, most int, now time.Time) sizing {
	n := s.waiting(from)
	z := sizing{work: n, cost: e, atHand: s.bucket.tokens(now), rate: s.bucket.ours(),
		cut: s.conf.cut() * s.limiter.served(), most: most}
	z.limit = min(z.cut, s.conf.planned())
	back := float64(n) * from[0].readBack() // requests
	for _, r := range s.inFlight {
		for _, it := range r.items {
			back += it.Command.ReadBack()
		}
	}
	_, lazies := s.queue.in(func(k kind) bool { return k.lazy })
	z.others = math.Ceil(back + float64(lazies)/float64(s.conf.BatchSize))
	// The lanes get as many slots as are worth it. Those that the user has named
	// cost nothing, unless later writes of this run need the tokens too.
	price := price
	if s.conf.Concurrency > 0 && s.coming == 0 {
		price = 0
	}
	seconds := float64(n) * e.mean
	for _, r := range s.inFlight {
		if slices.ContainsFunc(from, func(l *lane) bool { return r.items[0].class == l.class }) {
			n += len(r.items)
			seconds += r.planned
			z.busy = append(z.busy, r.left(now))
		}
	}
	z.slots = float64(s.worthwhile(n, seconds/float64(n), 0, price, risk, s.slots(), s.bucket.sure(now)+len(z.busy)))
	return z
}
