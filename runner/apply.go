package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"syncsources/bitrix"
	"syncsources/bitrix/rest"
	"syncsources/runner/schedule"
)

const (
	// maxAttempts bounds the updates of one source that were lost, or whose
	// answers were.
	maxAttempts = 6
	// laterDelay is how long a source waits whose external system refused the
	// connection check: time enough to restart, no more than people wait.
	laterDelay = 2 * time.Second
)

// entry is one source on its way through an apply. Its scheduler callbacks
// run one at a time, so it needs no lock; result is its own element of the
// report's slice.
type entry struct {
	step   *Step
	result *Object
	live   bitrix.Source // as last read
	diffs  []difference  // of live
	// acknowledged are the paths whose update the portal answered with true.
	// If the portal does not show them afterwards, they have not converged.
	acknowledged map[string]bool
	sent         []string    // the paths of the last update
	lost         *rest.Error // the last update's answer was lost
	losses       int         // how often that happened because something between us was down
	postponed    *rest.Error // the external system refused, and there is a later retry
	through      bool        // its updates are answered; only a lost one is sent again
	done         bool
}

// apply is the writing part of a run. All its methods run in the scheduler's
// goroutine.
//
// A source goes through these stages: its fields are updated (submit); its
// active flag, which is a call of its own, follows (active.go); it is read
// back (verify.go), and what a lost answer left undone is sent again.
type apply struct {
	*run
	entries []*entry
	writing int      // entries with an update queued or in flight
	unread  []*entry // written, and to be read back
	through int      // entries whose updates are answered
	done    int      // entries with a status
	active  gate
	stopped bool // nothing new is written
}

// apply writes the planned steps and reads them back.
func (r *run) apply(ctx context.Context, steps Changeset) {
	a := &apply{run: r}
	a.active.open = r.options.NoVerify // nothing is read back that could close it
	for i := range steps {
		if steps[i].Status != StatusPlanned {
			continue
		}
		e := &entry{
			step: &steps[i], result: &r.report.Objects[i],
			live: steps[i].live, diffs: steps[i].diffs, acknowledged: make(map[string]bool),
		}
		a.entries = append(a.entries, e)
	}
	r.progress = Progress{Phase: PhaseWriting, Total: len(a.entries), Failed: r.progress.Failed}
	r.show()
	for _, e := range a.entries {
		a.submit(e)
	}
	err := a.drive(ctx)
	a.active = gate{} // whoever still waits is settled now, not sent
	for _, e := range a.entries {
		a.settle(e)
	}
	if err != nil {
		r.stop(ctx, err)
	} else if ctx.Err() != nil && (a.stopped || r.unsettled()) {
		r.stop(ctx, ctx.Err())
	}
}

// drive runs the scheduler. When ctx ends it lets it settle what is in flight
// for a while, and then cuts.
func (a *apply) drive(ctx context.Context) error {
	inner, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	stop := context.AfterFunc(ctx, func() {
		a.scheduler.StopWriting()
		timer := time.AfterFunc(grace, cut)
		context.AfterFunc(inner, func() { timer.Stop() })
	})
	defer stop()
	return a.consume(inner)
}

// unsettled reports whether the end of the run left the outcome of any update
// open.
func (r *run) unsettled() bool {
	for i := range r.report.Objects {
		if e := r.report.Objects[i].Error; e != nil && e.Code == CodeUnknownOutcome {
			return true
		}
	}
	return false
}

// submit sends the update of what differs, or goes on to the active flag
// where nothing else does.
func (a *apply) submit(e *entry) {
	f, sent := fields(e.step.Desired, &e.live, e.diffs)
	if sent == nil {
		a.submitActive(e)
		return
	}
	a.update(e, f, sent, time.Time{}, func() { a.submitActive(e) })
}

// update queues one update; next follows once the portal has said true.
func (a *apply) update(e *entry, f bitrix.SourceFields, sent []string, after time.Time, next func()) {
	if after.IsZero() {
		after = e.notBefore(time.Now())
	}
	again := slices.ContainsFunc(sent, func(path string) bool { return slices.Contains(e.sent, path) })
	e.sent = sent
	f.Hidden = hidden(e.step.Desired, &e.live)
	a.writing++
	a.scheduler.Submit(schedule.Task{
		Command:   bitrix.UpdateSource(e.result.ID, f),
		Again:     again,
		NotBefore: after,
		Owner: func(res schedule.Outcome) {
			a.writing--
			if res.Sent > 0 {
				e.result.Attempts += res.Sent
				e.result.Verified = false // until it is read back after this write
			}
			a.answered(e, res, func() {
				for _, path := range sent {
					e.acknowledged[path] = true
				}
				next()
			}, func() { a.update(e, f, sent, time.Now().Add(laterDelay), next) })
			a.flush()
		},
	})
}

// notBefore is when an update may be sent: again at once after its first lost
// answer, which is an accident; after more of them in 1, 2, 4 and 8 s, so that
// all attempts together outlast a restart of what failed.
func (e *entry) notBefore(now time.Time) time.Time {
	if e.losses < 2 {
		return time.Time{}
	}
	return now.Add(time.Second << (e.losses - 2)) // losses stay below maxAttempts
}

// answered decides how an entry goes on after the answer to an update.
func (a *apply) answered(e *entry, res schedule.Outcome, acknowledged, again func()) {
	if res.Skipped {
		a.stopped = true
		a.partly(e)
		return
	}
	err := res.Reply.Err
	if err == nil && res.Reply.True() {
		e.lost = nil
		acknowledged()
		return
	}
	var refused *rest.Error
	if !errors.As(err, &refused) {
		refused = &rest.Error{Code: rest.BadAnswer, Message: "the portal answered the update with something other than true"}
		if err != nil {
			refused.Message = err.Error()
		}
	}
	switch refused.Reaction() {
	case rest.Unknown, rest.NotDelivered:
		e.lost = refused
		if refused.Code != rest.BadAnswer || refused.Status >= 500 {
			e.losses++
		}
		a.readBack(e)
	case rest.Later:
		if e.postponed != nil || a.stopped || a.options.FailFast {
			a.fail(e, failure(refused))
			return
		}
		e.postponed = refused
		a.logger.Info("the external system refused; trying once more later", "source", e.result.Name, "id", e.result.ID)
		again()
	default:
		a.fail(e, failure(refused))
	}
}

// partly ends an entry whose next update will not be sent: it is read back if
// one was that may have changed it, failed if one was refused, and skipped if
// none was.
func (a *apply) partly(e *entry) {
	switch {
	case len(e.acknowledged) > 0 || e.lost != nil:
		a.readBack(e)
	case e.postponed != nil:
		a.fail(e, failure(e.postponed))
	default:
		a.end(e, StatusSkipped, nil)
	}
}

// fail ends an entry. With fail-fast it ends the writing too.
func (a *apply) fail(e *entry, f *Failure) {
	a.end(e, StatusFailed, f)
	a.progress.Failed++
	a.logger.Info("source failed", "source", e.result.Name, "id", e.result.ID, "code", f.Code, "reason", f.Message)
	if a.options.FailFast && !a.stopped {
		a.stopped = true
		a.scheduler.StopWriting()
	}
}

// end gives an entry its status, once.
func (a *apply) end(e *entry, status Status, f *Failure) {
	if e.done {
		return
	}
	e.done = true
	e.result.Status, e.result.Error = status, f
	a.probed(e, false, false)
	a.done++
	a.writingOver(e)
}

// settle ends an entry that the scheduler left open: the run stopped while it
// was on its way.
func (a *apply) settle(e *entry) {
	switch {
	case e.done:
	case e.result.Attempts == 0:
		a.end(e, StatusSkipped, nil)
	default:
		a.fail(e, &Failure{
			Code:    CodeUnknownOutcome,
			Message: fmt.Sprintf("an update of %s was sent, and the run ended before it could be read back", paths(e.diffs)),
			Hint:    "run again: it reads the source and sends only what is missing",
		})
	}
}
