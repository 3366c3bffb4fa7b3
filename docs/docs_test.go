// Package docs holds the documentation. Its tests keep that true.
package docs

import (
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// row is a line of the lists in dependencies.md.
type row struct{ section, licence, why string }

func readDependencies(t *testing.T) map[string]row {
	t.Helper()
	content, err := os.ReadFile("dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile("^\\| `([^`]+)` \\| ([^|]+) \\| ([^|]+) \\|$")
	rows, section, last := map[string]row{}, "", ""
	for _, text := range strings.Split(string(content), "\n") {
		if name, ok := strings.CutPrefix(text, "## "); ok {
			section, last = name, ""
		}
		m := line.FindStringSubmatch(text)
		if m == nil {
			continue
		}
		if _, twice := rows[m[1]]; twice || m[1] < last {
			t.Errorf("%s appears twice, or out of order", m[1])
		}
		rows[m[1]], last = row{section, m[2], m[3]}, m[1]
	}
	return rows
}

// goCommand runs the go command and decodes the JSON that it prints, value
// after value.
func goCommand[T any](t *testing.T, args ...string) []T {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v", strings.Join(args, " "), err)
	}
	var values []T
	for dec := json.NewDecoder(strings.NewReader(string(out))); dec.More(); {
		var v T
		if err := dec.Decode(&v); err != nil {
			t.Fatal(err)
		}
		values = append(values, v)
	}
	return values
}

// TestDependencies keeps the list equal to go.mod: each module is there, in
// the section where it belongs, under the licence that it carries.
func TestDependencies(t *testing.T) {
	rows := readDependencies(t)
	// What the go command reads does not count when it decides whether this
	// test must run again; what the test itself looks at does.
	if _, err := os.Stat("../go.mod"); err != nil {
		t.Fatal(err)
	}
	required := goCommand[struct {
		Require []struct {
			Path     string
			Indirect bool
		}
	}](t, "mod", "edit", "-json", "../go.mod")[0].Require
	var imports []string // of our packages without their tests
	for _, p := range goCommand[struct{ Imports []string }](t, "list", "-json=Imports", "../...") {
		imports = append(imports, p.Imports...)
	}
	for _, module := range required {
		want := "In tests only"
		switch {
		case module.Indirect:
			want = "Brought along by these"
		case slices.ContainsFunc(imports, func(p string) bool { return p == module.Path || strings.HasPrefix(p, module.Path+"/") }):
			want = "In the program"
		}
		r, ok := rows[module.Path]
		if !ok {
			t.Errorf("%s is in go.mod, not in dependencies.md (%q)", module.Path, want)
			continue
		}
		if r.section != want {
			t.Errorf("%s is under %q, want %q", module.Path, r.section, want)
		}
		checkLicence(t, module.Path, r.licence)
		delete(rows, module.Path)
	}
	if len(rows) > 0 {
		t.Errorf("in dependencies.md, not in go.mod: %v", slices.Sorted(maps.Keys(rows)))
	}
}

// checkLicence looks for the licence's own words in the module's files. A
// module that no build here needs (mousetrap, but for Windows) may not be on
// the machine.
func checkLicence(t *testing.T, module, licence string) {
	t.Helper()
	words := map[string]string{
		"MIT":                "Permission is hereby granted, free of charge, to any person obtaining a copy",
		"BSD-2-Clause":       "Redistribution and use in source and binary forms, with or without modification",
		"BSD-3-Clause":       "Neither the name", // the third clause
		"Apache-2.0":         "Apache License Version 2.0, January 2004",
		"MPL-2.0":            "Mozilla Public License, version 2.0",
		"MIT and Apache-2.0": "This project is covered by two different licenses: MIT and Apache.",
	}[licence]
	dir := goCommand[struct{ Dir string }](t, "list", "-m", "-json", module)[0].Dir
	if dir == "" {
		return
	}
	files, err := filepath.Glob(filepath.Join(dir, "[Ll][Ii][Cc][Ee][Nn][Ss][Ee]*"))
	if err != nil || len(files) == 0 {
		t.Errorf("%s: no licence: %v", module, err)
		return
	}
	content, err := os.ReadFile(files[0])
	if err != nil {
		t.Error(err)
	}
	if text := strings.Join(strings.Fields(string(content)), " "); words == "" || !strings.Contains(text, words) {
		t.Errorf("%s is not under %s, but: %.200s", module, licence, text)
	}
}

// TestLinks follows each relative link of the documentation, to a heading of
// the page as well.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	pages := []string{"../README.md", "../.github/SECURITY.md"}
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".md") {
			pages = append(pages, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		content, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(content), -1) {
			if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
				continue
			}
			file, heading, _ := strings.Cut(m[1], "#")
			target := filepath.Join(filepath.Dir(page), file)
			if file == "" {
				target = page
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s: %v", page, m[1], err)
			} else if heading != "" && !slices.Contains(headings(t, target), heading) {
				t.Errorf("%s links to %s, which has no such heading", page, m[1])
			}
		}
	}
}

// headings returns the anchors that GitHub gives to a page's headings.
func headings(t *testing.T, page string) []string {
	t.Helper()
	content, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var anchors []string
	for _, m := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(string(content), -1) {
		name := regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(strings.ToLower(m[1]), "")
		anchors = append(anchors, strings.ReplaceAll(name, " ", "-"))
	}
	return anchors
}
