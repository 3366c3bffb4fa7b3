package render

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/jstemmer/go-junit-report/v2/junit"

	"syncsources/runner"
	"syncsources/runner/render/clean"
)

// JUnit writes the run as JUnit XML, which CI systems show as tests: a suite
// for each portal, named by it, with a test case for each object, or for each
// finding where the manifests are invalid, with the manifest as its class. An
// error of the run as a whole is a case of its own, "run".
//
// The format has no standard. The types are those of go-junit-report; of them
// only what the schema of Jenkins' xUnit plugin (junit-10.xsd) has is used.
func JUnit(w io.Writer, run Run, _ Options) error {
	suites := junit.Testsuites{Name: "syncsources " + run.Command(), Time: seconds(run.seconds())}
	if run.Portals != nil && (run.Portals.Error != nil || len(run.Portals.Findings) > 0) {
		p := run.Portals
		suites.AddSuite(suite(portal{name: "portals", report: &runner.Report{
			Command: p.Command, Outcome: p.Outcome, Started: p.Started, Error: p.Error, Findings: p.Findings,
		}}))
	}
	err := run.each(func(p portal) error {
		suites.AddSuite(suite(p))
		return nil
	})
	if err != nil {
		return err
	}
	suites.Skipped = 0 // left out: the schema of Jenkins has it for suites only

	b := bytes.NewBufferString(xml.Header)
	if err := suites.WriteXML(b); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	_, err = w.Write(b.Bytes())
	return err
}

func suite(p portal) junit.Testsuite {
	r := p.report
	name := p.title()
	if name == "" {
		name = "syncsources " + clean.Line(r.Command)
	}
	s := junit.Testsuite{Name: name, Time: seconds(r.Duration)}
	s.SetTimestamp(r.Started)
	for _, p := range [][2]string{{"command", r.Command}, {"portal", r.Portal}, {"outcome", string(r.Outcome)}, {"checksum", r.Checksum}} {
		if p[1] != "" {
			s.AddProperty(p[0], clean.Line(p[1]))
		}
	}
	if r.Error != nil {
		s.AddTestcase(junit.Testcase{Name: "run", Classname: "syncsources", Error: result(r.Error, "")})
	}
	for _, f := range r.Findings {
		at := clean.Line(findingPlace(f))
		s.AddTestcase(junit.Testcase{Name: at + " " + clean.Line(f.Rule), Classname: clean.Line(f.File),
			Failure: result(&runner.Failure{Code: f.Rule, Message: f.Message, Hint: strings.Join(f.Advice, "; ")}, at)})
	}
	for i := range r.Objects {
		s.AddTestcase(testCase(&r.Objects[i]))
	}
	return s
}

// testCase is one object. Its output holds the changes and notes.
func testCase(o *runner.Object) junit.Testcase {
	c := junit.Testcase{Name: label(o), Classname: clean.Line(o.File)}
	at := place(o)
	if at != "" && o.Column > 0 {
		at = fmt.Sprintf("%s:%d", at, o.Column)
	}
	switch {
	case o.Status == runner.StatusFailed && o.Error != nil:
		c.Failure = result(o.Error, at)
	case o.Status == runner.StatusSkipped && o.Error != nil:
		c.Skipped = &junit.Result{Message: failure(o.Error)}
	case o.Status == runner.StatusSkipped:
		c.Skipped = &junit.Result{Message: "the run ended before its turn"}
	}
	var out strings.Builder
	for _, change := range o.Changes {
		from, to := sides(change, textValue)
		switch o.Action {
		case runner.ActionCreate:
			fmt.Fprintf(&out, "%s: %s\n", clean.Line(change.Path), to)
		case runner.ActionDelete:
			fmt.Fprintf(&out, "%s: %s\n", clean.Line(change.Path), from)
		default:
			fmt.Fprintf(&out, "%s: %s -> %s\n", clean.Line(change.Path), from, to)
		}
	}
	for _, note := range o.Notes {
		fmt.Fprintf(&out, "note: %s\n", clean.Line(note))
	}
	if out.Len() > 0 {
		c.SystemOut = &junit.Output{Data: out.String()}
	}
	return c
}

// result is a failure, with the place it is about on a line before it: not all
// CI systems show the attributes.
func result(f *runner.Failure, at string) *junit.Result {
	text := withHint(f)
	if at != "" {
		text = at + "\n" + text
	}
	return &junit.Result{Message: failure(f), Type: clean.Line(f.Code), Data: text}
}

func seconds(s float64) string { return fmt.Sprintf("%.3f", s) }
