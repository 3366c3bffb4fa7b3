package render_test

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"syncsources/runner"
	"syncsources/runner/render"
)

var samplesTo = flag.String("samples", "", "write every sample report in every format to this directory, to be looked at")

// TestSamples writes what the golden files hold, and what they do not - the
// colours, reports that are cut - as files for a browser or a terminal.
func TestSamples(t *testing.T) {
	dir := *samplesTo
	if dir == "" {
		t.Skip("writes files to look at, with -samples DIR")
	}
	runs := map[string]render.Run{
		"three": render.One(planned()), "hundreds": render.One(rotation(300)), "thousands": render.One(large(10_000)),
		"portals": render.Many(fleet(12, 40)), "readme": render.One(readme()), "hostile": render.One(hostileReport(strings.Join(hostile[:60], " "))),
	}
	for name, r := range samples() {
		runs[name] = render.One(r)
	}
	for name, run := range runs {
		for ending, format := range map[string]render.Func{
			".json": render.JSON, ".md": render.Markdown, ".xml": render.JUnit, ".html": render.HTML,
			".txt": render.Text, ".github": render.GitHub,
			".ansi": func(w io.Writer, run render.Run, _ render.Options) error {
				return render.Text(w, run, render.Options{Color: true})
			},
		} {
			file := filepath.Join(dir, name+ending)
			check(t, os.WriteFile(file, renderedRun(t, format, run, render.Options{}), 0o666))
		}
		check(t, render.WriteMetrics(filepath.Join(dir, name+".prom"), run))
	}
}

// large is a run over n sources, of which a tenth changes.
func large(n int) *runner.Report {
	r := rotation(n / 10)
	for i := len(r.Objects); i < n; i++ {
		o := same(fmt.Sprintf("site-%05d", i), int64(10_000+i))
		o.Kind, o.Action, o.Title = runner.KindSource, runner.ActionNone, fmt.Sprintf("Site %d of the chain", i)
		o.File, o.Line, o.Column = "sites.yaml", 3+7*i, 5
		r.Objects = append(r.Objects, o)
	}
	r.Count()
	r.Timeline = nil
	timelineOf(r, n)
	return r
}

// readme is what docs/report.png shows.
func readme() *runner.Report {
	r := large(3_000)
	var objects []runner.Object
	failed := 0
	for _, o := range r.Objects { // two failures say as much as many
		if o.Status == runner.StatusFailed {
			if failed++; failed > 1 && o.Error.Code == runner.CodeNotConverged {
				continue
			}
		}
		objects = append(objects, o)
	}
	r.Objects = objects
	r.Count()
	return r
}
