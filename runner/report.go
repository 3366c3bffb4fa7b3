package runner

import "time"

// ReportSchema names the format of the JSON report. It changes when a key
// changes its meaning or goes away; new keys may appear without.
const ReportSchema = "syncsources.report/1"

// Outcome is how a run ended.
type Outcome string

// The outcomes of a run.
const (
	OutcomeOK          Outcome = "ok"          // done, nothing left to do
	OutcomeChanges     Outcome = "changes"     // a plan found differences, and no failure
	OutcomeFailed      Outcome = "failed"      // at least one source failed, or a guard refused
	OutcomeStopped     Outcome = "stopped"     // a condition that fails all calls, or the time limit
	OutcomeInterrupted Outcome = "interrupted" // by a signal
	OutcomeInvalid     Outcome = "invalid"     // manifest or command line; nothing was sent
)

// Status is what became of one source.
type Status string

// The statuses of a source.
const (
	StatusUnchanged Status = "unchanged" // the portal shows what is declared
	StatusPlanned   Status = "planned"   // it differs, and nothing was written (plan)
	StatusUpdated   Status = "updated"   // it was written, and read back as declared (unless --no-verify)
	StatusFailed    Status = "failed"    // Error says why
	StatusSkipped   Status = "skipped"   // the run ended before its turn
)

// Codes of failures that the runner itself finds. The portal's codes pass
// through beside them, as do those of package bitrix.
const (
	CodeNotConverged   = "NOT_CONVERGED"    // written, but the portal does not show it
	CodeUnknownSetting = "UNKNOWN_SETTING"  // the source's connector declares no such setting
	CodeUnknownOutcome = "UNKNOWN_OUTCOME"  // an answer was lost and could not be settled by reading
	CodeTimeout        = "TIMEOUT"          // the run's time limit is over
	CodeTooManyChanges = "TOO_MANY_CHANGES" // more changes than --max-changes allows
	CodeStalePlan      = "STALE_PLAN"       // the changes are not those of --checksum
	CodeInterrupted    = "INTERRUPTED"      // by a signal
)

// Report is the result of a run. All output is made from it.
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
	// Sources holds every selected source in the manifest's order.
	Sources []SourceResult `json:"sources,omitzero"`
	// Unmanaged holds the live sources that no manifest declares, where they
	// were asked for.
	Unmanaged []UnmanagedSource `json:"unmanaged,omitempty"`
	// Findings stands instead of Sources where the outcome is invalid; it is
	// empty where it is the command line that is wrong.
	Findings []Finding `json:"findings,omitzero"`
}

// Summary counts sources by status.
type Summary struct {
	Total     int `json:"total"`
	Unchanged int `json:"unchanged"`
	Planned   int `json:"planned"`
	Updated   int `json:"updated"`
	Failed    int `json:"failed"`
	Skipped   int `json:"skipped"`
	Unmanaged int `json:"unmanaged"`
}

// Requests tells what the run cost the portal.
type Requests struct {
	HTTP      int     `json:"http"`           // everything sent to the portal
	Batches   int     `json:"batches"`        // of these, batches
	Commands  int     `json:"commands"`       // commands in batches, and calls of their own
	Retries   int     `json:"retries"`        // commands sent again
	Throttled int     `json:"throttled"`      // requests refused with 503 or 429
	Waited    float64 `json:"waited_seconds"` // seconds of wall time with nothing in flight
}

// SourceResult is the outcome of one declared source.
type SourceResult struct {
	Name     string   `json:"name"`
	ID       int64    `json:"id"`
	Title    string   `json:"title"` // declared, else live
	File     string   `json:"file"`
	Line     int      `json:"line"`
	Column   int      `json:"column"`
	Status   Status   `json:"status"`
	Changes  []Change `json:"changes"` // in the JSON report a list also where there are none
	Error    *Failure `json:"error,omitempty"`
	Attempts int      `json:"attempts"` // updates sent that may have run
	Verified bool     `json:"verified"` // read back after a write
}

// Change is one difference. From and To are a string, or a bool for active;
// both are nil where Sensitive.
type Change struct {
	Path      string `json:"path"` // title, description, active, settings.CODE
	From      any    `json:"from,omitempty"`
	To        any    `json:"to,omitempty"`
	Sensitive bool   `json:"sensitive,omitempty"`
}

// Failure is why a source, or a run, failed.
type Failure struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// Error returns "CODE: message".
func (f *Failure) Error() string { return f.Code + ": " + f.Message }

// UnmanagedSource is a live source that no manifest declares.
type UnmanagedSource struct {
	ID          int64  `json:"id"`
	Title       string `json:"title"`
	ConnectorID int64  `json:"connector_id"`
}

// Finding is an error of a manifest, where the run ended before it began.
type Finding struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Rule    string `json:"rule"`
	Message string `json:"message"`
	// Advice says what is allowed and what may have been meant, a line each. It
	// is for annotations, which have nothing else beside them.
	Advice []string `json:"-"`
}

// count fills the summary from the sources.
func (r *Report) count() {
	r.Summary = Summary{Total: len(r.Sources), Unmanaged: len(r.Unmanaged)}
	for _, s := range r.Sources {
		switch s.Status {
		case StatusUnchanged:
			r.Summary.Unchanged++
		case StatusPlanned:
			r.Summary.Planned++
		case StatusUpdated:
			r.Summary.Updated++
		case StatusFailed:
			r.Summary.Failed++
		case StatusSkipped:
			r.Summary.Skipped++
		}
	}
}
