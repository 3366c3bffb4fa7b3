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

// check refuses targets and files that fit none of the declared objects.
func (s *selection) check(all []manifest.Object) error {
	var names, paths []string
	for _, o := range all {
		names, paths = append(names, o.Name), append(paths, o.Position.File)
	}
	for _, t := range s.targets {
		if !slices.ContainsFunc(all, func(o manifest.Object) bool { return fitsTarget(t, o) }) {
			return exit.Refuse(exit.CodeCommandLine, fmt.Sprintf("--target %q matches nothing in the manifests", t),
				didYouMean(t, names, "write the name or the id of a declared object, or a pattern"))
		}
	}
	for _, f := range s.files {
		if !slices.ContainsFunc(paths, func(path string) bool { return fitsFile(f, path) }) {
			return exit.Refuse(exit.CodeCommandLine, fmt.Sprintf("--file %q matches no manifest that declares anything", f),
				didYouMean(f, paths, "write a path as the findings and the plan show it, or a pattern"))
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
