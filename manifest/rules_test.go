package manifest_test

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestRulesAreListed holds the package comment together with the rules that
// the code knows and with those that the tests provoke.
func TestRulesAreListed(t *testing.T) {
	file := must(parser.ParseFile(token.NewFileSet(), "doc.go", nil, parser.ParseComments))(t)
	listed := map[string]bool{}
	for _, line := range strings.Split(file.Doc.Text(), "\n") {
		if !strings.HasPrefix(line, "\t") {
			continue
		}
		for _, m := range regexp.MustCompile(`[a-z0-9-]+(, |$)`).FindAllString(line, -1) {
			if strings.Contains(line, ",") && !strings.Contains(line, "  ") {
				listed[strings.TrimSuffix(m, ", ")] = true
			}
		}
		if strings.Contains(line, "  ") {
			listed[strings.Fields(line)[0]] = true
		}
	}
	tested := map[string]bool{}
	for _, pattern := range []string{"testdata/*/*.out", "resolve_test.go", "logo_test.go", "portals_test.go", "pin_test.go", "secrets_test.go"} {
		for _, data := range contents(t, pattern) {
			for _, m := range regexp.MustCompile(`(?m)^\S+:\d+:\d+: .* \[([a-z0-9-]+)\]$|["\[]((?:env|file|reserved|logo|secret|replaced)-[a-z0-9-]+|pin)["\]]`).FindAllStringSubmatch(data, -1) {
				tested[m[1]+m[2]] = true
			}
		}
	}
	for rule := range tested {
		if !listed[rule] {
			t.Errorf("the rule %s is not listed in the package comment", rule)
		}
	}
	for rule := range listed {
		if !tested[rule] {
			t.Errorf("no test provokes the rule %s", rule)
		}
	}
	if len(listed) < 30 {
		t.Errorf("only %d rules were found in the package comment", len(listed))
	}
}

func contents(t *testing.T, pattern string) (all []string) {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		data := must(os.ReadFile(path))(t)
		all = append(all, string(data))
	}
	return all
}
