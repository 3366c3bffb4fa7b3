package runner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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
	// Sources are the selected sources with their references resolved, in the
	// order of the report.
	Sources []manifest.Source
	// Key keys the plan's checksum: the lasting secret of the credentials.
	Key secret.Text
	// Schedule sets the pace.
	Schedule schedule.Config
	// NoVerify trusts the portal's "true" and does not read back. What the
	// portal did not answer is read back all the same.
	NoVerify bool
	// FailFast ends the run with the first source that fails: what is in
	// flight is settled, the rest skipped. A refused connection check then
	// counts at once and gets no later retry.
	FailFast bool
	// MaxChanges refuses a run with more changes, before anything is written.
	MaxChanges Limit
	// Checksum refuses changes other than those that a plan gave this
	// checksum; empty accepts any.
	Checksum string
	// ShowUnmanaged also lists the live sources whose ids are not in Managed,
	// which holds those that any manifest declares, targeted or not.
	ShowUnmanaged bool
	Managed       map[int64]bool
	// Logger may be nil.
	Logger *slog.Logger
	// Progress is called after each change, never concurrently; may be nil.
	Progress func(Progress)
}

// grace is how long a run that has to end may take to settle what is in
// flight. What is not settled then is reported as of unknown outcome.
const grace = 15 * time.Second

// Plan reads the live sources and reports how they differ from their
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
	r := newRun("apply", portal, writeSender{portal}, o)
	if steps, ok := r.plan(ctx); ok && steps.planned() > 0 {
		r.apply(ctx, steps)
	}
	return r.finish()
}

// Invalid reports manifests that cannot be used; nothing was sent.
func Invalid(command string, findings []*manifest.Finding) *Report {
	now := time.Now()
	report := &Report{Schema: ReportSchema, Command: command, Outcome: OutcomeInvalid, Started: now, Finished: now}
	for _, f := range findings {
		report.Findings = append(report.Findings, Finding{File: f.Position.File, Line: f.Position.Line, Column: f.Position.Column, Rule: f.Rule, Message: f.Message, Advice: f.Advice})
	}
	return report
}

// Unstarted reports a run that could not begin: every source is skipped.
// Whether somebody interrupted it shows in the cause of ctx.
func Unstarted(ctx context.Context, command, portal string, sources []manifest.Source, why *Failure) *Report {
	now := time.Now()
	r := &run{options: Options{Sources: sources}, report: &Report{
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
	scheduler *schedule.Scheduler // of the whole run: reading and writing share the portal's limits
	logger    *slog.Logger
	report    *Report
	progress  Progress
}

func newRun(command string, portal Reader, sender schedule.Sender, o Options) *run {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	r := &run{
		options: o, portal: portal, logger: o.Logger,
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

// plan reads, compares and guards. It reports whether the steps may be
// applied.
func (r *run) plan(ctx context.Context) (steps Changeset, ok bool) {
	live, err := r.read(ctx)
	if err != nil {
		r.skipAll()
		r.stop(ctx, err)
		return nil, false
	}
	steps = Compare(r.options.Sources, live)
	r.report.Objects = steps.results()
	r.report.Unmanaged = unmanaged(live, r.options)
	r.report.Checksum = steps.checksum(r.portal.Portal(), r.options.Key)
	for i := range steps {
		if steps[i].Error != nil {
			r.logger.Info("source cannot be updated", "source", steps[i].Desired.Name, "id", steps[i].Desired.ID, "code", steps[i].Error.Code)
		}
	}
	return steps, r.guard(steps)
}

// guard refuses the plan as a whole where an option says so.
func (r *run) guard(steps Changeset) bool {
	o := r.options
	planned := steps.planned()
	switch {
	case !o.MaxChanges.allows(planned, len(steps)):
		r.report.Error = &Failure{
			Code:    CodeTooManyChanges,
			Message: fmt.Sprintf("the run would change %d of %d sources; --max-changes %s allows %d", planned, len(steps), o.MaxChanges, o.MaxChanges.most(len(steps))),
			Hint:    "look at the plan; if it is what you want, raise --max-changes",
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
	r.skipPlanned()
	return false
}

func (r *run) failed() bool {
	for i := range r.report.Objects {
		if r.report.Objects[i].Status == StatusFailed {
			return true
		}
	}
	return false
}

func (r *run) skipPlanned() {
	for i := range r.report.Objects {
		if r.report.Objects[i].Status == StatusPlanned {
			r.report.Objects[i].Status = StatusSkipped
		}
	}
}

// skipAll reports every source as skipped: the run ended before they could be
// compared.
func (r *run) skipAll() {
	steps := Compare(r.options.Sources, Live{})
	for i := range steps {
		steps[i].Status, steps[i].Error = StatusSkipped, nil
	}
	r.report.Objects = steps.results()
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
	report.Finished = time.Now()
	report.Duration = report.Finished.Sub(report.Started).Seconds()
	r.logger.Info("run finished", "command", report.Command, "outcome", string(report.Outcome),
		"updated", report.Summary.Updated, "failed", report.Summary.Failed, "skipped", report.Summary.Skipped,
		"unchanged", report.Summary.Unchanged, "requests", report.Requests.HTTP)
	return report
}

// consume hands the outcomes to those that submitted the tasks.
func (r *run) consume(ctx context.Context) error {
	for {
		out, ok := r.scheduler.Next(ctx)
		if !ok {
			return r.scheduler.Err()
		}
		out.Task.Owner.(func(schedule.Outcome))(out)
	}
}

// show hands the progress out.
func (r *run) show() {
	if r.options.Progress != nil {
		r.options.Progress(r.progress)
	}
}
