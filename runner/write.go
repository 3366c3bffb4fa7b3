package runner

import (
	"errors"
	"slices"
	"time"

	"syncsources/bitrix/rest"
	"syncsources/runner/schedule"
)

// writeAll sends the writes that remove the entry's differences, one after the
// other. It reports whether there is something to read back; if not, the entry
// has ended.
func (a *apply) writeAll(f *flow, e *entry) bool {
	e.lost = nil
	diffs := a.gates.filter(f, a, e, e.diffs)
	writes := e.subject.writes(diffs)
	if slices.ContainsFunc(writes, func(w write) bool { return w.fresh }) {
		if !a.readBack(f, e, atOnce) {
			return false
		}
		writes = e.subject.writes(e.read.diffs)
	}
	for _, w := range writes {
		if w.active && !a.gates.enter(f, a, e, "active") {
			e.acknowledged["active"], e.unsent["active"] = true, true
			continue
		}
		switch a.write(f, e, w) {
		case acknowledged:
			for _, path := range w.paths {
				e.acknowledged[path] = true
			}
		case unclear:
			return true
		case spent:
			return false
		}
	}
	if len(e.unsent) > 0 && e.result.Attempts == 0 {
		a.fail(e, e.notConverged(e.diffs))
		return false
	}
	return true
}

// result is what became of a write.
type written int

const (
	acknowledged written = iota
	unclear              // it may have run or not
	spent                // the entry has ended
)

// write sends one write. Where the external system refuses its connection
// check, it is sent once more a little later.
func (a *apply) write(f *flow, e *entry, w write) written {
	at := e.notBefore(time.Now())
	for {
		out := f.send(schedule.Task{Command: w.command, Again: slices.ContainsFunc(w.paths, e.hasSent), Lost: e.losses, NotBefore: at})
		a.count(e, out)
		e.sent = append(e.sent, w.paths...)
		if out.Skipped {
			return a.endUnsent(e)
		}
		if out.Reply.Err == nil && out.Reply.True() {
			return acknowledged
		}
		refused := refusal(out)
		switch what := refused.Reaction(); {
		case e.action == ActionDelete && string(refused.Code) == e.kind.notFound.Code:
			return acknowledged // somebody else was faster
		case what == rest.Unknown, what == rest.NotDelivered:
			e.lost = refused
			e.losses++
			return unclear
		case what == rest.Later && e.postponed == nil && !a.options.FailFast:
			e.postponed = refused
			a.logger.Info("the external system refused; trying once more later", "kind", string(e.kind.name), "name", e.declared.Name, "id", e.id)
			at = time.Now().Add(laterDelay)
		default:
			a.fail(e, failure(refused))
			return spent
		}
	}
}

// refusal is the error of an outcome that is not the documented success.
func refusal(out schedule.Outcome) *rest.Error {
	var refused *rest.Error
	if errors.As(out.Reply.Err, &refused) {
		return refused
	}
	refused = &rest.Error{Code: rest.BadAnswer, Message: "the portal answered the write with something that the method does not document"}
	if out.Reply.Err != nil {
		refused.Message = out.Reply.Err.Error()
	}
	return refused
}

func (e *entry) hasSent(path string) bool { return slices.Contains(e.sent, path) }

// count notes an answer to a write.
func (a *apply) count(e *entry, out schedule.Outcome) {
	if out.Sent > 0 {
		e.result.Attempts += out.Sent
		e.result.Verified = false // until it is read back after this write
	}
}

// notBefore is when a write may be sent: again at once after its first lost
// answer, which is an accident; after more of them in 1, 2, 4 and 8 s, so that
// all attempts together outlast a restart of what failed.
func (e *entry) notBefore(now time.Time) time.Time {
	if e.losses < 2 {
		return time.Time{}
	}
	return now.Add(time.Second << (min(e.losses, maxAttempts) - 2))
}

// endUnsent ends an entry whose next write will not be sent: it is read back if
// one was that may have changed it, failed if one was refused, and skipped if
// none was.
func (a *apply) endUnsent(e *entry) written {
	a.stopped = true
	switch {
	case e.result.Attempts > 0 && e.postponed == nil:
		return unclear
	case e.postponed != nil:
		a.fail(e, failure(e.postponed))
	default:
		a.end(e, StatusSkipped, nil)
	}
	return spent
}
