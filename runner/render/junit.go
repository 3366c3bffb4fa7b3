package render

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/jstemmer/go-junit-report/v2/junit"

	"syncsources/runner"
)

// JUnit writes the report as JUnit XML, which CI systems show as tests: a test
// case for each source, or for each finding where the manifests are invalid,
// with the manifest as its class. An error of the run as a whole is a case of
// its own, "run".
//
// The form has no standard. The types are those of go-junit-report; of them only
// what the schema of Jenkins' xUnit plugin (junit-10.xsd) has is used.
func JUnit(w io.Writer, r *runner.Report, _ Options) error {
	suite := junit.Testsuite{Name: "syncsources " + r.Command, Time: seconds(r.Duration)}
	suite.SetTimestamp(r.Started)
	for _, p := range [][2]string{{"portal", r.Portal}, {"outcome", string(r.Outcome)}, {"checksum", r.Checksum}} {
		if p[1] != "" {
			suite.AddProperty(p[0], clean(p[1]))
		}
	}
	if r.Error != nil {
		suite.AddTestcase(junit.Testcase{Name: "run", Classname: "syncsources", Error: result(r.Error, "")})
	}
	for _, f := range r.Findings {
		at := clean(findingPlace(f))
		suite.AddTestcase(junit.Testcase{Name: at + " " + clean(f.Rule), Classname: clean(f.File),
			Failure: result(&runner.Failure{Code: f.Rule, Message: f.Message}, at)})
	}
	for i := range r.Objects {
		suite.AddTestcase(testCase(&r.Objects[i]))
	}
	suites := junit.Testsuites{Name: suite.Name, Time: suite.Time}
	suites.AddSuite(suite)
	suites.Skipped = 0 // left out: the schema of Jenkins has it for suites only

	b := bytes.NewBufferString(xml.Header)
	if err := suites.WriteXML(b); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// testCase is one source. Its output holds the changes.
func testCase(s *runner.Object) junit.Testcase {
	at := fmt.Sprintf("%s:%d", place(s), s.Column)
	c := junit.Testcase{Name: label(s), Classname: clean(s.File)}
	switch {
	case s.Status == runner.StatusFailed && s.Error != nil:
		c.Failure = result(s.Error, at)
	case s.Status == runner.StatusSkipped:
		c.Skipped = &junit.Result{Message: "the run ended before its turn"}
	}
	if len(s.Changes) > 0 {
		var out strings.Builder
		for _, change := range s.Changes {
			from, to := sides(change, textValue)
			fmt.Fprintf(&out, "%s: %s -> %s\n", clean(change.Path), from, to)
		}
		c.SystemOut = &junit.Output{Data: out.String()}
	}
	return c
}

// result is a failure, with the place it is about on a line before it: not all
// CI systems show the attributes.
func result(f *runner.Failure, at string) *junit.Result {
	text := advised(f)
	if at != "" {
		text = at + "\n" + text
	}
	return &junit.Result{Message: failure(f), Type: clean(f.Code), Data: text}
}

func seconds(s float64) string { return fmt.Sprintf("%.3f", s) }
