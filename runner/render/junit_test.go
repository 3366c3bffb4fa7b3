package render_test

import (
	"bytes"
	"encoding/xml"
	"io"
	"strings"
	"testing"

	junit "github.com/joshdk/go-junit"

	"syncsources/runner"
	"syncsources/runner/render"
)

func TestJUnit(t *testing.T) {
	for name, r := range samples() {
		t.Run(name, func(t *testing.T) {
			out := rendered(t, render.JUnit, r, render.Options{})
			golden(t, "junit-"+name, out)

			// Another project's parser finds the same counts.
			suites, err := junit.Ingest(out)
			if err != nil || len(suites) != 1 {
				t.Fatalf("%d suites, %v", len(suites), err)
			}
			errors := 0
			if r.Error != nil {
				errors = 1
			}
			want := junit.Totals{
				Tests:   len(r.Objects) + len(r.Findings) + errors,
				Passed:  r.Summary.Unchanged + r.Summary.Planned + r.Summary.Created + r.Summary.Updated + r.Summary.Deleted,
				Skipped: r.Summary.Skipped,
				Failed:  r.Summary.Failed + len(r.Findings),
				Error:   errors,
			}
			got := suites[0].Totals
			got.Duration = 0
			if got != want {
				t.Errorf("totals %+v, want %+v", got, want)
			}
		})
	}
}

// Whatever the texts are, the document is XML and keeps them.
func TestJUnitHostile(t *testing.T) {
	for _, s := range hostile {
		for _, r := range []*runner.Report{hostileReport(s), hostileInvalid(s)} {
			out := rendered(t, render.JUnit, r, render.Options{})
			checkPrintable(t, "junit", bytes.ReplaceAll(out, []byte("\t"), nil))
			for d := xml.NewDecoder(bytes.NewReader(out)); ; {
				if _, err := d.Token(); err == io.EOF {
					break
				} else if err != nil {
					t.Fatalf("%q: %v", s, err)
				}
			}
			suites, err := junit.Ingest(out)
			if err != nil {
				t.Fatalf("%q: %v", s, err)
			}
			want, found := visible(s), false
			for _, c := range suites[0].Tests {
				found = found || strings.Contains(c.Message, want)
			}
			if len(want) < 400 && !found {
				t.Errorf("%q is not found in %s", s, out)
			}
		}
	}
}
