package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestVariablesAndCodes compares the part of reference.md that is written by
// hand with the strings in the program.
func TestVariablesAndCodes(t *testing.T) {
	content, err := os.ReadFile("reference.md")
	if err != nil {
		t.Fatal(err)
	}
	_, byHand, _ := strings.Cut(string(content), "<!-- What follows is written by hand. -->")
	documented := map[string]bool{}
	for _, m := range regexp.MustCompile("`([A-Z][A-Z0-9_]+)`").FindAllStringSubmatch(byHand, -1) {
		documented[m[1]] = true
	}
	// The variables of credentials, and the codes that are declared as ours.
	var inProgram []string
	literal := regexp.MustCompile(`"(B24_[A-Z_]+)"|(?m:^)\tCode\w+ += "([A-Z][A-Z_]+)"`)
	known := map[string]bool{}
	words := regexp.MustCompile(`"([A-Z][A-Z0-9_]+)"`)
	for _, dir := range []string{"../cmd", "../runner", "../bitrix"} {
		err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if entry.IsDir() && (entry.Name() == "sandbox" || entry.Name() == "testdata") {
				return fs.SkipDir
			}
			if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return err
			}
			code, err := os.ReadFile(path)
			for _, m := range literal.FindAllStringSubmatch(string(code), -1) {
				if m[2] == "" || dir != "../bitrix" { // there they are the portal's
					inProgram = append(inProgram, m[1]+m[2])
				}
			}
			for _, m := range words.FindAllStringSubmatch(string(code), -1) {
				known[m[1]] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(inProgram) < 20 {
		t.Fatalf("only %d variables and codes were found in the program: %q", len(inProgram), inProgram)
	}
	for _, name := range inProgram {
		if !documented[name] {
			t.Errorf("%s is not in reference.md", name)
		}
	}
	// What other programs set, and what the net package reads.
	for _, name := range strings.Fields("HTTPS_PROXY HTTP_PROXY NO_PROXY") {
		known[name] = true
	}
	for name := range documented {
		if base, ok := strings.CutSuffix(name, "_FILE"); !known[name] && !(ok && known[base]) {
			t.Errorf("the program knows no %s", name)
		}
	}
}
