package render_test

import (
	"regexp"
	"strings"
	"testing"

	"syncsources/runner/render"
)

func TestGitHub(t *testing.T) {
	for name, r := range samples() {
		t.Run(name, func(t *testing.T) { golden(t, "github-"+name, rendered(t, render.GitHub, r, render.Options{})) })
	}
}

// An annotation is all that is seen of a finding, and says what to do.
func TestGitHubHints(t *testing.T) {
	r := invalid()
	r.Findings[0].Hints = []string{`did you mean "title"?`, "100% sure"}
	out := string(rendered(t, render.GitHub, r, render.Options{}))
	if want := `unknown key "titel"%0Adid you mean "title"?%0A100%25 sure` + "\n"; !strings.Contains(out, want) {
		t.Errorf("%q is not found in\n%s", want, out)
	}
}

// workflowCommand is a command as GitHub's runner takes it apart: properties
// up to the next two colons, separated by commas.
var workflowCommand = regexp.MustCompile(`^::(\w+) ((?:[a-z]+=[^:,]*,?)+)::(.*)$`)

var unescape = strings.NewReplacer("%25", "%", "%0D", "\r", "%0A", "\n", "%3A", ":", "%2C", ",")

// Foreign text makes no command of its own, and comes out as itself.
func TestGitHubHostile(t *testing.T) {
	for _, s := range hostile {
		out := string(rendered(t, render.GitHub, hostileReport(s), render.Options{}))
		lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
		if len(lines) != 2 {
			t.Errorf("%q: %d commands, want one for the run and one for the source:\n%s", s, len(lines), out)
			continue
		}
		for _, line := range lines {
			m := workflowCommand.FindStringSubmatch(line)
			if m == nil || m[1] != "error" {
				t.Errorf("%q: no command: %s", s, line)
				continue
			}
			if want := visible(s); len(want) < 400 && !strings.Contains(unescape.Replace(m[3]), want) {
				t.Errorf("%q is not found in %s", s, m[3])
			}
		}
		properties := strings.Split(workflowCommand.FindStringSubmatch(lines[1])[2], ",")
		if want := 4; len(properties) != want {
			t.Errorf("%q: properties %q, want %d", s, properties, want)
		}
		if want := "file=" + visible(s); len(want) < 400 && unescape.Replace(properties[0]) != want {
			t.Errorf("%q: %s, want %s", s, properties[0], want)
		}
	}
}
