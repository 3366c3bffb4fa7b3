package examples

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// TestGitLab runs the commands of the GitLab pipeline as they are, but for the
// manifests and the portal.
func TestGitLab(t *testing.T) {
	var jobs map[string]yaml.Node
	content := readYAML(t, "gitlab/.gitlab-ci.yml", &jobs)
	if !strings.Contains(content, "sha256sum --check") {
		t.Error("the release is not checked")
	}
	commands := map[string]string{}
	for name, node := range jobs {
		var job struct {
			Script        []string
			AfterScript   []string `yaml:"after_script"`
			ResourceGroup string   `yaml:"resource_group"`
		}
		if node.Kind != yaml.MappingNode || strings.HasPrefix(name, ".") || node.Decode(&job) != nil || job.Script == nil {
			continue
		}
		command, _, _ := strings.Cut(job.Script[0], " ")
		args := strings.Fields(job.Script[0])[1:]
		if command != "syncsources" || len(job.Script) != 1 || args[len(args)-1] != `"$MANIFESTS"` {
			t.Fatalf("job %s runs %q", name, job.Script)
		}
		commands[args[0]] = name
		dir := t.TempDir()
		for i, arg := range args {
			if strings.HasPrefix(arg, "report.") {
				args[i] = filepath.Join(dir, arg)
			}
		}
		args[len(args)-1] = "docs-example.yaml"
		if args[0] != "validate" {
			args = append(args, "--sandbox", "sandbox.yaml")
			if job.ResourceGroup != "syncsources" {
				t.Errorf("job %s uses the token pair beside others", name)
			}
		}
		if r := run(t, []string{"CI=true"}, args...); r.code != 0 {
			t.Errorf("job %s: exit code %d\n%s\n%s", name, r.code, r.stdout, r.stderr)
		}
		for _, line := range job.AfterScript {
			for _, word := range strings.Fields(line) {
				if !strings.HasPrefix(word, "report.") {
					continue
				}
				if _, err := os.Stat(filepath.Join(dir, word)); err != nil {
					t.Errorf("job %s: %s: %v", name, line, err)
				}
			}
		}
	}
	for _, command := range []string{"validate", "plan", "apply"} {
		if commands[command] == "" {
			t.Errorf("no job runs %s", command)
		}
	}
	if !slices.Contains(strings.Fields(content), "NOTE_TOKEN") {
		t.Error("the head does not name the token for the note")
	}
}
