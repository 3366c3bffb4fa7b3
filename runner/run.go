package runner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"syncsources/bitrix"
	"syncsources/bitrix/rest"
	"syncsources/bitrix/secret"
	"syncsources/manifest"
	"syncsources/runner/schedule"
)

// Reader is what a plan needs of a portal. It has no method that writes.
// *bitrix.Reader is one.
type Reader interface {
	Portal() string
	Query(ctx context.Context, queries []bitrix.Query) (*bitrix.Response, error)
	QueryAlone(ctx context.Context, query bitrix.Query) (*bitrix.Response, error)
	Counters() bitrix.Counters
}

// Client is what an apply needs of a portal. *bitrix.Client is one.
type Client interface {
	Reader
	Write(ctx context.Context, writes []bitrix.Write) (*bitrix.Response, error)
	WriteAlone(ctx context.Context, write bitrix.Write) (*bitrix.Response, error)
}

// Options are the choices of a run. Their zero values are the defaults.
type Options struct {
	// Set is what the manifests declare for this portal, with the references of
	// the selected objects resolved.
	Set *manifest.Set
	// Selected reports whether an object is part of the run; nil: all are. The
	// others are only read, for those that refer to them.
	Selected func(manifest.Object) bool
	// Prune also removes what is not declared.
	Prune bool
	// Key keys the plan's checksum: the lasting secret of the credentials.
	Key secret.Text
	// Schedule sets the pace.
	Schedule schedule.Config
	// NoVerify trusts the portal's "true" and does not read back. What the
	// portal did not answer is read back all the same.
	NoVerify bool
	// FailFast ends the run with the first object that fails: what is in
	// flight is settled, the rest skipped. A refused connection check then
	// counts at once and gets no later retry.
	FailFast bool
	// MaxChanges refuses a run with more changes, MaxDeletes one with more
	// removals, columns and settings of connectors included, before anything is
	// written.
	MaxChanges, MaxDeletes Limit
	// Checksum refuses changes other than those that a plan gave this
	// checksum; empty accepts any.
	Checksum string
	// ShowUnmanaged also lists the live objects that no manifest declares.
	ShowUnmanaged bool
	// LastAdd is when another run, which was killed, last sent an add; zero:
	// none was. Nothing is read before the portal must have ended it.
	LastAdd time.Time
	// NoteAdd is called before each request that holds an add, and the request
	// is not sent where it fails. AddsSettled is called at the end of an apply
	// that knows what became of all adds, of itself and of LastAdd. Both may be
	// nil.
	NoteAdd     func(ctx context.Context, at time.Time) error
	AddsSettled func()
	// Logger may be nil.
	Logger *slog.Logger
	// Progress is called after each change, never concurrently; may be nil.
	Progress func(Progress)
}

// grace is how long a run that must end may take to settle what is in
// flight. What is not settled then is reported as of unknown outcome.
const grace = 15 * time.Second

// Plan reads the live objects and reports how they differ from their
// declarations. It writes nothing.
func Plan(ctx context.Context, portal Reader, o Options) *Report {
	r := newRun("plan", portal, readSender{portal}, o)
	r.plan(ctx)
	return r.finish()
}

// Apply plans, writes what differs, reads back, and reports.
//
// When ctx ends, what is in flight is settled within 15 seconds and the rest
// is skipped; with the cause ErrInterrupted the outcome is interrupted, after
// a deadline it is stopped with the code TIMEOUT.
func Apply(ctx context.Context, portal Client, o Options) *Report {
	r := newRun("apply", portal, writeSender{portal, o.NoteAdd}, o)
	if err := r.awaitLastAdd(ctx); err != nil {
		r.skipAll()
		r.stop(ctx, err)
		return r.finish()
	}
	if changes, live, ok := r.plan(ctx); ok {
		if planned, _ := changes.count(); planned > 0 {
			r.warnOfTimeout(ctx, changes)
			r.apply(ctx, changes, live)
		}
	}
	if o.AddsSettled != nil && !r.addsOpen {
		o.AddsSettled()
	}
	return r.finish()
}

// Invalid reports manifests that cannot be used; nothing was sent.
func Invalid(command string, findings []*manifest.Finding) *Report {
	now := time.Now()
	report := &Report{Schema: ReportSchema, Command: command, Outcome: OutcomeInvalid, Started: now, Finished: now}
	for _, f := range findings {
		report.Findings = append(report.Findings, Finding{File: f.Position.File, Line: f.Position.Line, Column: f.Position.Column, Rule: f.Rule, Message: f.Message, Excerpt: f.Excerpt, Hints: f.Hints})
	}
	return report
}

// Unstarted reports a run that could not begin: every object is skipped.
// Whether somebody interrupted it shows in the cause of ctx.
func Unstarted(ctx context.Context, command, portal string, o Options, why *Failure) *Report {
	now := time.Now()
	r := &run{options: o, report: &Report{
		Schema: ReportSchema, Command: command, Portal: portal, Outcome: OutcomeStopped, Started: now, Finished: now, Error: why,
	}}
	if errors.Is(context.Cause(ctx), ErrInterrupted) {
		r.report.Outcome = OutcomeInterrupted
	}
	r.skipAll()
	r.report.Count()
	return r.report
}

// run is the state that the steps of a run share.
type run struct {
	options   Options
	portal    Reader
	sender    schedule.Sender
	scheduler *schedule.Scheduler // of the whole run: reading and writing share the portal's limits
	logger    *slog.Logger
	report    *Report
	progress  Progress
	addsOpen  bool // an add may have been executed, and nobody knows
}

func newRun(command string, portal Reader, sender schedule.Sender, o Options) *run {
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	r := &run{
		options: o, portal: portal, sender: sender, logger: o.Logger,
		report: &Report{Schema: ReportSchema, Command: command, Portal: portal.Portal(), Outcome: OutcomeOK, Started: time.Now()},
	}
	conf := o.Schedule
	conf.Logger = o.Logger
	conf.OnWait = func(w schedule.Wait) {
		r.progress.Waiting, r.progress.Until = w.Reason, w.Until
		r.show()
	}
	r.scheduler = schedule.New(conf, sender)
	return r
}

// awaitLastAdd waits until the portal must have ended an add that a killed run
// sent: before that, what is read could miss the object.
func (r *run) awaitLastAdd(ctx context.Context) error {
	if r.options.LastAdd.IsZero() {
		return nil
	}
	left := min(time.Until(r.options.LastAdd), 0) + r.scheduler.RequestTime() // a clock may have been set back since
	if left <= 0 {
		return nil
	}
	r.logger.Warn("an earlier run sent a creation and did not see it done; waiting until the portal must have finished it", "seconds", int(left.Seconds())+1)
	r.progress.Waiting, r.progress.Until = "a creation of an earlier run", time.Now().Add(left)
	r.show()
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-timer.C:
		r.progress.Waiting, r.progress.Until = "", time.Time{}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// plan reads, compares and guards. It reports whether the changes may be
// applied.
func (r *run) plan(ctx context.Context) (c *Changeset, live Live, ok bool) {
	o := r.options
	r.progress = Progress{Phase: PhaseReading, Total: len(o.Set.Connectors) + len(o.Set.Sources) + len(o.Set.Tables)}
	r.show()
	live, err := r.read(ctx, want(o))
	if err != nil {
		r.skipAll()
		r.stop(ctx, err)
		return nil, live, false
	}
	c = Compare(o.Set, live, Choices{Selected: o.Selected, Prune: o.Prune})
	r.report.Objects, _ = c.results()
	r.report.Notes = c.Notes
	if o.ShowUnmanaged {
		r.report.Unmanaged = unmanaged(live, c)
	}
	r.report.Checksum = c.checksum(r.portal.Portal(), o.Key)
	r.report.Estimate = r.scheduler.Estimate(c.commands()...).Seconds()
	for _, s := range c.steps {
		if s.failure != nil && s.selected {
			r.logger.Info("object cannot be applied", "kind", string(s.kind.name), "name", s.declared.Name, "id", s.id, "code", s.failure.Code)
		}
	}
	return c, live, r.guard(c)
}

// guard refuses the plan as a whole where an option says so.
func (r *run) guard(c *Changeset) bool {
	o := r.options
	planned, removals := c.count()
	selected := c.selected()
	switch {
	case !o.MaxChanges.allows(planned, selected):
		r.report.Error = &Failure{
			Code:    CodeTooManyChanges,
			Message: fmt.Sprintf("the run would change %d of %d objects; the limit %s allows %d", planned, selected, o.MaxChanges, o.MaxChanges.most(selected)),
		}
	case !o.MaxDeletes.allows(removals, c.prunable):
		r.report.Error = &Failure{
			Code:    CodeTooManyDeletes,
			Message: fmt.Sprintf("the run would remove %d (objects, columns and settings); the limit %s allows %d", removals, o.MaxDeletes, o.MaxDeletes.most(c.prunable)),
		}
	case o.Checksum != "" && o.Checksum != r.report.Checksum:
		r.report.Error = &Failure{
			Code:    CodeStalePlan,
			Message: "the changes are not those of the plan with this checksum: the manifests, their secrets, the portal or our credentials have changed since",
			Hint:    "plan again, look at the changes, and apply the new checksum",
		}
	case o.FailFast && r.failed():
		// Nothing is in flight yet, so the rest is skipped.
	default:
		return true
	}
	r.report.SkipPlanned()
	return false
}

func (r *run) failed() bool {
	return slices.ContainsFunc(r.report.Objects, func(o Object) bool { return o.Status == StatusFailed })
}

// skipAll reports every object as skipped: the run ended before they could be
// compared.
func (r *run) skipAll() {
	if r.options.Set == nil {
		return
	}
	c := declaredOnly(r.options.Set, r.options.Selected)
	r.report.Objects, _ = c.results()
}

// stop notes why the run as a whole ended early.
func (r *run) stop(ctx context.Context, err error) {
	var e *rest.Error
	if ctx.Err() != nil && !(errors.As(err, &e) && e.Reaction() == rest.Fatal) {
		r.report.Error, r.report.Outcome = ended(ctx)
	} else {
		r.report.Error, r.report.Outcome = failure(err), OutcomeStopped
	}
	r.logger.Info("the run stops", "code", r.report.Error.Code, "reason", r.report.Error.Message)
}

// finish completes the report.
func (r *run) finish() *Report {
	report := r.report
	report.Count()
	if report.Outcome == OutcomeOK {
		switch {
		case report.Err() != nil:
			report.Outcome = OutcomeFailed
		case report.Summary.Planned > 0:
			report.Outcome = OutcomeChanges
		}
	}
	counters, stats := r.portal.Counters(), r.scheduler.Stats()
	report.Requests = Requests{
		HTTP: int(counters.HTTP), Batches: int(counters.Batches), Commands: int(counters.Commands),
		Throttled: int(counters.Throttled), Retries: stats.Retries, Waited: stats.Waited.Seconds(),
	}
	r.requests()
	report.Finished = time.Now()
	report.Duration = report.Finished.Sub(report.Started).Seconds()
	r.logger.Info("run finished", "command", report.Command, "outcome", string(report.Outcome),
		"created", report.Summary.Created, "updated", report.Summary.Updated, "deleted", report.Summary.Deleted, "failed", report.Summary.Failed, "skipped", report.Summary.Skipped,
		"unchanged", report.Summary.Unchanged, "requests", report.Requests.HTTP)
	return report
}

// show hands the progress out.
func (r *run) show() {
	if r.options.Progress != nil {
		r.progress.Left = r.scheduler.Estimate()
		r.options.Progress(r.progress)
	}
}

// warnOfTimeout says before the first write that the run will not get through
// in the time that is left for it.
func (r *run) warnOfTimeout(ctx context.Context, c *Changeset) {
	deadline, limited := ctx.Deadline()
	if !limited {
		return
	}
	if left, need := time.Until(deadline), r.scheduler.Estimate(c.commands()...); need > left {
		r.logger.Warn("the time limit is too short for this plan: what is not done in time is skipped",
			"needed", need.Round(time.Second).String(), "left", left.Round(time.Second).String())
	}
}

// Phase is a part of a run, as progress shows it.
type Phase string

// The phases of a run. Verifying may overlap with writing.
const (
	PhaseReading   Phase = "reading"
	PhaseWriting   Phase = "writing"
	PhaseVerifying Phase = "verifying"
)

// Progress is how far a run is. It is handed out as a value each time
// something changed.
type Progress struct {
	Phase Phase
	Done  int // objects that are through this phase
	Total int // objects that must go through it
	// Failed counts the objects that have failed so far.
	Failed int
	// Waiting says for what the run waits, in words for a person ("the
	// portal's operating limit"); empty while it does not.
	Waiting string
	// Until is when the wait is expected to end.
	Until time.Time
	// Left is how long the rest of the run takes at least, the portal's limits
	// ahead included; zero where that is not known.
	Left time.Duration
}
