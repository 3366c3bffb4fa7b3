package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// documents returns the repository's Markdown files by path.
func documents(t *testing.T) map[string]string {
	t.Helper()
	root, texts := "../..", map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if name := d.Name(); err == nil && d.IsDir() && path != root && (name == "testdata" || name == "node_modules" || name == ".git") {
			return fs.SkipDir
		}
		if err != nil || d.IsDir() || filepath.Ext(path) != ".md" {
			return err
		}
		content, err := os.ReadFile(path)
		texts[strings.TrimPrefix(filepath.ToSlash(path), "../../")] = string(content)
		return err
	})
	check(t, err)
	if texts["README.md"] == "" {
		t.Fatal("no README.md")
	}
	return texts
}

// example is a command of a document with the output shown below it.
type example struct {
	command, output string
	exit            string // where the text below says with what it exits
}

var (
	consoleBlock = regexp.MustCompile("(?ms)^ *```console\n(.*?)^ *```\n(\n[^\n]*)?")
	exitsWith    = regexp.MustCompile(`[Ee]xits with (\d+)`)
)

// examples returns the commands of the console blocks of a document.
func examples(text string) []example {
	var found []example
	for _, m := range consoleBlock.FindAllStringSubmatch(text, -1) {
		for _, part := range strings.Split("\n"+m[1], "\n$ ")[1:] {
			command, output, _ := strings.Cut(part, "\n")
			e := example{command: command, output: output}
			if exit := exitsWith.FindStringSubmatch(m[2]); exit != nil {
				e.exit = exit[1]
			}
			found = append(found, e)
		}
	}
	return found
}

// What the documents show of the program is what it does: the commands of
// console blocks that need no portal are run, and their output compared.
func TestDocumentedOutput(t *testing.T) {
	t.Parallel()
	ran := 0
	for path, text := range documents(t) {
		for _, e := range examples(text) {
			args, ours := strings.CutPrefix(strings.Replace(e.command, "go run ./cmd/syncsources", "syncsources", 1), "syncsources ")
			if offline := strings.Contains(args, "--sandbox ") || strings.HasPrefix(args, "validate ") || strings.HasPrefix(args, "schema"); !ours || !offline {
				continue
			}
			ran++
			args = strings.ReplaceAll(args, "/tmp/", t.TempDir()+"/")
			cmd := exec.Command("syncsources", strings.Fields(args)...)
			cmd.Dir = "../.."
			cmd.Env = ofProcess()
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			output, err := cmd.Output()
			var exit *exec.ExitError
			if err != nil && !errors.As(err, &exit) {
				t.Fatal(err)
			}
			if code := strconv.Itoa(cmd.ProcessState.ExitCode()); e.exit != "" && code != e.exit {
				t.Errorf("%s: %q exits with %s: %s", path, e.command, code, stderr.String())
			}
			if shown := strings.TrimSpace(e.output); shown != "" && shown != strings.TrimSpace(string(output)) {
				t.Errorf("%s: %q prints\n%s\nand not\n%s", path, e.command, output, shown)
			}
		}
	}
	if ran == 0 {
		t.Error("no document shows a command that could be run")
	}
}

// The command lines of all documents are ones that the program takes.
func TestDocumentedCommandLines(t *testing.T) {
	line := regexp.MustCompile(`(?m)(?:^|[ (\x60"])syncsources ((?:validate|plan|apply|export|login|sandbox|schema|version|completion)\b[^|>;#&\x60\n]*)`)
	seen := 0
	for path, text := range documents(t) {
		for _, m := range line.FindAllStringSubmatch(strings.ReplaceAll(text, "\\\n", " "), -1) {
			seen++
			checkCommandLine(t, path, m[1])
		}
	}
	if seen < 3 {
		t.Errorf("only %d command lines were found", seen)
	}
}

// checkCommandLine parses a command line, and does not run it.
func checkCommandLine(t *testing.T, path, line string) {
	t.Helper()
	var words []string
	for _, word := range strings.Fields(line) {
		if word = strings.Trim(word, `"'`); !strings.HasPrefix(word, "[") { // [--flag] in a usage line
			words = append(words, word)
		}
	}
	root := newRoot(&app{})
	cmd, rest, err := root.Find(words)
	if err != nil || cmd == root {
		t.Errorf("%s: %q is no command: %v", path, line, err)
		return
	}
	if err := cmd.ParseFlags(rest); err != nil {
		t.Errorf("%s: %q: %v", path, line, err)
	}
}
