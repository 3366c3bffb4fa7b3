package runner

import (
	"fmt"
	"slices"

	"syncsources/bitrix"
	"syncsources/runner/schedule"
)

// written goes on with an entry whose updates the portal has all confirmed.
func (a *apply) written(e *entry) {
	if a.options.NoVerify {
		a.end(e, StatusUpdated, nil)
		return
	}
	a.readBack(e)
}

// readBack has an entry read. Probes are read at once, because others wait
// for what they show.
func (a *apply) readBack(e *entry) {
	a.unread = append(a.unread, e)
	a.writingOver(e)
	if slices.Contains(a.active.probing, e) {
		a.verify(false)
		return
	}
	if len(a.unread) >= bitrix.PageSize {
		a.verify(true)
	}
}

// flush reads back the rest when no update is left that could add to it.
func (a *apply) flush() {
	if a.writing == 0 && len(a.unread) > 0 {
		a.verify(true)
	}
}

// verify reads the entries that were written: fifty to a list command, which
// the scheduler gathers into batches where nobody waits for them.
func (a *apply) verify(lazy bool) {
	if a.writing == 0 {
		a.progress.Phase = PhaseVerifying
		a.show()
	}
	for len(a.unread) > 0 {
		n := min(len(a.unread), bitrix.PageSize)
		batch := a.unread[:n:n]
		a.unread = a.unread[n:]
		ids := make([]int64, n)
		for i, e := range batch {
			ids[i] = e.result.ID
		}
		a.scheduler.Submit(schedule.Task{Command: bitrix.SourcesByID(ids), Lazy: lazy, Owner: func(res schedule.Outcome) {
			a.readAgain(batch, res)
			a.flush()
		}})
	}
	a.unread = nil
}

// readAgain takes the answer to a read-back.
func (a *apply) readAgain(batch []*entry, res schedule.Outcome) {
	ids := make([]int64, len(batch))
	for i, e := range batch {
		ids[i] = e.result.ID
	}
	found, missing := answerFor(ids, res)
	byID := make(map[int64]*bitrix.Source, len(found))
	for i := range found {
		byID[found[i].ID] = &found[i]
	}
	for _, e := range batch {
		live, err := byID[e.result.ID], missing[e.result.ID]
		if live != nil {
			err = untold(e.step.Desired, live)
		}
		switch {
		case res.Skipped:
			a.settle(e)
		case err != nil:
			a.fail(e, &Failure{
				Code:    CodeUnknownOutcome,
				Message: fmt.Sprintf("an update of %s was sent, but it could not be read back: %s", paths(e.diffs), failure(err).Error()),
				Hint:    "run again: it reads the source and sends only what is missing",
			})
		case live == nil:
			e.result.Verified = e.result.Attempts > 0
			a.fail(e, notFound())
		default:
			a.judge(e, live)
		}
	}
}

// judge compares a source that was read back with its declaration. What the
// portal had confirmed and does not show has not converged; what it never
// answered is sent again.
func (a *apply) judge(e *entry, live *bitrix.Source) {
	sentActive := e.acknowledged["active"]
	e.result.Verified = e.result.Attempts > 0
	e.live, e.diffs = *live, compare(e.step.Desired, live)
	a.probed(e, sentActive && !e.differs("active"), sentActive && e.differs("active"))
	if len(e.diffs) == 0 {
		a.end(e, StatusUpdated, nil)
		return
	}
	var broken, missing []difference
	for _, d := range e.diffs {
		if e.acknowledged[d.path] {
			broken = append(broken, d)
		} else {
			missing = append(missing, d)
		}
	}
	switch {
	case len(missing) == 0:
		a.fail(e, notConverged(broken))
	case a.stopped || max(e.result.Attempts, e.losses) >= maxAttempts:
		a.fail(e, a.undone(e, missing))
	default:
		e.diffs = missing
		a.submit(e)
	}
}

// notConverged is the failure of a source that was written and does not show
// it.
func notConverged(diffs []difference) *Failure {
	f := &Failure{
		Code:    CodeNotConverged,
		Message: "the portal accepted the update, but does not show the declared " + paths(diffs),
	}
	for _, d := range diffs {
		switch {
		case d.path == "active":
			f.Hint = "this portal ignores active; switch the source by hand and remove active from the manifest, or leave it and accept this failure"
		case d.setting != nil && f.Hint == "":
			f.Hint = "the connector may not have this setting: the portal drops unknown ones silently"
		}
	}
	return f
}

// undone is the failure of a source whose updates were lost again and again,
// or one that the end of the run left half done.
func (a *apply) undone(e *entry, missing []difference) *Failure {
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
