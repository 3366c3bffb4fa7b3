package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/santhosh-tekuri/jsonschema/v5"

	"syncsources/schema"
)

// Whatever happens, what -o json and --report FILE.json write is a report as
// its schema describes it.
func TestReportsKeepToTheirSchema(t *testing.T) {
	compiler := jsonschema.NewCompiler()
	check(t, compiler.AddResource("report.json", bytes.NewReader(schema.Report())))
	compiled := must(compiler.Compile("report.json"))(t)
	check := func(args []string, content string) {
		t.Helper()
		var value any
		if err := json.Unmarshal([]byte(content), &value); err != nil {
			t.Errorf("%v: %v in %q", args, err, content)
		} else if err := compiled.Validate(value); err != nil {
			t.Errorf("%v: %#v in %s", args, err, content)
		}
	}
	failing := strings.Replace(threeSources, "{id: 4, title: Old, connectorId: 1}", "{id: 4, title: Old, connectorId: 1, check: fail}", 1)
	paths := files(t, failing, threeManifest, "version: 2\n", threeSources+"faults: [{kind: overload, rate: 1}]\n", "version: 1\nsources: []\n")
	state, manifest, broken, blocked, empty := paths[0], paths[1], paths[2], paths[3], paths[4]
	file := filepath.Join(t.TempDir(), "report.json")
	synctest.Test(t, func(t *testing.T) {
		for _, args := range [][]string{
			{"plan", "--sandbox", state, "--show-unmanaged", "--target", "5", manifest},
			{"apply", "--sandbox", state, manifest},
			{"apply", "--sandbox", state, empty},
			{"apply", "--sandbox", state, "--dry-run", manifest},
			{"apply", "--sandbox", state, "--max-changes", "1", manifest},
			{"apply", "--sandbox", blocked, manifest},
			{"plan", "--sandbox", state, broken},
			{"plan", "--sandbox", "absent", manifest},
			{"plan", manifest},
			{"plan", "--bogus", manifest},
			{"apply", "--concurrency", "x", manifest},
			{"validate", manifest},
			{"validate", broken},
			{"validate", broken, "absent.yaml"},
			{"validate"},
		} {
			got := program(t.Context(), nil, append(args, "-o", "json", "--report", file)...)
			check(args, got.stdout)
			content, err := os.ReadFile(file)
			if err != nil {
				t.Errorf("%v: %v", args, err)
				continue
			}
			check(args, string(content))
			_ = os.Remove(file)
		}
	})
}
