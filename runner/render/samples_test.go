package render_test

import (
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"

	"syncsources/runner"
	"syncsources/runner/render"
)

var samplesTo = flag.String("samples", "", "write every sample report in every form to this directory, to be looked at")

// TestSamples writes what the golden files hold, and what they do not - the
// colours, reports that are cut - as files for a browser or a terminal.
func TestSamples(t *testing.T) {
	dir := *samplesTo
	if dir == "" {
		t.Skip("writes files to look at, with -samples DIR")
	}
	all := samples()
	all["many"] = many(3000, 300)
	for name, r := range all {
		for ending, form := range map[string]render.Func{
			".json": render.JSON, ".md": render.Markdown, ".xml": render.JUnit,
			".txt": render.Text, ".github": render.GitHub,
			".ansi": func(w io.Writer, r *runner.Report, _ render.Options) error {
				return render.Text(w, r, render.Options{Color: true})
			},
		} {
			file := filepath.Join(dir, name+ending)
			if err := os.WriteFile(file, rendered(t, form, r, render.Options{}), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		if err := render.WriteMetrics(filepath.Join(dir, name+".prom"), r); err != nil {
			t.Fatal(err)
		}
	}
}
