package render_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"syncsources/runner"
	"syncsources/runner/render"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares what a renderer writes with testdata/NAME.golden.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, got, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (go test -update writes it anew); got:\n%s", file, got)
	}
}

// rendered returns what a renderer writes.
func rendered(t testing.TB, f render.Func, r *runner.Report, o render.Options) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := f(&b, r, o); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// samples are the reports that the golden files show: between them they have
// every field, status and outcome.
func samples() map[string]*runner.Report {
	return map[string]*runner.Report{
		"plan":        planned(),
		"apply":       applied(),
		"stopped":     stopped(),
		"refused":     refused(),
		"unchanged":   unchanged(),
		"invalid":     invalid(),
		"valid":       valid(),
		"commandline": commandLine(),
	}
}

func report(command string, outcome runner.Outcome, sources ...runner.Object) *runner.Report {
	begin := time.Date(2026, 3, 20, 14, 50, 6, 0, time.UTC)
	r := &runner.Report{
		Schema: runner.ReportSchema, Command: command, Portal: "https://acme.bitrix24.com", Outcome: outcome,
		Started: begin, Finished: begin.Add(1250 * time.Millisecond), Duration: 1.25,
		Requests: runner.Requests{HTTP: 7, Batches: 5, Commands: 105, Retries: 1, Waited: 0.5},
		Objects:  append([]runner.Object{}, sources...),
	}
	line := 5
	r.Summary.Total = len(sources)
	for i := range r.Objects {
		s := &r.Objects[i]
		s.Kind, s.Action = runner.KindSource, runner.ActionUpdate
		if s.Status == runner.StatusUnchanged {
			s.Action = runner.ActionNone
		}
		s.File, s.Line, s.Column = "manifest.yaml", line, 5
		line += 7
		switch s.Status {
		case runner.StatusUnchanged:
			r.Summary.Unchanged++
		case runner.StatusPlanned:
			r.Summary.Planned++
		case runner.StatusUpdated:
			r.Summary.Updated++
		case runner.StatusFailed:
			r.Summary.Failed++
		case runner.StatusSkipped:
			r.Summary.Skipped++
		}
	}
	return r
}

func crm(status runner.Status) runner.Object {
	return runner.Object{Name: "crm", ID: 4, Title: "New source name", Status: status, Changes: []runner.Change{
		{Path: "title", From: "Old name", To: "New source name"},
		{Path: "active", From: true, To: false},
		{Path: "settings.login", From: "admin", To: "new_admin"},
		{Path: "settings.password", Sensitive: true},
	}}
}

func notes(status runner.Status) runner.Object {
	return runner.Object{Name: "notes", ID: 11, Title: "Notes", Status: status, Changes: []runner.Change{
		{
			Path: "description",
			From: "Sales figures\nfrom the shop's\ndatabase,\nread each night.\nAsk Ann.",
			To:   "Sales figures\nfrom the shop's\nreplica,\nread each night.\nAsk Ann.",
		},
		{
			Path: "title",
			From: "Notes that are kept about customers, orders and returns in the northern warehouse since spring",
			To:   "Notes that are kept about customers, orders and returns in the southern warehouse since spring",
		},
	}}
}

func missing() runner.Object {
	return runner.Object{Name: "invoices", ID: 9, Title: "Invoices", Status: runner.StatusFailed, Error: &runner.Failure{
		Code: "SOURCE_NOT_FOUND", Message: "Source was not found.",
		Hint: "the source does not exist, or another application created it: an application sees only its own sources",
	}}
}

func same(name string, id int64) runner.Object {
	return runner.Object{Name: name, ID: id, Title: name, Status: runner.StatusUnchanged}
}

func planned() *runner.Report {
	r := report("plan", runner.OutcomeFailed, crm(runner.StatusPlanned), same("stock", 7), missing(), notes(runner.StatusPlanned))
	r.Checksum = "5f2b9c0e7d31"
	r.Unmanaged = []runner.Unmanaged{{Kind: runner.KindSource, ID: 31, Title: "Left over", ConnectorID: 2}, {Kind: runner.KindSource, ID: 112, Title: "", ConnectorID: 3}}
	r.Summary.Unmanaged = 2
	return r
}

func applied() *runner.Report {
	done := crm(runner.StatusUpdated)
	done.Attempts, done.Verified = 1, true
	stuck := notes(runner.StatusFailed)
	stuck.Attempts, stuck.Verified = 2, true
	stuck.Error = &runner.Failure{
		Code: runner.CodeNotConverged, Message: "written, but the portal does not show it: description",
		Hint: "read the source in the portal; another program may be changing it",
	}
	return report("apply", runner.OutcomeFailed, done, same("stock", 7), missing(), stuck)
}

func stopped() *runner.Report {
	done := crm(runner.StatusUpdated)
	done.Attempts, done.Verified = 1, true
	r := report("apply", runner.OutcomeStopped, done, notes(runner.StatusSkipped),
		runner.Object{Name: "#12", ID: 12, Status: runner.StatusSkipped})
	r.Checksum = "5f2b9c0e7d31"
	r.Requests.Throttled = 3
	r.Error = &runner.Failure{Code: runner.CodeTimeout, Message: "the time limit of 30m is over", Hint: "run again, which goes on where this run ended, or raise --timeout"}
	return r
}

func refused() *runner.Report {
	r := report("apply", runner.OutcomeFailed, crm(runner.StatusSkipped), same("stock", 7))
	r.Error = &runner.Failure{Code: runner.CodeTooManyChanges, Message: "1 change, and --max-changes allows 0"}
	return r
}

func unchanged() *runner.Report {
	return report("apply", runner.OutcomeOK, same("crm", 4), same("stock", 7))
}

func invalid() *runner.Report {
	r := report("plan", runner.OutcomeInvalid)
	r.Portal, r.Objects, r.Requests = "", nil, runner.Requests{}
	r.Findings = []runner.Finding{
		{File: "manifest.yaml", Line: 5, Column: 3, Rule: "unknown-key", Message: `unknown key "titel"`},
		{File: "<stdin>", Line: 9, Column: 11, Rule: "type", Message: `active is "yes", a string: write true or false`},
	}
	return r
}

func valid() *runner.Report {
	r := report("validate", runner.OutcomeOK)
	r.Portal, r.Objects, r.Requests = "", nil, runner.Requests{}
	r.Summary.Total = 12
	return r
}

func commandLine() *runner.Report {
	r := report("apply", runner.OutcomeInvalid)
	r.Portal, r.Objects, r.Requests = "", nil, runner.Requests{}
	r.Error = &runner.Failure{Code: "USAGE", Message: `--batch-size is 51: at most 50`}
	return r
}

// many is a report of n sources that differ and m that fail.
func many(n, m int) *runner.Report {
	var sources []runner.Object
	for i := range n + m {
		s := crm(runner.StatusPlanned)
		s.Name, s.ID = "source-"+strings.Repeat("x", i%7), int64(i+1)
		if i%((n+m)/max(m, 1)) == 0 && m > 0 {
			s.Status, s.Error = runner.StatusFailed, missing().Error
		}
		sources = append(sources, s)
	}
	return report("plan", runner.OutcomeFailed, sources...)
}
