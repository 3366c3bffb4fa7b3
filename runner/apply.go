package runner

import (
	"context"
	"errors"
	"slices"
	"time"

	"syncsources/bitrix"
	"syncsources/bitrix/rest"
)

const (
	// maxAttempts bounds the writes of one object that were lost, or whose
	// answers were.
	maxAttempts = 6
	// laterDelay is how long an object waits whose external system refused the
	// connection check: time enough to restart, no more than people wait.
	laterDelay = 2 * time.Second
	// lookAgain is how long after a read-back that does not show a write the
	// object is read once more: a portal's replica or cache may be behind.
	lookAgain = 2 * time.Second
)

// entry is one planned object on its way through an apply.
type entry struct {
	*step
	result *Object // its own element of the report
	// acknowledged are the paths whose write the portal answered with true. If
	// the portal does not show them afterwards, they have not converged.
	acknowledged map[string]bool
	// unsent are the paths that were not sent because the portal, as other
	// objects have shown, does not take them. They are acknowledged as well.
	unsent    map[string]bool
	sent      []string    // paths of the writes so far
	lost      *rest.Error // the last write's answer was lost
	losses    int         // how often that happened
	postponed *rest.Error // the external system refused, and there is a later retry
	later     waiters     // flows that wait until it is there
	there     bool        // those who depend on it may continue
	answered  bool        // its writes are answered
	done      bool
	read      shown // what was read back last
}

// apply is the writing part of a run. Each object has a flow of its own
// (bring), which reads from top to bottom.
type apply struct {
	*run
	crew     *crew
	entries  []*entry
	of       map[*step]*entry
	unread   map[group][]*entry // to be read back
	gates    gates
	removing waiters // removals, until all that comes before them is through
	open     [4]int  // entries that are not done, by removalOrder
	done     int     // entries with a status
	answered int     // entries whose writes are answered
	stopped  bool    // nothing new is written
	over     bool    // nothing comes any more that anybody could wait for
	family   bitrix.Family
	newest   map[*kind]int64 // the highest live id before anything was added
	taken    map[claim]bool  // the objects that no further creation can have made
}

// apply writes the planned steps and reads them back.
func (r *run) apply(ctx context.Context, c *Changeset, live Live) {
	_, at := c.results()
	a := &apply{
		run: r, crew: &crew{scheduler: r.scheduler}, of: map[*step]*entry{}, unread: map[group][]*entry{}, family: live.Family,
		newest: map[*kind]int64{}, taken: map[claim]bool{},
	}
	for _, k := range kinds {
		for _, o := range k.live(&live) {
			a.newest[k] = o.id // the last is the highest
			a.taken[claim{k, o.id}] = true
		}
	}
	a.crew.before, a.crew.idle = func() {
		if ctx.Err() != nil { // drive hears of it a moment later
			a.scheduler.StopWriting()
		}
		a.scheduler.Expect(len(a.entries) - a.answered - a.crew.writing)
		a.flush()
	}, a.idle
	for _, s := range c.steps {
		if s.status != StatusPlanned {
			continue
		}
		e := &entry{step: s, result: &r.report.Objects[at[s]], acknowledged: map[string]bool{}, unsent: map[string]bool{}}
		a.entries = append(a.entries, e)
		a.of[s] = e
		a.open[removalOrder(s)]++
	}
	if !r.options.NoVerify { // else nobody would find anything out
		a.gates.choose(a.entries, r.options.Schedule.Seed)
	}
	r.progress = Progress{Phase: PhaseWriting, Total: len(a.entries)}
	r.show()
	for _, e := range a.entries {
		a.crew.start(func(f *flow) { a.bring(f, e) })
	}
	err := a.drive(ctx)
	if err != nil && ctx.Err() == nil {
		a.lastLook(ctx)
	}
	for _, e := range a.entries {
		a.settle(e)
	}
	if err != nil {
		r.stop(ctx, err)
	} else if errors.Is(context.Cause(ctx), ErrInterrupted) || ctx.Err() != nil && (a.stopped || r.unsettled()) {
		r.stop(ctx, ctx.Err())
	}
	r.addsOpen = slices.ContainsFunc(a.entries, func(e *entry) bool {
		return e.id == 0 && e.result.Attempts > 0 && e.result.Error != nil && e.result.Error.Code == CodeUnknownOutcome ||
			e.action == ActionCreate && e.read.gone // the portal shows what is new late
	})
}

// drive lets all flows end. When ctx is over they may settle what is in flight
// for a while, and then the rest is cut.
func (a *apply) drive(ctx context.Context) error {
	inner, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	stop := context.AfterFunc(ctx, func() {
		a.scheduler.StopWriting()
		time.AfterFunc(grace, cut)
	})
	defer stop()
	return a.crew.drive(inner)
}

// bring brings one object to its declared state.
func (a *apply) bring(f *flow, e *entry) {
	if on, ok := a.await(f, e); !ok {
		var why *Failure
		if on.result.Error != nil { // else the run has ended
			why = dependency(on.step)
		}
		a.end(e, StatusSkipped, why)
		return
	}
	switch {
	case e.action == ActionDelete:
		a.remove(f, e)
	case e.action == ActionCreate:
		switch {
		case !a.create(f, e):
		case a.options.NoVerify && e.complete():
			a.end(e, StatusCreated, nil)
		case a.verify(f, e):
			a.converge(f, e) // what an add cannot say follows
		}
	default:
		a.converge(f, e)
	}
}

// complete reports whether all that is declared was acknowledged.
func (e *entry) complete() bool {
	return !slices.ContainsFunc(e.diffs, func(d difference) bool { return !e.acknowledged[d.path] })
}

// await waits until everything that the object depends on is there, or, before
// a removal, gone. It returns the entry because of which it will not be.
func (a *apply) await(f *flow, e *entry) (on *entry, ok bool) {
	for slices.ContainsFunc(a.open[:removalOrder(e.step)], func(open int) bool { return open > 0 }) && !a.over {
		a.removing.wait(f)
	}
	for _, s := range e.depends {
		on := a.of[s]
		if on == nil {
			continue // nothing to be done about it
		}
		for !on.there && !on.done {
			if a.over {
				return on, false
			}
			on.later.wait(f)
		}
		if on.result.Status == StatusFailed || on.result.Status == StatusSkipped {
			return on, false
		}
	}
	return nil, true
}

// isThere lets those continue that depend on the object.
func (a *apply) isThere(e *entry) {
	e.there = true
	e.later.wake()
}

// converge writes what differs, reads back, and writes again what a lost
// answer left undone, until the portal shows what is declared.
func (a *apply) converge(f *flow, e *entry) {
	for {
		if !a.writeAll(f, e) {
			return
		}
		if e.lost == nil {
			a.isThere(e)
		}
		if a.options.NoVerify && e.complete() {
			a.end(e, succeeded[e.action], nil)
			return
		}
		if !a.verify(f, e) {
			return
		}
	}
}

// verify reads an entry back and ends it, unless a lost answer left something
// undone: then it reports true, and the entry's differences are what is left.
func (a *apply) verify(f *flow, e *entry) (more bool) {
	for how := lazily; ; how = onceMore {
		if !a.readBack(f, e, how) {
			return false
		}
		broken, missing := e.compareReadBack()
		switch {
		case len(broken)+len(missing) == 0:
			a.end(e, succeeded[e.action], nil)
			return false
		case len(missing) > 0 && (a.stopped || e.losses >= maxAttempts):
			a.fail(e, e.undone(missing))
			return false
		case len(missing) > 0:
			e.diffs = missing
			return true
		case how == onceMore || !slices.ContainsFunc(broken, func(d difference) bool { return !e.unsent[d.path] }):
			a.gates.judge(e)
			a.fail(e, e.notConverged(broken))
			return false
		} // one more look, and never a second write in between
	}
}

// succeeded are the statuses of actions that the portal shows.
var succeeded = map[Action]Status{
	ActionCreate: StatusCreated, ActionUpdate: StatusUpdated, ActionReplace: StatusUpdated, ActionDelete: StatusDeleted,
}

// compareReadBack compares the object as it was read back with its declaration: what the
// portal had confirmed and does not show is broken; what it never answered is
// missing. Nothing is missing that no write could add: whether a column is
// visible, where the column itself is not shown. Nor is anything where the id
// of a new object shows another title: it may be somebody else's.
func (e *entry) compareReadBack() (broken, missing []difference) {
	for _, d := range e.read.diffs {
		if e.acknowledged[d.path] {
			broken = append(broken, d)
		} else {
			missing = append(missing, d)
		}
	}
	another := e.action == ActionCreate && (find(broken, "title") != nil || find(broken, "name") != nil)
	if another || len(e.subject.writes(missing)) == 0 {
		return e.read.diffs, nil
	}
	return broken, missing
}

// fail ends an entry. With fail-fast it ends the writing too.
func (a *apply) fail(e *entry, f *Failure) {
	a.end(e, StatusFailed, f)
	a.progress.Failed++
	a.logger.Info("object failed", "kind", string(e.kind.name), "name", e.declared.Name, "id", e.id, "code", f.Code, "reason", f.Message)
	if a.options.FailFast {
		a.scheduler.StopWriting()
	}
}

// end gives an entry its status.
func (a *apply) end(e *entry, status Status, f *Failure) {
	e.done = true
	e.result.Status, e.result.Error, e.result.ID = status, f, e.id
	if f == nil {
		e.result.Notes = nil // they are for whoever reads a plan
	}
	a.done++
	a.markAnswered(e)
	a.gates.left(e)
	e.later.wake()
	order := removalOrder(e.step)
	if a.open[order]--; a.open[order] == 0 {
		a.removing.wake()
	}
}

// markAnswered counts an entry that has no write on its way any more: only a
// lost one is sent again.
func (a *apply) markAnswered(e *entry) {
	if !e.answered {
		e.answered = true
		a.answered++
	}
	a.show()
}

// show hands out how far an apply is. Reading back is put off to the end
// where it can be, so that both phases are counted by what is their own.
func (a *apply) show() {
	a.progress.Done = a.answered
	if a.progress.Phase == PhaseVerifying {
		a.progress.Done = a.done
	}
	a.run.show()
}

// settle ends an entry that the run left open.
func (a *apply) settle(e *entry) {
	switch {
	case e.done:
	case e.result.Attempts == 0:
		a.end(e, StatusSkipped, nil)
	default:
		a.fail(e, e.unknown("and the run ended before it could be read back"))
	}
}

// unknown is the failure of an entry whose write may have been done.
func (e *entry) unknown(why string) *Failure {
	what := "a write of " + paths(e.diffs)
	if e.action == ActionDelete {
		what = "the deletion"
	}
	return &Failure{
		Code:    CodeUnknownOutcome,
		Message: what + " was sent, " + why,
		Hint:    "run again: it reads the object and sends only what is missing",
	}
}

// unsettled reports whether the end of the run left the outcome of any write
// open.
func (r *run) unsettled() bool {
	return slices.ContainsFunc(r.report.Objects, func(o Object) bool { return o.Error != nil && o.Error.Code == CodeUnknownOutcome })
}
