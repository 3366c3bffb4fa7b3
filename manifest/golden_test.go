package manifest_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"syncsources/manifest"
	"syncsources/schema"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing them")

// TestGoldenErrors loads every manifest of testdata/err, a file or a directory
// of several, and compares all that is said about it with the .out file beside
// it.
func TestGoldenErrors(t *testing.T) {
	outs := map[string]bool{}
	t.Chdir(filepath.Join("testdata", "err"))
	entries := must(os.ReadDir("."))(t)
	for _, entry := range entries {
		path := entry.Name()
		if filepath.Ext(path) == ".out" {
			outs[path] = true
		}
	}
	cases := 0
	for _, entry := range entries {
		path := entry.Name()
		name := strings.TrimSuffix(path, ".yaml")
		if !entry.IsDir() && name == path {
			continue
		}
		cases++
		delete(outs, name+".out")
		t.Run(name, func(t *testing.T) { golden(t, path, name+".out") })
	}
	for path := range outs {
		t.Errorf("%s has no manifest beside it", path)
	}
	if cases < 45 {
		t.Errorf("only %d bad manifests", cases)
	}
}

func golden(t *testing.T, path, out string) {
	_, found, err := manifest.Load([]string{path}, manifest.Options{Check: schema.Check})
	check(t, err)
	compareGolden(t, path, out, found)
}

// compareGolden compares all that is said about a file with what a golden file
// holds.
func compareGolden(t *testing.T, path, out string, found []*manifest.Finding) {
	t.Helper()
	if len(found) == 0 {
		t.Fatal("nothing found wrong")
	}
	var b strings.Builder
	for _, e := range found {
		b.WriteString(e.Detail() + "\n")
	}
	if *update {
		check(t, os.WriteFile(out, []byte(b.String()), 0o644))
		return
	}
	want := must(os.ReadFile(out))(t)
	if got := b.String(); got != string(want) {
		t.Errorf("%s says\n%s\nwant\n%s", path, got, want)
	}
	for _, secret := range []string{"hunter", "s3cret"} {
		if strings.Contains(b.String(), secret) {
			t.Errorf("a settings value is printed:\n%s", b.String())
		}
	}
}

// must returns a value, and ends the test with the error that came instead.
func must[T any](value T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		check(t, err)
		return value
	}
}

// check ends the test with an error, if there is one.
func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// valid returns what was loaded, and ends the test with what is wrong with it.
func valid[T any](value T, found []*manifest.Finding, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil || len(found) > 0 {
			t.Fatal(found, err)
		}
		return value
	}
}
