package schedule

import (
	"syncsources/bitrix"
	"syncsources/bitrix/rest"
)

// suspicion is how likely a command is what its requests fail by: an object
// whose text a firewall refuses, or over which the portal's program dies,
// fails with all that share its batch.
type suspicion int

const (
	innocent suspicion = iota
	suspect            // its batches have failed, and are small now
	isolated           // it goes by itself
)

// suspicionOf is that of a command whose answers were lost this many times. One
// loss is an accident.
func suspicionOf(lost int) suspicion {
	return suspicion(min(max(lost-1, int(innocent)), int(isolated)))
}

// most is how many commands of this suspicion share a batch. The root of a
// full one finds one of 50 in two rounds with the fewest requests.
func (s suspicion) most() int { return [...]int{bitrix.MaxBatch, 7, 1}[s] }

// trial is what is known of refusals that may be due to single commands or to
// what all of them have in common: the credentials, or a block. They are of all
// if nothing succeeds between them.
type trial struct {
	good    bool    // something was answered in this run
	refused int     // requests since the last answer
	pending []*item // refused by themselves, while nothing is known to be good
	err     *rest.Error
}

// enough refusals in a row doom a run: few where nothing was ever answered. One
// bad object makes three at most, when its batch, a part of it and it alone are
// refused.
func (t *trial) enough() int {
	if t.good {
		return 6
	}
	return 3
}

// acquitted takes note that something of this kind was answered. What was
// refused was so for itself.
func (s *Scheduler) acquitted(write bool) {
	t := s.trials[write]
	t.good, t.refused = true, 0
	s.release(t)
}

func (s *Scheduler) release(t *trial) {
	for _, it := range t.pending {
		s.deliver(it, bitrix.Reply{Err: t.err})
	}
	t.pending = nil
}

// refusedAsOne deals with commands that were refused together, so that none of
// them ran - unless a page says so, see [Task.Once]. whole is set where the
// request was refused, and not each of them.
func (s *Scheduler) refusedAsOne(r *request, items []*item, e *rest.Error, whole bool) {
	t := s.trials[r.write]
	t.refused++
	t.err = e
	page := e.Reaction() == rest.Filtered
	if page && len(items) == 1 && items[0].Once {
		items[0].mayHaveRun(r.leftAt)
	}
	doomed := !content(e) || t.refused >= t.enough() || !s.answered() && !page
	switch {
	case doomed:
		s.stop(e)
	case whole && len(items) > 1:
		next := suspect
		if len(items) <= suspect.most() {
			next = isolated
		}
		var again []*item
		for _, it := range items {
			it.suspect = max(it.suspect, next)
			if page && it.Once {
				it.mayHaveRun(r.leftAt)
				s.deliver(it, bitrix.Reply{Err: e})
				continue
			}
			again = append(again, it)
		}
		s.queue.putBack(again)
		return
	case !t.good && !(page && s.answered()):
		t.pending = append(t.pending, items...)
		return
	}
	for _, it := range items {
		s.deliver(it, bitrix.Reply{Err: e})
	}
}

// answered reports whether anything was answered in this run.
func (s *Scheduler) answered() bool { return s.trials[true].good || s.trials[false].good }

// judge ends what is left to be judged when nothing else is going on: where nothing
// succeeded, the refusal was that of all. It reports whether there was anything.
func (s *Scheduler) judge() bool {
	any := false
	for _, t := range s.trials {
		if len(t.pending) > 0 {
			any = true
			s.stop(t.err)
			s.release(t)
		}
	}
	return any
}

// final reports whether an error fails every call, whatever else succeeds.
func final(e *rest.Error) bool {
	return e.Final || e.Code == rest.NoToken || e.Code == rest.ExpiredToken || e.Code == rest.OverloadLimit
}

// content reports whether an error that would fail every call may be due to
// what one command holds, or asks for, all the same.
func content(e *rest.Error) bool {
	switch e.Code {
	case rest.AccessDenied, "NO_AUTH_FOUND", "INVALID_CREDENTIALS", "insufficient_scope", "user_access_error":
		return !final(e)
	}
	return e.Reaction() == rest.Filtered
}
