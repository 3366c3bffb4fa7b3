package main

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"syncsources/cmd/syncsources/exit"
	"syncsources/cmd/syncsources/option"
	"syncsources/manifest"
)

// selection says which of the declared objects a run is about: those that one
// of the targets and one of the files fit. The zero value selects all.
type selection struct{ targets, files []string }

func (s *selection) add(set *pflag.FlagSet) {
	option.AddList(set, &s.targets, "target", "NAME|ID|GLOB", "only the declared connectors, sources and tables with this name or id; * matches any characters, ? any one", option.Text("a name, an id or a pattern"))
	option.AddList(set, &s.files, "file", "GLOB", "only what these manifests declare; a pattern without a slash is compared with the file's name, one with a slash with its path, and a directory selects all files below it", option.Text("a path or a pattern"))
}

// empty reports whether everything is selected.
func (s *selection) empty() bool { return len(s.targets)+len(s.files) == 0 }

// matches finds out which of a selection's patterns fit something that
// manifests declare.
type matches struct {
	selection      *selection
	targets, files map[string]bool
	names, paths   []string
}

func (s *selection) matches() *matches {
	return &matches{selection: s, targets: map[string]bool{}, files: map[string]bool{}}
}

// add looks at what a set declares.
func (m *matches) add(set *manifest.Set) {
	if m.selection.empty() {
		return
	}
	for _, o := range declared(set) {
		m.names, m.paths = append(m.names, o.Name), append(m.paths, o.Position.File)
		for _, t := range m.selection.targets {
			m.targets[t] = m.targets[t] || fitsTarget(t, o)
		}
		for _, f := range m.selection.files {
			m.files[f] = m.files[f] || fitsFile(f, o.Position.File)
		}
	}
}

// check refuses targets and files that fit nothing.
func (m *matches) check() error {
	for _, t := range m.selection.targets {
		if !m.targets[t] {
			return exit.Refuse(exit.CodeCommandLine, fmt.Sprintf("--target %q matches nothing in the manifests", t),
				didYouMean(t, m.names, "write the name or the id of a declared object, or a pattern"))
		}
	}
	for _, f := range m.selection.files {
		if !m.files[f] {
			return exit.Refuse(exit.CodeCommandLine, fmt.Sprintf("--file %q matches no manifest that declares anything", f),
				didYouMean(f, m.paths, "write a path as the findings and the plan show it, or a pattern"))
		}
	}
	return nil
}

// selects is the selection as the resolver and the runner ask for it: nil for
// everything.
func (s *selection) selects() func(manifest.Object) bool {
	if s.empty() {
		return nil
	}
	return func(o manifest.Object) bool {
		return anyFits(s.targets, func(t string) bool { return fitsTarget(t, o) }) &&
			anyFits(s.files, func(f string) bool { return fitsFile(f, o.Position.File) })
	}
}

// anyFits reports whether one of the patterns fits. No pattern fits all.
func anyFits(patterns []string, fits func(string) bool) bool {
	return len(patterns) == 0 || slices.ContainsFunc(patterns, fits)
}

// fitsTarget compares a target with an object's name and with its id, which
// may be written as 4 and as #4.
func fitsTarget(target string, o manifest.Object) bool {
	return manifest.Match(target, o.Name) || o.ID != 0 && strings.TrimPrefix(target, "#") == strconv.FormatInt(o.ID, 10)
}

// fitsFile compares a pattern with the path of a manifest.
func fitsFile(pattern, file string) bool {
	pattern = strings.TrimPrefix(strings.ReplaceAll(pattern, `\`, "/"), "./")
	if !strings.Contains(pattern, "/") && manifest.Match(pattern, path.Base(file)) {
		return true
	}
	return manifest.Match(pattern, file) || manifest.Match(strings.TrimSuffix(pattern, "/")+"/*", file)
}

// declared goes through all objects of a set.
func declared(set *manifest.Set) (all []manifest.Object) {
	for i := range set.Connectors {
		all = append(all, set.Connectors[i].Object)
	}
	for i := range set.Sources {
		all = append(all, set.Sources[i].Object)
	}
	for i := range set.Tables {
		all = append(all, set.Tables[i].Object)
	}
	return all
}
