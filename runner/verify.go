package runner

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"syncsources/bitrix"
	"syncsources/runner/schedule"
)

// look says when an object is read back.
type look int

const (
	lazily   look = iota // with as many others as fit into a request
	atOnce               // somebody waits for what it shows
	onceMore             // lookAgain later: a replica or cache may have been behind
)

// group is what may be read back by one command.
type group struct {
	kind *kind
	how  look
}

// shown is what a read-back has shown.
type shown struct {
	flow  *flow // that waits for it
	live  any
	gone  bool
	diffs []difference // from the declaration
	err   error
}

// readBack has an entry read. It reports false where the entry has ended: it
// is gone, or cannot be read; or where the run ended before.
func (a *apply) readBack(f *flow, e *entry, how look) bool {
	if how == lazily && a.gates.probes(e) {
		how = atOnce // others wait for what it shows
	}
	e.read = shown{flow: f}
	g := group{e.kind, how}
	a.unread[g] = append(a.unread[g], e)
	a.markAnswered(e)
	if len(a.unread[g]) >= e.kind.group || how == atOnce {
		a.submit(g)
	}
	f.park()
	if e.read.err == nil && !e.read.gone && e.action != ActionDelete {
		e.subject.take(e.read.live)
		var failed *Failure
		if e.read.diffs, failed = e.subject.compare(); failed != nil {
			e.read.err = failed
		}
	}
	switch {
	case e.read.err == nil:
	case e.read.err == errSkipped || a.scheduler.Err() != nil: // the last look may show it
		return false
	case e.result.Attempts == 0:
		a.fail(e, failure(e.read.err))
		return false
	default:
		a.fail(e, e.unknown("but it could not be read back: "+failure(e.read.err).Error()))
		return false
	}
	e.result.Verified = e.result.Attempts > 0
	switch {
	case !e.read.gone || e.action == ActionDelete:
	case e.action != ActionCreate:
		a.fail(e, notFound(e.kind))
		return false
	case how != onceMore:
		return a.readBack(f, e, onceMore)
	default:
		a.fail(e, &Failure{
			Code:    CodeNotConverged,
			Message: fmt.Sprintf("the portal answered the creation with the id %d, but does not show a %s of this id", e.id, e.kind.name),
			Hint:    "run again: it looks for the object before it creates anything",
		})
		return false
	}
	a.gates.honoured(e)
	return true
}

// flush reads back the rest when no write is left that could add to it. What
// is looked at once more waits for its time anyway.
func (a *apply) flush() {
	for _, k := range kinds {
		if a.crew.writing == 0 {
			a.submit(group{k, lazily})
		}
		a.submit(group{k, onceMore})
	}
}

// submit reads the entries of a group: as many to a command as it takes.
func (a *apply) submit(g group) {
	entries := a.unread[g]
	delete(a.unread, g)
	if len(entries) > 0 && a.crew.writing == 0 {
		a.progress.Phase = PhaseVerifying
		a.show()
	}
	for batch := range slices.Chunk(entries, g.kind.group) {
		t := a.reading(g.kind, batch)
		t.Lazy = g.how == lazily
		if g.how == onceMore {
			t.NotBefore = time.Now().Add(lookAgain)
		}
		a.scheduler.Submit(t)
	}
}

// reading is the command that reads entries back. It hands the answer to those
// who wait for it.
func (a *apply) reading(k *kind, batch []*entry) schedule.Task {
	ids := make([]int64, len(batch))
	for i, e := range batch {
		ids[i] = e.id
	}
	return schedule.Task{Command: k.read(a.family, ids), Owner: func(out schedule.Outcome) {
		found, missing := answerFor(k, ids, out)
		for _, e := range batch {
			e.read.live = found[e.id]
			if _, none := missing[e.id]; none {
				e.read.err = missing[e.id]
				e.read.gone = e.read.err == nil
			}
			if e.read.flow != nil {
				e.read.flow.wake()
			}
		}
	}}
}

// idle is called when the scheduler has nothing left: whoever still waits is
// let continue, and finds that the run has ended.
func (a *apply) idle() bool {
	if a.done == len(a.entries) {
		return false
	}
	any := false
	a.stopped, a.over = true, true
	for g, entries := range a.unread {
		delete(a.unread, g)
		for _, e := range entries {
			e.read.err = errSkipped
			e.read.flow.wake()
			any = true
		}
	}
	any = a.gates.wake() || any
	any = a.removing.wake() || any
	for _, e := range a.entries {
		any = e.later.wake() || any
	}
	return any
}

// lastLook reads back once what the portal had acknowledged before a condition
// ended the run that fails every call: much of it may be done, and the report
// should say so.
func (a *apply) lastLook(ctx context.Context) {
	var open []*entry
	for _, e := range a.entries {
		if !e.done && e.result.Attempts > 0 && e.id != 0 {
			open = append(open, e)
		}
	}
	if len(open) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	conf := a.options.Schedule
	conf.Logger = a.logger
	s := schedule.New(conf, a.sender)
	for _, k := range kinds {
		of := slices.DeleteFunc(slices.Clone(open), func(e *entry) bool { return e.kind != k })
		for batch := range slices.Chunk(of, k.group) {
			t := a.reading(k, batch)
			t.Optional = true
			s.Submit(t)
		}
	}
	for _, e := range open {
		e.read = shown{}
	}
	for {
		out, ok := s.Next(ctx)
		if !ok {
			break
		}
		out.Task.Owner.(func(schedule.Outcome))(out)
	}
	for _, e := range open {
		a.judgeLast(e)
	}
}

// judgeLast ends an entry by what the last look has shown, if it was shown.
func (a *apply) judgeLast(e *entry) {
	switch {
	case e.read.err != nil:
	case e.action == ActionDelete && e.read.gone:
		e.result.Verified = true
		a.end(e, StatusDeleted, nil)
	case e.action != ActionDelete && e.read.live != nil:
		e.subject.take(e.read.live)
		diffs, failed := e.subject.compare()
		if failed == nil {
			e.result.Verified = true
			if e.read.diffs = diffs; len(diffs) == 0 {
				a.end(e, succeeded[e.action], nil)
				return
			}
			_, missing := e.compareReadBack()
			if len(missing) > 0 {
				a.fail(e, e.undone(missing))
				return
			}
			a.fail(e, e.notConverged(diffs))
		}
	}
}

// notConverged is the failure of an object that was written and does not show
// it. It says what the portal shows instead, where that may be printed.
func (e *entry) notConverged(diffs []difference) *Failure {
	e.mark(diffs)
	f := &Failure{Code: CodeNotConverged, Message: "the portal accepted the write, but does not show the declared " + paths(diffs)}
	var details, hints []string
	unsent := true
	for _, d := range diffs {
		unsent = unsent && e.unsent[d.path]
		how := storedDifferently(d)
		switch {
		case d.sensitive && how != "":
			details = append(details, fmt.Sprintf("%s is stored %s", d.path, how))
		case !d.sensitive && d.path != "active" && !e.unsent[d.path] && d.from.kind != nothing && d.to.kind != nothing:
			detail := fmt.Sprintf("%s: sent %s, shown %s", d.path, d.to.quoted(), d.from.quoted())
			if how != "" {
				detail += ", " + how
			}
			details = append(details, detail)
		}
		hints = append(hints, e.wayOut(d, how))
	}
	if unsent {
		f.Message = "this portal ignores " + paths(diffs) + ", as its other sources have shown, so it was not sent"
	}
	if details != nil {
		f.Message += " (" + strings.Join(details, "; ") + ")"
	}
	slices.Sort(hints)
	f.Hint = strings.Join(slices.Compact(hints), "; ")
	return f
}

// mark marks the changes that the portal does not show.
func (e *entry) mark(diffs []difference) {
	for i := range e.result.Changes {
		c := &e.result.Changes[i]
		c.Failed = slices.ContainsFunc(diffs, func(d difference) bool { return d.path == c.Path })
	}
}

// wayOut is what to do about a difference that stayed, which the portal may
// have stored in a form of its own.
func (e *entry) wayOut(d difference, how string) string {
	s, isSource := e.subject.(*source)
	before := find(e.diffs, d.path)
	switch {
	case d.path == "active":
		return "this portal ignores active: switch the source by hand and remove active from the manifest"
	case isSource && d.path == "title" && s.desired.Title == nil:
		return "declare the title: every update sends one, and the portal shows another"
	case isSource && d.isSetting() && !slices.ContainsFunc(s.settingTypes(), func(t bitrix.SettingType) bool { return t.Code == d.code }):
		return "the connector may not have this setting: the portal drops unknown ones silently"
	case isSource && d.hidden():
		return fmt.Sprintf("the portal hides the values of %q, so they cannot be verified: leave the setting out of the manifest and change it by hand, or use --no-verify", d.code)
	}
	way := "declare what the portal shows"
	if d.sensitive && how == "" {
		way = "leave the setting out of the manifest and change it by hand, or use --no-verify"
	}
	if before != nil && before.from == d.from && how == "" {
		return "the portal shows what it showed before the write: if it shows writes late, the next run finds this one; if every run says so, " + way
	}
	return way + ": the portal shows another value after each write"
}

// storedDifferently says how the live value came from the declared one, where
// that can be seen.
func storedDifferently(d difference) string {
	to, from := d.to.plain(), d.from.plain()
	if how, is := storedForm(to, from); is && to != from {
		return how
	}
	if d.isSetting() && to != from && storedNumber(to, from) {
		return "as a number, without the zeros before it"
	}
	return ""
}

// undone is the failure of an object whose writes were lost again and again,
// or one that the end of the run left half done.
func (e *entry) undone(missing []difference) *Failure {
	e.mark(missing)
	if e.lost == nil {
		return &Failure{
			Code:    CodeNotConverged,
			Message: "the run ended before all was sent; the portal does not show the declared " + paths(missing),
			Hint:    "run again: it sends only what is missing",
		}
	}
	f := failure(e.lost)
	f.Message = fmt.Sprintf("%s; the portal still does not show the declared %s after %d attempts", f.Message, paths(missing), e.result.Attempts)
	return f
}
