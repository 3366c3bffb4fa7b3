package schedule

import (
	"errors"
	"slices"
	"time"

	"syncsources/bitrix"
	"syncsources/bitrix/rest"
)

// maxLost is how often an item is sent that may be repeated and gets lost.
const maxLost = 8

// settle takes the answer to a request: learns from it, hands out what is
// final, and puts back what has to be sent again.
func (s *Scheduler) settle(r *request) {
	now := time.Now()
	s.flying = slices.DeleteFunc(s.flying, func(f *request) bool { return f == r })
	for _, res := range r.reserved {
		res.budget.flying = max(0, res.budget.flying-res.seconds)
	}
	if len(s.flying) == 0 {
		for _, b := range s.budgets {
			b.flying = 0
		}
	}
	for _, it := range r.items {
		if it.Again {
			s.stats.Retries++
		}
		it.Again = true
	}
	s.probed = s.probed || r.write
	if r.resp == nil {
		r.resp = &bitrix.Response{}
	}
	if r.resp.Elapsed == 0 {
		r.resp.Elapsed = r.answeredAt.Sub(r.sentAt)
	}
	r.leftAt = r.answeredAt.Add(-r.resp.Elapsed)
	refused := false
	if r.err != nil {
		e := asError(r.err)
		refused = e.Reaction() == rest.Throttled
		s.settleFailed(r, e, now)
	} else {
		s.outage.answered()
		s.losses.succeeded(r.sentAt)
		s.learn(r, now)
		s.settleReplies(r, now)
	}
	if refused {
		return
	}
	s.refusals.succeeded(r.sentAt)
	if r == s.scout {
		s.doubt, s.scout = false, nil
	}
}

// settleFailed deals with a request that failed as a whole.
func (s *Scheduler) settleFailed(r *request, e *rest.Error, now time.Time) {
	what := e.Reaction()
	if e.Code != rest.Network && e.Code != rest.BadAnswer && what != rest.NotDelivered {
		s.outage.answered()
	}
	switch what {
	case rest.Throttled:
		s.refuse(r, now)
		s.queue.putBack(r.items)
	case rest.Held:
		s.stats.Held++
		method := rest.MethodBatch
		if r.alone {
			method = r.items[0].Command.Method()
		}
		s.budget(method).refused(now)
		s.queue.putBack(r.items)
	case rest.CallAlone:
		s.callAlone(r, e)
	case rest.NotDelivered:
		s.losses.failed(now, r.sentAt)
		s.missed(r, e, now)
		s.queue.putBack(r.items)
	case rest.Unknown:
		s.lose(r, e, now)
	case rest.Fatal, rest.Filtered:
		if !(r.alone && r.items[0].Optional) {
			s.stop(e)
		}
		for _, it := range r.items { // refused as a whole, so none of it ran
			s.deliver(it, bitrix.Reply{Err: e})
		}
	default:
		if r.alone {
			s.budget(r.items[0].Command.Method()).passed(r.sentAt)
		}
		s.finish(r, e)
	}
}

// refuse reacts to a 503: the image of the bucket is corrected, and everybody
// pauses. Of several refusals of the same moment one counts.
func (s *Scheduler) refuse(r *request, now time.Time) {
	s.bucket.refused(now)
	s.refusals.failed(now, r.sentAt)
	s.doubt, s.scout = true, nil
}

// lose deals with a request that may have run or not. Reads are sent again;
// updates go to the caller, who reads back.
func (s *Scheduler) lose(r *request, e *rest.Error, now time.Time) {
	c := s.cost(r.items[0].Command.Class())
	est := c.estimate()
	cut := r.resp.Elapsed >= s.conf.RequestTime*9/10
	if cut {
		s.stats.Cut++
		c.cut(len(r.items))
	}
	if cut || e.Status >= 500 {
		s.limiter.failed(now, est)
	}
	s.losses.failed(now, r.sentAt)
	if e.Code == rest.Network || e.Code == rest.BadAnswer {
		s.missed(r, e, now)
	}
	for _, it := range r.items {
		it.mayHaveRun(r.leftAt)
	}
	if r.write {
		for _, it := range r.items {
			s.deliver(it, bitrix.Reply{Err: e})
		}
		return
	}
	s.repeat(r.items, e)
}

// missed notes a request that got no answer. Where that is not the only one,
// the next goes alone, to find out whether there is anybody again.
func (s *Scheduler) missed(r *request, e *rest.Error, now time.Time) {
	if err := s.outage.lost(now, r.sentAt, e); err != nil {
		s.stop(err)
	}
	if s.outage.failed > 1 {
		s.doubt, s.scout = true, nil
	}
}

// repeat sends items again that may be sent any number of times, as often as is
// sensible: while the portal has answered nothing at all since, the outage
// decides when that has been enough.
func (s *Scheduler) repeat(items []*item, e *rest.Error) {
	var again []*item
	for _, it := range items {
		if it.lost++; it.lost >= maxLost && s.outage.failed < it.lost || s.stopped != nil {
			s.deliver(it, bitrix.Reply{Err: e})
			continue
		}
		again = append(again, it)
	}
	s.queue.putBack(again)
}

// callAlone takes commands out of batches for good.
func (s *Scheduler) callAlone(r *request, e *rest.Error) {
	if r.alone {
		s.finish(r, e)
		return
	}
	for _, it := range r.items {
		it.alone = true
	}
	s.queue.putBack(r.items)
}

// finish hands out one outcome for all items of a request.
func (s *Scheduler) finish(r *request, e *rest.Error) {
	for _, it := range r.items {
		if it.sent == 0 {
			it.mayHaveRun(r.leftAt)
		}
		s.deliver(it, bitrix.Reply{Err: e})
	}
}

// settleReplies deals with the replies to the single commands.
func (s *Scheduler) settleReplies(r *request, now time.Time) {
	var again, lost []*item
	var lostBy *rest.Error
	throttled := false
	for i, it := range r.items {
		var reply bitrix.Reply
		if i < len(r.resp.Replies) {
			reply = r.resp.Replies[i]
		} else {
			reply.Err = &rest.Error{Code: rest.BadAnswer, Message: "the portal's answer leaves this command out", Method: it.Command.Method()}
		}
		if reply.Err == nil {
			it.mayHaveRun(r.leftAt)
			s.deliver(it, reply)
			continue
		}
		e := asError(reply.Err)
		switch what := e.Reaction(); {
		case what == rest.Held:
			s.stats.Held++
			s.budget(it.Command.Method()).refused(now)
		case what == rest.Throttled:
			throttled = true
		case what == rest.CallAlone && !it.alone:
			it.alone = true
		default:
			if s.settleError(r, it, reply, e) {
				lost, lostBy = append(lost, it), e
			}
			continue
		}
		again = append(again, it)
	}
	if throttled {
		s.refuse(r, now)
	}
	if len(lost) > 0 {
		s.repeat(lost, lostBy)
	}
	s.queue.putBack(again)
}

// settleError deals with an error of a single command. It reports whether the
// command got lost and may be sent again; if not, it is done.
func (s *Scheduler) settleError(r *request, it *item, reply bitrix.Reply, e *rest.Error) (lost bool) {
	if !e.NotSent {
		it.mayHaveRun(r.leftAt)
	}
	switch what := e.Reaction(); {
	case what == rest.NotDelivered, what == rest.Unknown && !it.write:
		return true
	case (what == rest.Fatal || what == rest.Filtered) && !it.Optional:
		s.stop(e)
	}
	s.deliver(it, reply)
	return false
}

// learn takes the measures off an answer: costs, congestion, budgets.
func (s *Scheduler) learn(r *request, now time.Time) {
	var service time.Duration
	for i := range r.resp.Replies {
		service += r.resp.Replies[i].Time.Processing
	}
	untold := service == 0
	service = max(service, r.resp.Time.Processing)
	if service == 0 && s.limiter.based {
		// The portal tells no times: ours have to do.
		service = max(0, r.resp.Elapsed-s.limiter.overhead())
	}
	spent := map[string]time.Duration{}
	counted := map[string]int{}
	for i, it := range r.items {
		if i >= len(r.resp.Replies) {
			break
		}
		method, reply := it.Command.Method(), &r.resp.Replies[i]
		b := s.budget(method)
		if reply.Err != nil {
			switch what := asError(reply.Err).Reaction(); {
			case what == rest.Held:
				continue
			case what != rest.Later && reply.Time.Processing == 0:
				b.passed(r.sentAt) // rejected, and that took no time
				continue
			}
		}
		took := reply.Time.Processing
		if untold {
			took = service / time.Duration(len(r.items))
		}
		s.cost(it.Command.Class()).add(took)
		spent[method] += took
		counted[it.Command.Class()]++
		b.passed(r.sentAt)
		b.report(now, reply.Time)
	}
	for method, d := range spent {
		s.budget(method).spend(now, d)
	}
	for class, n := range counted {
		s.cost(class).passed(n)
	}
	if !r.alone {
		batch := s.budget(rest.MethodBatch)
		batch.passed(r.sentAt)
		batch.spend(now, service)
		batch.report(now, r.resp.Time)
	}
	s.limiter.answered(now, r.resp.Elapsed, service, r.flying, s.cost(r.items[0].Command.Class()).estimate())
}

// asError makes an *rest.Error of what a Sender returned.
func asError(err error) *rest.Error {
	var e *rest.Error
	if errors.As(err, &e) {
		return e
	}
	return &rest.Error{Code: rest.Network, Message: "the portal's answer was lost: " + err.Error(), Err: err}
}
