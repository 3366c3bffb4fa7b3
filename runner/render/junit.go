package render

import (
	"bytes"
	"cmp"
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
	// The suites of many portals may not fit into memory together: they are made
	// twice, once for the totals in front of them.
	all := junit.Testsuites{Name: "syncsources " + run.Command(), Time: seconds(run.head().Duration)}
	err := eachSuite(run, func(s junit.Testsuite) error {
		all.AddSuite(s)
		all.Suites = nil
		return nil
	})
	if err != nil {
		return err
	}
	all.Skipped = 0 // left out: the schema of Jenkins has it for suites only
	head, err := element("testsuites", "", all)
	if err != nil {
		return err
	}
	head, end := head[:bytes.LastIndex(head, []byte("</"))], head[bytes.LastIndex(head, []byte("</")):]
	if _, err := fmt.Fprintf(w, "%s%s\n", xml.Header, head); err != nil {
		return err
	}
	err = eachSuite(run, func(s junit.Testsuite) error {
		doc, err := element("testsuite", "\t", s)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w, "%s\n", doc)
		return err
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", end)
	return err
}

// element encodes v with prefix before each line.
func element(name, prefix string, v any) ([]byte, error) {
	var b bytes.Buffer
	e := xml.NewEncoder(&b)
	e.Indent(prefix, "\t")
	if err := e.EncodeElement(v, xml.StartElement{Name: xml.Name{Local: name}}); err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	return b.Bytes(), nil
}

// eachSuite makes the suites of a run, one after the other: of what is wrong
// with the run of many portals itself, and of each portal.
func eachSuite(run Run, f func(junit.Testsuite) error) error {
	n := 0
	number := func(s junit.Testsuite) error {
		s.ID = n
		n++
		return f(s)
	}
	if p := run.Portals; p != nil && (p.Error != nil || len(p.Findings) > 0) {
		err := number(suite(portal{name: "portals", report: &runner.Report{
			Command: p.Command, Outcome: p.Outcome, Started: p.Started, Error: p.Error, Findings: p.Findings,
		}}))
		if err != nil {
			return err
		}
	}
	return run.each(func(p portal) error { return number(suite(p)) })
}

func suite(p portal) junit.Testsuite {
	r := p.report
	name := cmp.Or(p.title(), "syncsources "+clean.Line(r.Command))
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
			Failure: result(&runner.Failure{Code: f.Rule, Message: f.Message, Hint: strings.Join(f.Hints, "; ")}, at)})
	}
	for i := range r.Objects {
		s.AddTestcase(testCase(&r.Objects[i]))
	}
	return s
}

// testCase is one object. Its output holds the changes and notes.
func testCase(o *runner.Object) junit.Testcase {
	c := junit.Testcase{Name: kindLabel(o), Classname: clean.Line(o.File)}
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
		from, to := shown(o, change, textValue)
		arrow := ""
		if from != "" && to != "" {
			arrow = " -> "
		}
		fmt.Fprintf(&out, "%s: %s%s%s\n", clean.Line(change.Path), from, arrow, to)
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
