package main

import (
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// directions says which packages of ours a package may import. What is not in
// it may import nothing of ours.
var directions = map[string][]string{
	"manifest":               {"bitrix/secret"},
	"schema":                 {"manifest"},
	"bitrix/secret":          {},
	"bitrix/rest":            {"bitrix/secret"},
	"bitrix/auth":            {"bitrix/rest", "bitrix/secret"},
	"bitrix":                 {"bitrix/rest", "bitrix/secret"},
	"bitrix/sandbox":         {"bitrix/sandbox/php"},
	"bitrix/sandbox/php":     {},
	"runner/schedule":        {"bitrix", "bitrix/rest"},
	"runner":                 {"manifest", "bitrix", "bitrix/rest", "bitrix/secret", "runner/schedule"},
	"runner/render":          {"runner", "runner/render/clean"},
	"runner/render/clean":    {},
	"cmd/syncsources/option": {},
	"cmd/syncsources/signin": {"cmd/syncsources/option", "manifest", "bitrix", "bitrix/auth", "bitrix/rest", "bitrix/secret"},
	"cmd/syncsources/exit":   {"runner", "manifest"},
}

// testDirections are further packages that tests inside a package may import.
var testDirections = map[string][]string{
	"bitrix/auth": {"bitrix"}, // many calls that meet one expired token
	"runner":      {"bitrix/auth"},
}

// The packages depend on each other in one direction. Test files may use the
// sandbox from anywhere, and external tests whatever users of the package may.
func TestImportDirections(t *testing.T) {
	const module = "syncsources"
	seen := 0
	err := filepath.WalkDir("../..", func(dir string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		if name := d.Name(); name == "testdata" || name == "node_modules" || strings.HasPrefix(name, ".") && dir != "../.." {
			return fs.SkipDir
		}
		pkg, err := build.ImportDir(dir, 0)
		if err != nil {
			return nil // no Go files
		}
		seen++
		name := strings.TrimPrefix(filepath.ToSlash(dir), "../../")
		if slices.Contains([]string{"util", "utils", "common", "helpers", "pkg", "internal", "misc"}, filepath.Base(name)) {
			t.Errorf("package %s: its name does not say what it does", name)
		}
		if name == "cmd/syncsources" {
			return nil // may import everything
		}
		for _, path := range pkg.Imports {
			if ours, ok := strings.CutPrefix(path, module+"/"); ok && !slices.Contains(directions[name], ours) {
				t.Errorf("package %s imports %s", name, ours)
			}
		}
		for _, path := range pkg.TestImports {
			ours, ok := strings.CutPrefix(path, module+"/")
			if ok && ours != name && ours != "bitrix/sandbox" && !slices.Contains(slices.Concat(directions[name], testDirections[name]), ours) {
				t.Errorf("the tests of package %s import %s", name, ours)
			}
		}
		return nil
	})
	check(t, err)
	if seen < 8 { // the walk went astray
		t.Errorf("only %d packages were found", seen)
	}
}

// Only main.go touches the process: everything else runs inside tests.
func TestOnlyMainTouchesTheProcess(t *testing.T) {
	process := []string{"Exit", "Args", "Getenv", "LookupEnv", "Environ", "Stdin", "Stdout", "Stderr"}
	sources := must(filepath.Glob("*.go"))(t)
	below := must(filepath.Glob("*/*.go"))(t)
	for _, path := range append(sources, below...) {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		if path == "main.go" {
			if text, err := os.ReadFile(path); err != nil || strings.Count(string(text), "\n") >= 20 {
				t.Errorf("%s does more than to call run: %v", path, err)
			}
			continue
		}
		file := must(parser.ParseFile(token.NewFileSet(), path, nil, 0))(t)
		ast.Inspect(file, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if pkg, ok := s.X.(*ast.Ident); ok && pkg.Name == "os" && slices.Contains(process, s.Sel.Name) {
					t.Errorf("%s uses os.%s", path, s.Sel.Name)
				}
			}
			return true
		})
	}
}
