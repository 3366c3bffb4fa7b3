package runner

import (
	"fmt"
	"strings"
	"time"

	"syncsources/bitrix"
	"syncsources/bitrix/rest"
	"syncsources/runner/schedule"
)

// lastLookup is how long after the portal's request time an add is given up
// whose answer was lost: its database may be a little behind.
const lastLookup = 5 * time.Second

// create makes an object, exactly once. An add is not idempotent, and the
// portal continues with one whose connection is gone, for up to its request
// time. So a lost answer is settled by looking for the object until that time
// is over since the add was sent, and only then it is sent again.
//
// It reports whether the object exists now; if not, the entry has ended.
func (a *apply) create(f *flow, e *entry) bool {
	var at time.Time
	var refused *rest.Error // the last attempt, and it made nothing
	for again := false; ; again = true {
		out := f.send(schedule.Task{Command: e.subject.create(), Again: again, Lost: e.losses, Once: true, NotBefore: at})
		a.count(e, out)
		if out.Skipped {
			a.stopped = true
			if refused != nil {
				a.fail(e, e.refused(refused))
			} else {
				a.end(e, StatusSkipped, nil)
			}
			return false
		}
		id, err := bitrix.DecodeAdded(out.Reply)
		if err == nil && a.taken[claim{e.kind, id}] {
			err = &rest.Error{Code: rest.BadAnswer, Message: fmt.Sprintf("the portal answered with the id %d, which another %s has", id, e.kind.name)}
		}
		if err == nil {
			a.made(e, id)
			return true
		}
		out.Reply.Err = err
		refused = refusal(out)
		switch what := refused.Reaction(); {
		case what == rest.Unknown, what == rest.NotDelivered:
			a.logger.Debug("the answer to an add was lost; looking for the object", "kind", string(e.kind.name), "name", e.declared.Name, "reason", refused.Error())
			e.lost = refused
			if e.losses++; !a.settleAdd(f, e, out.LastSent) {
				return e.id != 0
			}
			if e.losses >= maxAttempts {
				failed := failure(refused)
				failed.Message += fmt.Sprintf("; the object was not created in %d attempts", e.result.Attempts)
				a.fail(e, failed)
				return false
			}
		case what == rest.Filtered:
			if !a.settleFiltered(f, e, refused) {
				return e.id != 0
			}
		case what == rest.Later && e.postponed == nil && !a.options.FailFast:
			e.postponed = refused
			at = time.Now().Add(laterDelay)
		default:
			a.fail(e, e.refused(refused))
			return false
		}
	}
}

// filteredAlone is what counts as losses of an add before it goes by itself:
// pages that refuse requests split their batches at once.
const filteredAlone = 3

// settleFiltered finds out whether an add was executed whose request a page
// refused: a firewall looks at answers too. The portal is done with it then, so
// that one look settles it. Like settleAdd it reports whether the add may be
// sent again.
func (a *apply) settleFiltered(f *flow, e *entry, refused *rest.Error) (again bool) {
	e.losses = max(e.losses+1, 2)
	ids, err := a.lookUp(f, e, time.Time{}, true)
	if a.found(e, ids, err) {
		return false
	}
	if e.losses > filteredAlone {
		a.fail(e, e.refused(refused))
		return false
	}
	return true
}

// found ends the search for an object that may have been made: it is there, or
// nobody can say. It reports false where it certainly is not.
func (a *apply) found(e *entry, ids []int64, err error) bool {
	switch {
	case err != nil:
		a.fail(e, &Failure{Code: CodeUnknownOutcome,
			Message: "the answer to the creation was lost, and its outcome could not be read: " + failure(err).Error(),
			Hint:    "run again: it looks for the object before it creates anything"})
	case len(ids) == 1:
		a.made(e, ids[0])
	case len(ids) > 1:
		a.fail(e, &Failure{Code: CodeAmbiguous, Message: fmt.Sprintf("after a creation whose answer was lost, %d live %ss are called %q", len(ids), e.kind.name, e.title),
			Hint: "remove one, or pin one with id"})
	default:
		return false
	}
	return true
}

// refused is the failure of an add that the portal refused.
func (e *entry) refused(err *rest.Error) *Failure {
	f := failure(err)
	if e.kind == tables && bitrix.NameTaken(err) {
		f.Code = CodeNameTaken
		f.Hint = "table names are unique on the whole portal, and somebody else uses this one: choose another"
	}
	return f
}

// made notes the id of a new object: those who depend on it may continue, and
// what it was made with must show.
func (a *apply) made(e *entry, id int64) {
	e.id, e.result.ID = id, id
	a.taken[claim{e.kind, id}] = true
	e.lost, e.losses = nil, 0
	for _, d := range e.diffs {
		e.acknowledged[d.path] = d.path != "active" && !strings.HasSuffix(d.path, ".visible") // these follow
	}
	a.logger.Debug("object created", "kind", string(e.kind.name), "name", e.declared.Name, "id", id)
	a.isThere(e)
}

// settleAdd finds out what became of an add whose answer was lost. It reports
// whether it certainly was not and will not be made, so that it may be sent
// again; if not, the object has been found, or the entry has ended.
func (a *apply) settleAdd(f *flow, e *entry, sent time.Time) (again bool) {
	end := sent.Add(a.scheduler.RequestTime() + lastLookup)
	for wait := time.Second; ; wait *= 2 {
		at, last := time.Now().Add(wait), false
		if !at.Before(end) {
			at, last = end, true
		}
		ids, err := a.lookUp(f, e, at, last)
		switch {
		case a.found(e, ids, err):
			return false
		case last:
			a.logger.Debug("the add was not executed; sending it again", "kind", string(e.kind.name), "name", e.declared.Name)
			return true
		}
	}
}

// lookUp reads which live objects are the one that an add may have made. At
// the last time it also goes through what is newer than the plan, for one
// whose title the portal stores otherwise.
func (a *apply) lookUp(f *flow, e *entry, at time.Time, last bool) ([]int64, error) {
	out := f.send(schedule.Task{Command: e.subject.lookup(), NotBefore: at})
	ids, _, err := e.named(out, func(title string) bool { return title == e.title })
	if len(ids) > 0 || err != nil || !last {
		return ids, err
	}
	for after := a.newest[e.kind] + 1; after > 0; {
		q, ok := e.subject.lookupNewer(after)
		if !ok {
			return nil, nil
		}
		var found []int64
		found, after, err = e.named(f.send(schedule.Task{Command: q}), func(title string) bool { _, is := storedForm(e.title, title); return is || mayRead(title, e.title) })
		if ids = append(ids, found...); err != nil {
			return ids, err
		}
	}
	return ids, nil
}

// named returns the objects in a list that may be the entry's, and the id from
// which the list continues; 0: it does not.
func (e *entry) named(out schedule.Outcome, is func(title string) bool) (ids []int64, next int64, err error) {
	switch {
	case out.Skipped:
		return nil, 0, errSkipped
	case out.Reply.Err != nil:
		return nil, 0, out.Reply.Err
	}
	list, err := e.kind.listed(out.Reply.Result)
	if err != nil {
		return nil, 0, err
	}
	for _, o := range list.Items {
		if s, of := e.subject.(*source); is(o.title) && (!of || o.parent == s.belongsTo()) {
			ids = append(ids, o.id)
		}
		if list.Count >= bitrix.PageSize {
			next = max(next, o.id+1)
		}
	}
	for _, err := range list.Broken { // it may be this one
		return nil, 0, err
	}
	return ids, next, nil
}
