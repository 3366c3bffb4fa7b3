package runner

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// ReportSchema and PortalsSchema name the formats of the JSON reports of one
// portal and of many. One changes when a key changes its meaning or goes away;
// new keys may appear without.
const (
	ReportSchema  = "syncsources.report/2"
	PortalsSchema = "syncsources.portals/1"
)

// Outcome is how a run ended.
type Outcome string

// The outcomes of a run.
const (
	OutcomeOK          Outcome = "ok"          // done, nothing left to do
	OutcomeChanges     Outcome = "changes"     // a plan found differences, and no failure
	OutcomeFailed      Outcome = "failed"      // at least one object failed, or a guard refused
	OutcomeStopped     Outcome = "stopped"     // a condition that fails all calls, or the time limit
	OutcomeInterrupted Outcome = "interrupted" // by a signal
	OutcomeInvalid     Outcome = "invalid"     // manifest or command line; nothing was sent
)

// Kind is a kind of object.
type Kind string

// The kinds of objects, in the order in which they are created.
const (
	KindConnector Kind = "connector"
	KindSource    Kind = "source"
	KindTable     Kind = "table"
)

// Action is what a plan means to do with an object.
type Action string

// The actions. Only columns of tables are replaced: the portal cannot change
// their type or code.
const (
	ActionNone    Action = "none"
	ActionCreate  Action = "create"
	ActionUpdate  Action = "update"
	ActionDelete  Action = "delete"
	ActionReplace Action = "replace"
)

// Status is what became of one object.
type Status string

// The statuses of an object. Created, updated and deleted mean that the portal
// was read back and shows it (unless --no-verify).
const (
	StatusUnchanged Status = "unchanged" // the portal shows what is declared
	StatusPlanned   Status = "planned"   // it differs, and nothing was written (plan)
	StatusCreated   Status = "created"
	StatusUpdated   Status = "updated"
	StatusDeleted   Status = "deleted"
	StatusFailed    Status = "failed"  // Error says why
	StatusSkipped   Status = "skipped" // the run ended before its turn, or what it depends on failed
)

// Codes of failures that the runner itself finds. The portal's codes pass
// through beside them, as do those of the client.
const (
	CodeNotConverged   = "NOT_CONVERGED"    // written, but the portal does not show it
	CodeUnknownSetting = "UNKNOWN_SETTING"  // the source's connector declares no such setting
	CodeUnknownOutcome = "UNKNOWN_OUTCOME"  // an answer was lost and could not be settled by reading
	CodeAmbiguous      = "AMBIGUOUS"        // more than one live object matches, or two declarations are one object
	CodeImmutable      = "IMMUTABLE"        // the portal cannot change this
	CodeNameTaken      = "NAME_TAKEN"       // a table of this name belongs to somebody else
	CodeDependency     = "DEPENDENCY"       // what the object depends on failed
	CodeTimeout        = "TIMEOUT"          // the run hit its time limit
	CodeTooManyChanges = "TOO_MANY_CHANGES" // more changes than --max-changes allows
	CodeTooManyDeletes = "TOO_MANY_DELETES" // more removals than --max-deletes allows
	CodeUncleanText    = "UNCLEAN_TEXT"     // a live text that cannot be read exactly would have to be sent back
	CodeStalePlan      = "STALE_PLAN"       // the changes are not those of --checksum
	CodeInterrupted    = "INTERRUPTED"      // by a signal
)

// Report is the result of a run against one portal. All output is made from
// it.
type Report struct {
	Schema   string    `json:"schema"`
	Command  string    `json:"command"` // plan, apply or validate
	Portal   string    `json:"portal"`  // https://acme.bitrix24.com
	Outcome  Outcome   `json:"outcome"`
	Started  time.Time `json:"started_at"`
	Finished time.Time `json:"finished_at"`
	Duration float64   `json:"duration_seconds"`
	Summary  Summary   `json:"summary"`
	Requests Requests  `json:"requests"`
	// Checksum is of the planned changes; empty where the plan did not get
	// that far.
	Checksum string   `json:"checksum,omitempty"`
	Error    *Failure `json:"error,omitempty"` // of the run as a whole
	// Objects holds every selected object in the manifest's order: connectors,
	// sources, tables; then, with --prune, what is removed.
	Objects []Object `json:"objects,omitzero"`
	// Unmanaged holds the live objects that no manifest declares, where they
	// were asked for.
	Unmanaged []Unmanaged `json:"unmanaged,omitempty"`
	// Findings replaces Objects where the outcome is invalid; it is
	// empty where it is the command line that is wrong.
	Findings []Finding `json:"findings,omitzero"`
	// Notes are remarks on the run as a whole, a line each, such as what is
	// known not to converge.
	Notes []string `json:"notes,omitempty"`
	// Estimate is how long an apply of this plan takes at least, in seconds;
	// zero where there is nothing to apply.
	Estimate float64 `json:"estimate_seconds,omitempty"`
	// Limits are those that the run was paced by.
	Limits *Limits `json:"limits,omitempty"`
	// Timeline holds the requests of the run, the first first.
	Timeline []Exchange `json:"timeline,omitempty"`
	// Waits are times longer than a second in which there was something to do
	// and nothing was sent.
	Waits []Wait `json:"waits,omitempty"`
}

// Summary counts objects by status.
type Summary struct {
	Total     int `json:"total"`
	Unchanged int `json:"unchanged"`
	Planned   int `json:"planned"`
	Created   int `json:"created"`
	Updated   int `json:"updated"`
	Deleted   int `json:"deleted"`
	Failed    int `json:"failed"`
	Skipped   int `json:"skipped"`
	Unmanaged int `json:"unmanaged"`
}

// Requests is what the run cost the portal.
type Requests struct {
	HTTP      int     `json:"http"`           // everything sent to the portal
	Batches   int     `json:"batches"`        // of these, batches
	Commands  int     `json:"commands"`       // commands in batches, and calls of their own
	Retries   int     `json:"retries"`        // commands sent again
	Throttled int     `json:"throttled"`      // requests refused with 503 or 429
	Waited    float64 `json:"waited_seconds"` // seconds of wall time with nothing in flight
}

// Limits are the portal's limits that the timeline is drawn against, as options
// or defaults had them.
type Limits struct {
	Rate        float64 `json:"rate"`        // requests a second
	Burst       int     `json:"burst"`       // requests at once
	Concurrency int     `json:"concurrency"` // maximum requests in flight; 0: as many as the portal shows to serve
}

// Exchange is one request of the timeline.
type Exchange struct {
	At       float64 `json:"at"`       // seconds since the run began
	Seconds  float64 `json:"seconds"`  // until its answer
	Method   string  `json:"method"`   // batch, or the method of a single call
	Commands int     `json:"commands"` // that it carried
	Result   string  `json:"result"`   // ok, throttled, held, lost or refused
}

// Wait is a time in which a run waited for the portal.
type Wait struct {
	At      float64 `json:"at"`      // seconds since the run began
	Seconds float64 `json:"seconds"` // how long it was
	Reason  string  `json:"reason"`  // what the run waited for, in words
}

// Object is the outcome of one object.
type Object struct {
	Kind   Kind   `json:"kind"`
	Action Action `json:"action"` // what was planned
	Status Status `json:"status"`
	// Name is the manifest's label of the object, "#4" where it has none. It is
	// empty for an object that no manifest declares and that is removed.
	Name     string   `json:"name"`
	ID       int64    `json:"id"`    // zero where it does not exist yet
	Title    string   `json:"title"` // declared, else live; of a table, its name
	File     string   `json:"file"`
	Line     int      `json:"line"`
	Column   int      `json:"column"`
	Changes  []Change `json:"changes"` // in the JSON report a list also where there are none
	Error    *Failure `json:"error,omitempty"`
	Attempts int      `json:"attempts"` // writes sent that may have run
	Verified bool     `json:"verified"` // read back after a write
	// Notes are remarks on the object, a line each, for whoever reads the plan.
	Notes []string `json:"notes,omitempty"`
}

// Change is one difference. From and To are a string, bool or number; both
// are nil where Sensitive. What is created has no From, what is removed no To.
type Change struct {
	Path      string `json:"path"` // title, active, settings.CODE, columns.NAME.visible
	From      any    `json:"from,omitempty"`
	To        any    `json:"to,omitempty"`
	Sensitive bool   `json:"sensitive,omitempty"`
	// Failed marks a change of a failed object that the portal does not show.
	Failed bool `json:"failed,omitempty"`
}

// Failure is why an object, or a run, failed.
type Failure struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
	Reason  string `json:"-"` // the finer cause, where Code has several, for whoever chooses the hint
}

// Error returns "CODE: message".
func (f *Failure) Error() string { return f.Code + ": " + f.Message }

// Unmanaged is a live object that no manifest declares.
type Unmanaged struct {
	Kind        Kind   `json:"kind"`
	ID          int64  `json:"id"`
	Title       string `json:"title"` // of a table, its name
	ConnectorID int64  `json:"connector_id,omitempty"`
	SourceID    int64  `json:"source_id,omitempty"`
}

// Finding is a mistake in a file, where the run ended before it began.
type Finding struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Rule    string `json:"rule"`
	Message string `json:"message"`
	// Excerpt is the node that is wrong, where it may be shown.
	Excerpt string `json:"-"`
	// Hints says what is allowed and what may have been meant, a line each.
	Hints []string `json:"hints,omitempty"`
}

// PortalsReport is the result of a run against many portals, in the order of
// the portals file.
type PortalsReport struct {
	Schema   string         `json:"schema"`
	Command  string         `json:"command"`
	Outcome  Outcome        `json:"outcome"` // the one with the highest claim on the exit code
	Started  time.Time      `json:"started_at"`
	Finished time.Time      `json:"finished_at"`
	Duration float64        `json:"duration_seconds"`
	Summary  Summary        `json:"summary"` // of all portals
	Portals  []PortalReport `json:"portals"`
	// Error and Findings say why there are no Portals: of the portals file, the
	// command line or the store.
	Error    *Failure  `json:"error,omitempty"`
	Findings []Finding `json:"findings,omitzero"`

	close func() // of the place where reports are stored; may be nil
}

// OfMany is the report of a run of many portals that ended, before the first
// of them, as this one did.
func (r *Report) OfMany() *PortalsReport {
	return &PortalsReport{
		Schema: PortalsSchema, Command: r.Command, Outcome: r.Outcome, Started: r.Started, Finished: r.Finished, Duration: r.Duration,
		Error: r.Error, Findings: r.Findings,
	}
}

// PortalReport is the report of one portal of many.
type PortalReport struct {
	Name   string  `json:"name"`
	Report *Report `json:"report"`
	// Stored returns the report where Report is nil, because it was stored
	// outside of memory when the portal was done.
	Stored func() (*Report, error) `json:"-"`
}

// Open returns the report, wherever it is.
func (p *PortalReport) Open() (*Report, error) {
	if p.Report == nil && p.Stored != nil {
		return p.Stored()
	}
	return p.Report, nil
}

// SkipPlanned makes skipped what was planned and will not be written.
func (r *Report) SkipPlanned() {
	for i := range r.Objects {
		if r.Objects[i].Status == StatusPlanned {
			r.Objects[i].Status = StatusSkipped
		}
	}
}

// Count fills the summary from the objects.
func (r *Report) Count() {
	r.Summary = Summary{Total: len(r.Objects), Unmanaged: len(r.Unmanaged)}
	for i := range r.Objects {
		*r.Summary.of(r.Objects[i].Status)++
	}
}

// of is the counter of a status.
func (s *Summary) of(status Status) *int {
	switch status {
	case StatusUnchanged:
		return &s.Unchanged
	case StatusPlanned:
		return &s.Planned
	case StatusCreated:
		return &s.Created
	case StatusUpdated:
		return &s.Updated
	case StatusDeleted:
		return &s.Deleted
	case StatusSkipped:
		return &s.Skipped
	}
	return &s.Failed
}

// Add adds the counts of another summary.
func (s *Summary) Add(o Summary) {
	s.Total += o.Total
	s.Unchanged += o.Unchanged
	s.Planned += o.Planned
	s.Created += o.Created
	s.Updated += o.Updated
	s.Deleted += o.Deleted
	s.Failed += o.Failed
	s.Skipped += o.Skipped
	s.Unmanaged += o.Unmanaged
}

// requests notes in the report what the run sent and when, what it waited for,
// and the limits that it kept to.
func (r *run) requests() {
	conf := r.scheduler.Config()
	r.report.Limits = &Limits{conf.Rate, conf.Burst, conf.Concurrency}
	since := func(t time.Time) float64 { return milliseconds(max(0, t.Sub(r.report.Started).Seconds())) }
	for _, x := range r.scheduler.Timeline() {
		r.report.Timeline = append(r.report.Timeline, Exchange{
			At: since(x.At), Seconds: milliseconds(x.Seconds), Method: x.Method, Commands: x.Commands, Result: string(x.Result),
		})
	}
	slices.SortStableFunc(r.report.Timeline, func(a, b Exchange) int { return cmp.Compare(a.At, b.At) })
	for _, w := range r.scheduler.Waits() {
		r.report.Waits = append(r.report.Waits, Wait{At: since(w.At), Seconds: milliseconds(w.Seconds), Reason: w.Reason})
	}
}

// milliseconds rounds seconds to what somebody can read.
func milliseconds(s float64) float64 { return math.Round(s*1000) / 1000 }
