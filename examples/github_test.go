package examples

import (
	"cmp"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// workflow is what the tests look at of a workflow.
type workflow struct {
	On          map[string]yaml.Node
	Permissions map[string]string
	Concurrency concurrency
	Jobs        map[string]struct {
		Permissions map[string]string
		Concurrency concurrency
		Steps       []step
	}
}

type concurrency struct {
	Group            string
	CancelInProgress string `yaml:"cancel-in-progress"`
}

type step struct {
	Uses string
	Run  string
	With map[string]string
	Env  map[string]string
}

// action is what the tests look at of action.yml.
type action struct {
	Inputs  map[string]struct{ Description, Default string }
	Outputs map[string]struct{ Description, Value string }
	Runs    struct{ Steps []step }
}

func readYAML(t *testing.T, path string, into any) string {
	t.Helper()
	content := must(os.ReadFile(path))(t)
	if err := yaml.Unmarshal(content, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return string(content)
}

func readAction(t *testing.T) action {
	var a action
	readYAML(t, "../action.yml", &a)
	return a
}

// workflows are those of this repository and the example for others.
func workflows(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob("../.github/workflows/*.yml")
	if err != nil || len(paths) < 5 {
		t.Fatalf("workflows: %v, %v", paths, err)
	}
	return append(paths, "github/sources.yaml")
}

var (
	pinned = regexp.MustCompile(`^\s*-?\s*uses: (\./\S*|[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$`)
	// fromOutside matches what a stranger may have written: the title of a
	// pull request, the name of a branch, an input.
	fromOutside = regexp.MustCompile(`\$\{\{[^}]*(github\.event\.|github\.head_ref|inputs\.|steps\.|needs\.)`)
)

// TestActionsArePinned: an action named by a tag runs whatever the tag points
// to tomorrow.
func TestActionsArePinned(t *testing.T) {
	for _, path := range append(workflows(t), "../action.yml") {
		content := must(os.ReadFile(path))(t)
		for i, line := range strings.Split(string(content), "\n") {
			if strings.Contains(line, " uses:") && !strings.HasPrefix(strings.TrimSpace(line), "#") && !pinned.MatchString(line) {
				t.Errorf("%s:%d: not a commit with its version: %s", path, i+1, strings.TrimSpace(line))
			}
		}
	}
}

// TestWorkflowsAreSafe holds the rules that keep secrets from strangers.
func TestWorkflowsAreSafe(t *testing.T) {
	inputs := readAction(t).Inputs
	for _, path := range workflows(t) {
		var w workflow
		content := readYAML(t, path, &w)
		if len(w.Permissions) != 1 || w.Permissions["contents"] != "read" {
			t.Errorf("%s: permissions of all jobs %v, want contents: read", path, w.Permissions)
		}
		if _, ok := w.On["pull_request_target"]; ok {
			t.Errorf("%s: pull_request_target would show secrets to strangers' manifests", path)
		}
		for name, job := range w.Jobs {
			if len(job.Steps) == 0 {
				t.Errorf("%s: job %s has no steps", path, name)
			}
			for _, s := range job.Steps {
				checkStep(t, path+": job "+name, s, inputs)
				if s.Env["B24_PORTAL_URL"] == "" {
					continue
				}
				// Two jobs that renew one token pair at a time lock each other out.
				if c := cmp.Or(job.Concurrency, w.Concurrency); c != (concurrency{"syncsources", "false"}) {
					t.Errorf("%s: job %s uses the credentials in the concurrency group %+v", path, name, c)
				}
			}
		}
		if strings.Contains(content, "secrets.") && !strings.Contains(content, "environment: portal") {
			t.Errorf("%s: secrets outside of an environment", path)
		}
	}
}

func checkStep(t *testing.T, where string, s step, inputs map[string]struct{ Description, Default string }) {
	t.Helper()
	if fromOutside.MatchString(s.Run) || fromOutside.MatchString(s.With["script"]) {
		// A condition on an input chooses between two texts of ours.
		if s.Run != ".ci/run ${{ inputs.long && '--long' || '' }}" {
			t.Errorf("%s: text from outside becomes part of a script: %s%s", where, s.Run, s.With["script"])
		}
	}
	if strings.HasPrefix(s.Uses, "actions/checkout@") && s.With["persist-credentials"] != "false" {
		t.Errorf("%s: the token stays in the checkout", where)
	}
	if !slices.Contains([]string{"./", "./.base", "./.syncsources"}, s.Uses) {
		return
	}
	for input := range s.With {
		if _, ok := inputs[input]; !ok {
			t.Errorf("%s: the action has no input %q", where, input)
		}
	}
	if !strings.Contains(s.With["paths"], "manifests") {
		t.Errorf("%s: it looks at %s only", where, s.With["paths"])
	}
	for name := range s.Env {
		if strings.HasPrefix(name, "B24_") && !credentials[name] {
			t.Errorf("%s: no such credentials: %s", where, name)
		}
	}
}

// TestAction checks that the action documents itself and that no input
// becomes part of a script.
func TestAction(t *testing.T) {
	a := readAction(t)
	for name, input := range a.Inputs {
		if input.Description == "" {
			t.Errorf("input %s has no description", name)
		}
	}
	for name, output := range a.Outputs {
		if output.Description == "" || !strings.Contains(output.Value, "steps.") {
			t.Errorf("output %s: %+v", name, output)
		}
	}
	for _, s := range a.Runs.Steps {
		if strings.HasPrefix(s.Uses, "actions/setup-go@") && s.With["cache"] != "false" {
			t.Error("what a pull request has built is there for the build that gets the credentials")
		}
		if strings.Contains(s.Run, "${{") || strings.Contains(s.With["script"], "${{") {
			t.Errorf("an expression in a script: %s%s", s.Run, s.With["script"])
		}
	}
	for _, want := range strings.Fields("outcome checksum report total unchanged planned created updated deleted failed skipped") {
		if _, ok := a.Outputs[want]; !ok {
			t.Errorf("no output %s", want)
		}
	}
	if got := a.Inputs["command"].Default; !slices.Contains([]string{"validate", "plan"}, got) {
		t.Errorf("by default the action runs %s", got)
	}
}

// TestExampleWorkflow: secrets that are rotated at their origin change no
// file, so the example must be started by something else as well.
func TestExampleWorkflow(t *testing.T) {
	var w workflow
	readYAML(t, "github/sources.yaml", &w)
	for _, trigger := range []string{"pull_request", "push", "schedule", "workflow_dispatch"} {
		if _, ok := w.On[trigger]; !ok {
			t.Errorf("it is not started by %s", trigger)
		}
	}
}

// TestNoPlaceholders: what is copied works as it is, or says what is missing
// when it runs. Nobody needs to find and replace an owner or a commit.
func TestNoPlaceholders(t *testing.T) {
	placeholder := regexp.MustCompile(`\bOWNER\b|\bowner/syncsources|0{40}`)
	for _, dir := range []string{".", "../docs", "../.github", "../schema", "../README.md", "../action.yml"} {
		err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || strings.Contains(path, "_test.go") || strings.Contains(path, ".test.") {
				return err
			}
			content, err := os.ReadFile(path)
			if at := placeholder.Find(content); at != nil {
				t.Errorf("%s: %s", path, at)
			}
			return err
		})
		check(t, err)
	}
}
