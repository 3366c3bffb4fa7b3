package render

import (
	"fmt"
	"io"
	"strings"

	"syncsources/runner"
	"syncsources/runner/render/clean"
)

// Findings are those of a run and of all its portals, each once: portals may
// share manifests.
func (run Run) Findings() ([]runner.Finding, error) {
	type key struct {
		file, rule, message string
		line, column        int
	}
	var all []runner.Finding
	seen := map[key]bool{}
	add := func(found []runner.Finding) {
		for _, f := range found {
			if k := (key{f.File, f.Rule, f.Message, f.Line, f.Column}); !seen[k] {
				seen[k] = true
				all = append(all, f)
			}
		}
	}
	if run.Portals != nil {
		add(run.Portals.Findings)
	}
	err := run.each(func(p portal) error {
		add(p.report.Findings)
		return nil
	})
	return all, err
}

// Findings writes what is wrong with files, for standard error: each with its
// place, its excerpt and its hints on lines of their own, and as the last line
// their count.
//
//	manifest.yaml:5:3: unknown key "titel" [unknown-key]
//	    titel: 5
//	  did you mean "title"?
func Findings(w io.Writer, all []runner.Finding, o Options) error {
	if len(all) == 0 {
		return nil
	}
	t := &text{palette: newPalette(o.Color)}
	files := map[string]bool{}
	for _, f := range all {
		files[f.File] = true
		t.printf("%s %s %s\n", t.bold(clean.Line(findingPlace(f))+":"), clean.Line(f.Message), t.faint("["+clean.Line(f.Rule)+"]"))
		for line := range strings.Lines(f.Excerpt) {
			t.printf("    %s\n", t.faint(clean.Line(strings.TrimRight(line, "\r\n"))))
		}
		for _, hint := range f.Hints {
			t.printf("  %s\n", clean.Line(hint))
		}
	}
	if len(files) > 1 {
		t.printf("%s\n", t.bold(fmt.Sprintf("%s in %s", count(len(all), "finding"), count(len(files), "file"))))
	} else {
		t.printf("%s\n", t.bold(count(len(all), "finding")))
	}
	_, err := w.Write(t.Bytes())
	return err
}
