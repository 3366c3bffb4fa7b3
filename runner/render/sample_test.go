package render_test

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"math"
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
		check(t, os.WriteFile(file, got, 0o666))
	}
	want := must(os.ReadFile(file))(t)
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (go test -update writes it anew); got:\n%s", file, got)
	}
}

// rendered returns what a format writes for one portal.
func rendered(t testing.TB, f render.Func, r *runner.Report, o render.Options) []byte {
	t.Helper()
	return renderedRun(t, f, render.One(r), o)
}

func renderedRun(t testing.TB, f render.Func, run render.Run, o render.Options) []byte {
	t.Helper()
	var b bytes.Buffer
	check(t, f(&b, run, o))
	return b.Bytes()
}

// samples are the reports that the golden files show: between them they have
// every field, status and outcome.
func samples() map[string]*runner.Report {
	return map[string]*runner.Report{
		"plan":        planned(),
		"apply":       applied(),
		"kinds":       kinds(),
		"rotation":    rotation(300),
		"stopped":     stopped(),
		"unread":      unread(),
		"refused":     refused(),
		"unchanged":   unchanged(),
		"invalid":     invalid(),
		"valid":       valid(),
		"commandline": commandLine(),
	}
}

// report is a report of these objects. What an object leaves out is that of a
// source that is declared, line after line.
func report(command string, outcome runner.Outcome, objects ...runner.Object) *runner.Report {
	begin := time.Date(2026, 3, 20, 14, 50, 6, 0, time.UTC)
	r := &runner.Report{
		Schema: runner.ReportSchema, Command: command, Portal: "https://acme.bitrix24.com", Outcome: outcome,
		Started: begin, Finished: begin.Add(1250 * time.Millisecond), Duration: 1.25,
		Requests: runner.Requests{HTTP: 7, Batches: 5, Commands: 105, Retries: 1, Waited: 0.5},
		Objects:  append([]runner.Object{}, objects...),
	}
	line := 5
	for i := range r.Objects {
		o := &r.Objects[i]
		o.Kind = cmp.Or(o.Kind, runner.KindSource)
		if o.Action == "" {
			o.Action = runner.ActionNone
			if len(o.Changes) > 0 {
				o.Action = runner.ActionUpdate
			}
		}
		if o.File == "" && o.Action != runner.ActionDelete {
			o.File, o.Line, o.Column = "manifest.yaml", line, 5
			line += 7
		}
	}
	r.Count()
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
	r.Summary.Unmanaged = len(r.Unmanaged)
	return r
}

func applied() *runner.Report {
	done := crm(runner.StatusUpdated)
	done.Attempts, done.Verified = 1, true
	stuck := notes(runner.StatusFailed)
	stuck.Attempts, stuck.Verified = 2, true
	stuck.Changes[0].Failed = true
	stuck.Error = &runner.Failure{
		Code: runner.CodeNotConverged, Message: "written, but the portal does not show it: description",
		Hint: "read the source in the portal; another program may be changing it",
	}
	return report("apply", runner.OutcomeFailed, done, same("stock", 7), missing(), stuck)
}

// kinds is a plan with each kind and action.
func kinds() *runner.Report {
	r := report("plan", runner.OutcomeFailed,
		runner.Object{Kind: runner.KindConnector, Action: runner.ActionCreate, Status: runner.StatusPlanned, Name: "erp", Title: "ERP", Changes: []runner.Change{
			{Path: "title", To: "ERP"}, {Path: "urlCheck", To: "https://erp.example/bi/check"}, {Path: "sort", To: 100.0}, {Path: "supportMapping", To: false},
			{Path: "settings.password", To: "STRING"},
		}},
		runner.Object{Action: runner.ActionCreate, Status: runner.StatusPlanned, Name: "warehouse", Title: "Warehouse", Changes: []runner.Change{
			{Path: "title", To: "Warehouse"}, {Path: "connector", To: "erp"}, {Path: "settings.password", Sensitive: true},
		}, Notes: []string{"an unmanaged source of the same connector is called \"Warehouse (old)\": a rename needs the id"}},
		crm(runner.StatusPlanned),
		runner.Object{Kind: runner.KindTable, Action: runner.ActionReplace, Status: runner.StatusPlanned, Name: "crm_deals", ID: 31, Title: "crm_deals", Changes: []runner.Change{
			{Path: "columns.AMOUNT", From: "int", To: "double"}, {Path: "columns.OLD", From: "string"}, {Path: "columns.NEW", To: "date"},
		}},
		runner.Object{Kind: runner.KindTable, Action: runner.ActionCreate, Status: runner.StatusSkipped, Name: "orders", Title: "orders", Changes: []runner.Change{{Path: "source", To: "invoices"}},
			Error: &runner.Failure{Code: runner.CodeDependency, Message: "invoices (#9) failed"}},
		missing(),
		runner.Object{Action: runner.ActionDelete, Status: runner.StatusPlanned, ID: 13, Title: "Stock"},
	)
	r.Checksum, r.Estimate = "5f2b9c0e7d31", 552
	r.Notes = []string{"current portals ignore active: 1 source declares it"}
	return r
}

// rotation is an apply that gives n sources a new password, creates three
// objects, removes one, and fails for four.
func rotation(n int) *runner.Report {
	var objects []runner.Object
	done := func(o runner.Object, status runner.Status) {
		o.Status, o.Attempts, o.Verified = status, 1, true
		objects = append(objects, o)
	}
	done(runner.Object{Kind: runner.KindConnector, Action: runner.ActionCreate, Name: "erp", ID: 12, Title: "ERP", Changes: []runner.Change{
		{Path: "title", To: "ERP"}, {Path: "urlData", To: "https://erp.example/bi/data"}}}, runner.StatusCreated)
	cities := []string{"Berlin", "Zürich", "Łódź", "İzmir", "Sankt Pölten", "Москва", "Αθήνα"}
	for i := range n {
		o := runner.Object{Action: runner.ActionUpdate, Name: fmt.Sprintf("shop-%03d", i+1), ID: int64(i + 101), Title: "Shop " + cities[i%len(cities)],
			File: fmt.Sprintf("shops/%s.yaml", []string{"north", "south", "west"}[i*3/max(n, 1)]), Line: 4 + 9*i, Column: 5,
			Changes: []runner.Change{{Path: "settings.password", Sensitive: true}}}
		switch {
		case i%97 == 41:
			o.Status, o.Attempts, o.Verified = runner.StatusFailed, 2, true
			o.Changes = append([]runner.Change{{Path: "description", From: "Till", To: "Till and stock", Failed: true}}, o.Changes...)
			o.Error = &runner.Failure{Code: runner.CodeNotConverged, Message: "written, but the portal does not show it: description",
				Hint: "read the source in the portal; another program may be changing it"}
			objects = append(objects, o)
		case i == n-1:
			o.Status, o.Error, o.Changes, o.Action = runner.StatusFailed, missing().Error, nil, runner.ActionNone
			objects = append(objects, o)
		case i%50 == 7:
			o.Changes = append([]runner.Change{{Path: "title", From: o.Title + " (old)", To: o.Title}}, o.Changes...)
			done(o, runner.StatusUpdated)
		default:
			done(o, runner.StatusUpdated)
		}
	}
	done(runner.Object{Action: runner.ActionCreate, Name: "warehouse", ID: 900, Title: "Warehouse", Changes: []runner.Change{
		{Path: "title", To: "Warehouse"}, {Path: "connector", To: "erp"}, {Path: "settings.password", Sensitive: true}}}, runner.StatusCreated)
	for i := range n / 6 {
		objects = append(objects, same(fmt.Sprintf("depot-%d", i+1), int64(2000+i)))
	}
	done(runner.Object{Kind: runner.KindTable, Action: runner.ActionCreate, Name: "stock", ID: 31, Title: "stock", Changes: []runner.Change{
		{Path: "source", To: "warehouse"}, {Path: "columns.ID", To: "int"}, {Path: "columns.AMOUNT", To: "double"}}}, runner.StatusCreated)
	done(runner.Object{Action: runner.ActionDelete, ID: 13, Title: "Stock of 2019"}, runner.StatusDeleted)
	r := report("apply", runner.OutcomeFailed, objects...)
	timelineOf(r, len(objects))
	return r
}

// timelineOf gives a report a timeline as a run over n objects has it: bursts,
// a pause, and some requests that were not simply answered.
func timelineOf(r *runner.Report, n int) {
	r.Limits = &runner.Limits{Rate: 2, Burst: 50, Concurrency: 16}
	at := 0.0
	for i := range max(4, n/25) {
		e := runner.Exchange{At: at, Seconds: 0.9 + float64(i*37%23)/10, Method: "batch", Commands: 50 - i*7%9, Result: "ok"}
		switch {
		case i%29 == 17:
			e.Result, e.Seconds, e.Commands = "throttled", 0.1, 12
		case i%41 == 30:
			e.Result, e.Seconds = "lost", 5
		case i%5 == 3:
			e.Method, e.Commands = "biconnector.source.update", 1
		}
		r.Timeline = append(r.Timeline, e)
		at += []float64{0.05, 0.05, 0.1, 0.6}[i%4]
		if i%64 == 50 {
			r.Waits = append(r.Waits, runner.Wait{At: math.Round(at*100) / 100, Seconds: 14, Reason: "the portal's operating limit"})
			at += 14
		}
	}
	for _, e := range r.Timeline {
		r.Duration = max(r.Duration, math.Round((e.At+e.Seconds)*100)/100)
	}
	r.Finished = r.Started.Add(time.Duration(r.Duration * float64(time.Second)))
	r.Requests = runner.Requests{HTTP: len(r.Timeline), Batches: len(r.Timeline), Commands: 2 * n, Retries: 3, Throttled: 1, Waited: 14}
}

// fleet is a run over some portals: one rotates passwords, one is down, one
// has findings, the others have nothing to do or a little.
func fleet(portals, objects int) *runner.PortalsReport {
	begin := time.Date(2026, 3, 20, 14, 50, 6, 0, time.UTC)
	all := &runner.PortalsReport{Schema: runner.PortalsSchema, Command: "apply", Outcome: runner.OutcomeStopped, Started: begin}
	for i := range portals {
		var r *runner.Report
		switch {
		case i == 1:
			r = unread()
			r.Error = &runner.Failure{Code: "NETWORK", Message: "the portal has not answered for 20 s", Hint: "check the network and the portal's address; nothing was changed"}
		case i == 2:
			r = report("apply", runner.OutcomeInvalid)
			r.Objects, r.Findings = nil, invalid().Findings
		case i%4 == 0:
			r = rotation(objects)
		default:
			r = unchanged()
		}
		name := []string{"acme", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu"}[i%12]
		if i >= 12 {
			name += fmt.Sprintf("-%d", i/12)
		}
		r.Portal = "https://" + name + ".bitrix24.com"
		late := time.Duration(i*700) * time.Millisecond
		r.Started, r.Finished = begin.Add(late), begin.Add(late+time.Duration(r.Duration*float64(time.Second)))
		if r.Finished.After(all.Finished) {
			all.Finished = r.Finished
		}
		all.Summary.Add(r.Summary)
		all.Portals = append(all.Portals, runner.PortalReport{Name: name, Report: r})
	}
	all.Duration = all.Finished.Sub(all.Started).Seconds()
	return all
}

// unread is a run that ended before it knew what is live.
func unread() *runner.Report {
	r := report("apply", runner.OutcomeStopped, runner.Object{Name: "crm", ID: 4, Status: runner.StatusSkipped}, runner.Object{Name: "stock", Title: "Stock", Status: runner.StatusSkipped})
	r.Error = &runner.Failure{Code: "ACCESS_DENIED", Message: "Access denied.", Hint: "check the rights of the application's user"}
	return r
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
		s.Changes[0].To = fmt.Sprintf("New name %d", i) // none like another
		if i%((n+m)/max(m, 1)) == 0 && m > 0 {
			s.Status, s.Error = runner.StatusFailed, missing().Error
		}
		sources = append(sources, s)
	}
	return report("plan", runner.OutcomeFailed, sources...)
}
