package render_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/joshdk/go-junit"

	"syncsources/runner"
	"syncsources/runner/render"
)

// FuzzFormats puts one text wherever a report has foreign text, and a value
// where there must not be one. No format lets out a character that does not
// print, or the value; JSON gives the report back; JUnit stays XML; and GitHub
// gets no command that is not ours.
func FuzzFormats(f *testing.F) {
	for _, s := range hostile {
		f.Add(s)
	}
	schema := compile(f)
	const secret = "hunter2-is-not-for-you"
	f.Fuzz(func(t *testing.T, s string) {
		if strings.Contains(s, secret) || len(s) > 4096 {
			t.Skip()
		}
		slip := hostileReport(s)
		for i := range slip.Objects {
			slip.Objects[i].Kind, slip.Objects[i].Notes = runner.Kind(s), []string{s}
			slip.Objects[i].Changes = append(slip.Objects[i].Changes,
				runner.Change{Path: "settings.password", From: secret, To: secret, Sensitive: true})
		}
		for name, format := range formats {
			out := rendered(t, format, slip, render.Options{})
			checkPrintable(t, name, out)
			if bytes.Contains(out, []byte(secret)) {
				t.Errorf("%s: the secret is in\n%s", name, out)
			}
			checkPrintable(t, name, rendered(t, format, hostileInvalid(s), render.Options{}))
		}

		for _, r := range []*runner.Report{hostileReport(s), hostileInvalid(s)} {
			out := rendered(t, render.JSON, r, render.Options{})
			var back runner.Report
			if err := json.Unmarshal(out, &back); err != nil {
				t.Fatalf("%v in\n%s", err, out)
			}
			if utf8.ValidString(s) && s != "" && !reflect.DeepEqual(&back, r) {
				t.Errorf("read back as\n%+v\nwant\n%+v", &back, r)
			}
			if err := validate(schema, out); err != nil && s != "" {
				t.Errorf("%v", err)
			}

			out = rendered(t, render.JUnit, r, render.Options{})
			if bytes.Contains(out, []byte(secret)) {
				t.Errorf("junit: the secret is in\n%s", out)
			}
			if suites, err := junit.Ingest(out); err != nil || len(suites) != 1 {
				t.Errorf("%d suites, %v in\n%s", len(suites), err, out)
			}
			if lines := bytes.Count(rendered(t, render.GitHub, r, render.Options{}), []byte("\n")); lines != 2 {
				t.Errorf("%d commands, want 2", lines)
			}
		}
	})
}
