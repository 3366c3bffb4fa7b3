package render

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"syncsources/runner"
	"syncsources/runner/render/clean"
)

// Findings are those of a run and of all its portals, each once, with the
// portals that have it as a hint: portals may share manifests, and not the
// variables that these refer to.
func (run Run) Findings() ([]runner.Finding, error) {
	type key struct {
		file, rule, message string
		line, column        int
	}
	var all []runner.Finding
	var portals [][]string // of each
	at := map[key]int{}
	add := func(found []runner.Finding, portal ...string) {
		for _, f := range found {
			k := key{f.File, f.Rule, f.Message, f.Line, f.Column}
			i, known := at[k]
			if !known {
				i = len(all)
				at[k] = i
				all, portals = append(all, f), append(portals, nil)
			}
			portals[i] = append(portals[i], portal...)
		}
	}
	if run.Portals != nil {
		add(run.Portals.Findings)
	}
	err := run.each(func(p portal) error {
		if p.name == "" {
			add(p.report.Findings)
		} else {
			add(p.report.Findings, p.name)
		}
		return nil
	})
	for i, names := range portals {
		all[i] = OfPortals(all[i], names...)
	}
	return all, err
}

// OfPortals is a finding with a hint that names the portals that have it.
func OfPortals(f runner.Finding, names ...string) runner.Finding {
	const most = 10
	hint := strings.Join(names[:min(len(names), most)], ", ")
	switch more := len(names) - most; {
	case len(names) == 0:
		return f
	case len(names) == 1:
		hint = "portal: " + hint
	case more > 0:
		hint = fmt.Sprintf("portals: %s and %d more", hint, more)
	default:
		hint = "portals: " + hint
	}
	f.Hints = append(slices.Clip(f.Hints), hint)
	return f
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
