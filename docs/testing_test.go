package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The tests and stories that testing.md names are there, and it names every
// fuzz target.
func TestNamedTestsExist(t *testing.T) {
	content, err := os.ReadFile("testing.md")
	if err != nil {
		t.Fatal(err)
	}
	there, declared := map[string]bool{}, regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	err = filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		code, err := os.ReadFile(path)
		for _, m := range declared.FindAllSubmatch(code, -1) {
			there[string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range regexp.MustCompile(`\b(Test|Fuzz)[A-Z]\w*`).FindAllString(string(content), -1) {
		if !there[name] {
			t.Errorf("there is no %s", name)
		}
	}
	for _, name := range regexp.MustCompile(`\b[a-z-]+\.txt\b`).FindAllString(string(content), -1) {
		if _, err := os.Stat(filepath.Join("../cmd/syncsources/testdata", name)); err != nil {
			t.Errorf("there is no story %s", name)
		}
	}
	for name := range there {
		if strings.HasPrefix(name, "Fuzz") && !strings.Contains(string(content), "`"+name+"`") {
			t.Errorf("%s is not named", name)
		}
	}
}
