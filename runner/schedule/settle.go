package schedule

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"syncsources/bitrix"
	"syncsources/bitrix/rest"
)

// maxLost is how often an item is sent that may be repeated and gets lost.
const maxLost = 6

// settle takes the answer to a request: learns from it, hands out what is
// final, and puts back what must be sent again.
func (s *Scheduler) settle(r *request) {
	now := time.Now()
	s.inFlight = slices.DeleteFunc(s.inFlight, func(f *request) bool { return f == r })
	for _, it := range r.items {
		s.budget(it.Command.Method()).planned -= it.planned
		if it.Again {
			s.stats.Retries++
		}
		it.Again = true
	}
	if r.resp == nil {
		r.resp = &bitrix.Response{}
	}
	if r.resp.Elapsed == 0 {
		r.resp.Elapsed = r.answeredAt.Sub(r.sentAt)
	}
	r.leftAt = r.answeredAt.Add(-r.resp.Elapsed)
	s.note(r)
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
	s.bucket.accepted = true
	s.refusals.succeeded(r.sentAt)
	if r == s.probe {
		s.cautious, s.probe = false, nil
	}
}

// settleFailed deals with a request that failed as a whole.
func (s *Scheduler) settleFailed(r *request, e *rest.Error, now time.Time) {
	what := e.Reaction()
	if e.Code != rest.Network && e.Code != rest.BadAnswer && what != rest.NotDelivered || what == rest.Filtered {
		s.outage.answered()
	}
	switch what {
	case rest.Throttled:
		s.refuse(r, now)
		if e.Code == rest.BadAnswer { // a firewall's page, which may be about one object
			s.repeat(r.items, e)
			return
		}
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
		s.missed(r, e, now)
		if e.Code == rest.ExpiredToken && e.Status == 0 { // it waited for a token, which is there now
			s.queue.putBack(r.items)
			return
		}
		s.losses.failed(now, r.sentAt)
		s.repeat(r.items, e)
	case rest.Unknown:
		if e.Code == rest.Internal { // it may have been sent, and the next one would panic too
			s.stop(e)
		}
		s.lose(r, e, now)
	case rest.Fatal, rest.Filtered:
		if r.alone && r.items[0].Optional {
			s.deliver(r.items[0], bitrix.Reply{Err: e})
			return
		}
		s.refusedAsOne(r, r.items, e, true)
	default:
		s.acquitted(r.write)
		if r.alone {
			s.budget(r.items[0].Command.Method()).passed(r.sentAt)
		}
		s.finish(r, e)
	}
}

// refuse reacts to a 503: the image of the bucket is corrected, and everybody
// pauses. Of several refusals of the same moment one counts.
func (s *Scheduler) refuse(r *request, now time.Time) {
	s.bucket.refused(r.sentAt, now)
	s.refusals.failed(now, r.sentAt)
}

// lose deals with a request that may have run or not. Reads are sent again;
// writes go to the caller, who reads back.
func (s *Scheduler) lose(r *request, e *rest.Error, now time.Time) {
	// A portal may cut earlier than we were told.
	cut := r.resp.Elapsed >= s.conf.RequestTime*9/10 || e.Status == http.StatusGatewayTimeout && r.resp.Elapsed > time.Second
	if cut {
		s.stats.Cut++
		*s.cost(r.items[0].class) = costs{} // what was known before no longer holds
		for _, it := range r.items {
			s.measured(it, r.resp.Elapsed.Seconds()/float64(len(r.items)))
		}
	}
	if cut || e.Status >= 500 {
		s.limiter.failed()
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
		s.cautious, s.probe = true, nil
	}
}

// repeat sends items again that may be sent any number of times, as often as is
// sensible: while the portal has answered nothing at all since, the outage
// decides when that has been enough. Where others were answered in between, an
// item may be what its requests are lost by.
func (s *Scheduler) repeat(items []*item, e *rest.Error) {
	var again []*item
	others := s.queue.len() > 0
	for _, it := range items {
		it.lost++
		away := s.outage.failed >= it.lost
		if it.lost >= maxLost && !away {
			s.deliver(it, bitrix.Reply{Err: e})
			continue
		}
		if away && it.lost > 1 { // others find out whether it is this one or the portal
			if !others { // those of its own request
				it.suspect = max(it.suspect, suspicionOf(it.lost))
			}
			s.queue.pushLast(it)
			continue
		}
		if !away {
			it.suspect = max(it.suspect, suspicionOf(it.lost))
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
	var again, lost, denied []*item
	var lostBy, deniedBy *rest.Error
	throttled, good := false, false
	for i, it := range r.items {
		var reply bitrix.Reply
		if i < len(r.resp.Replies) {
			reply = r.resp.Replies[i]
		} else {
			reply.Err = &rest.Error{Code: rest.BadAnswer, Message: "the portal's answer lacks this command", Method: it.Command.Method()}
		}
		if reply.Err == nil {
			good = true
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
		case what == rest.NotDelivered, what == rest.Unknown && !r.write:
			if what == rest.Unknown && !e.NotSent {
				it.mayHaveRun(r.leftAt)
			}
			lost, lostBy = append(lost, it), e
			continue
		case (what == rest.Fatal || what == rest.Filtered) && !it.Optional:
			denied, deniedBy = append(denied, it), e
			continue
		default:
			good = good || what != rest.Fatal && what != rest.Unknown
			if !e.NotSent {
				it.mayHaveRun(r.leftAt)
			}
			s.deliver(it, reply)
			continue
		}
		again = append(again, it)
	}
	if throttled {
		s.refuse(r, now)
	}
	if good {
		s.acquitted(r.write)
	}
	switch {
	case len(denied) == 0:
	case good && !final(deniedBy): // the credentials are good: it is theirs alone
		for _, it := range denied {
			it.mayHaveRun(r.leftAt)
			s.deliver(it, bitrix.Reply{Err: deniedBy})
		}
	default:
		s.refusedAsOne(r, denied, deniedBy, false)
	}
	s.repeat(lost, lostBy)
	s.queue.putBack(again)
}

// learn takes the measures off an answer: costs, congestion, budgets.
func (s *Scheduler) learn(r *request, now time.Time) {
	told, took, each := s.clock.read(r.resp, len(r.items))
	skew := time.Duration(0)
	if t := r.resp.Time; t.OperatingResetIn > 0 {
		skew = r.answeredAt.Add(t.OperatingResetIn).Sub(t.OperatingResetAt)
	}
	for i, it := range r.items {
		if i >= len(r.resp.Replies) {
			break
		}
		reply := &r.resp.Replies[i]
		b := s.budget(it.Command.Method())
		if reply.Err != nil {
			switch what := asError(reply.Err).Reaction(); {
			case what == rest.Held:
				continue
			case what != rest.Later && reply.Time.Processing == 0:
				b.passed(r.sentAt) // rejected, and that took no time
				if s.cost(it.class).n == 0 && r.write {
					s.measured(it, usualWrite) // or each of them would be tried by itself
				}
				continue
			}
		}
		s.measured(it, each[i])
		b.passed(r.sentAt)
		b.report(now, reply.Time, skew)
	}
	if !r.alone {
		batch := s.budget(rest.MethodBatch)
		batch.passed(r.sentAt)
		batch.report(now, r.resp.Time, skew)
	}
	s.limiter.answered(took, told, r.inFlight)
}

// measured notes how many seconds a command took; one whose request was cut, at
// least.
func (s *Scheduler) measured(it *item, seconds float64) {
	s.cost(it.class).add(seconds)
	if method := it.Command.Method(); it.class != method {
		s.cost(method).add(seconds)
	}
	s.cost(anyOf(it.Command.Writes())).add(seconds)
}

// asError makes a *rest.Error of what a Sender returned.
func asError(err error) *rest.Error {
	var e *rest.Error
	if errors.As(err, &e) {
		return e
	}
	return &rest.Error{Code: rest.Network, Message: "the portal's answer was lost: " + err.Error(), Err: err}
}
