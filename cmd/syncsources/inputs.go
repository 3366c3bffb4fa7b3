package main

import (
	"os"
	"path/filepath"
	"slices"

	"syncsources/cmd/syncsources/signin"
	"syncsources/manifest"
)

// inputs are the files that a run reads. None may be replaced by what it
// writes: a report over the token file would cost the refresh token, one over
// a manifest the manifest.
type inputs []input

type input struct{ path, what string }

// of collects the inputs of a run: the manifests at paths, the further files
// by what they are, and those with credentials.
func (a *app) inputs(paths []string, further ...input) inputs {
	var in inputs
	for _, path := range paths {
		in = append(in, input{path, "a manifest"})
	}
	for _, path := range signin.Files(a.env) {
		in = append(in, input{path, "a file with credentials"})
	}
	return append(in, slices.DeleteFunc(further, func(i input) bool { return i.path == "" })...)
}

// at says which input the file at path is, or will be; "" for none. A path
// through a link is the file behind it.
func (in inputs) at(path string) string {
	file, missing := os.Stat(path)
	for _, i := range in {
		info, err := os.Stat(i.path)
		switch {
		case missing != nil || err != nil: // a token file may be made by the run
			if sameName(i.path, path) {
				return i.what
			}
		case os.SameFile(info, file):
			return i.what
		case info.IsDir() && manifest.Reads(i.path, path):
			return i.what
		}
	}
	return ""
}

func sameName(a, b string) bool {
	a, errA := filepath.Abs(a)
	b, errB := filepath.Abs(b)
	return a == b && errA == nil && errB == nil
}

// spareReferenced finds references of manifests to files that the run is to
// write, and keeps them from being written.
func spareReferenced(set *manifest.Set, o *outputFlags, m *metricsFlags) []*manifest.Finding {
	paths := slices.Clone(o.reports)
	if m != nil {
		paths = append(paths, m.file)
	}
	return set.Replaced(func(file string) bool {
		referenced := inputs{{file, "referenced"}}
		hit := false
		for _, path := range paths {
			if referenced.at(path) != "" {
				o.spared.Store(path, true)
				hit = true
			}
		}
		return hit
	})
}
