package main

import (
	"fmt"
	"strconv"
	"strings"

	"syncsources/cmd/syncsources/exit"
	"syncsources/manifest"
)

// selectTargets keeps the sources that one of the targets names, by name or by
// id ("4" or "#4"), in their order. No target selects all of them. A target
// that matches nothing is a mistake.
func selectTargets(sources []manifest.Source, targets []string) ([]manifest.Source, error) {
	if len(targets) == 0 {
		return sources, nil
	}
	wanted := make([]bool, len(sources))
	for _, target := range targets {
		found := false
		for i := range sources {
			if matches(&sources[i], target) {
				wanted[i], found = true, true
			}
		}
		if !found {
			names := make([]string, len(sources))
			for i := range sources {
				names[i] = sources[i].Name
			}
			return nil, exit.Refuse(exit.CodeCommandLine, fmt.Sprintf("--target %q matches no source", target),
				didYouMean(target, names, "write the name or the id of a source in the manifests"))
		}
	}
	var selected []manifest.Source
	for i := range sources {
		if wanted[i] {
			selected = append(selected, sources[i])
		}
	}
	return selected, nil
}

func matches(s *manifest.Source, target string) bool {
	return target == s.Name || strings.TrimPrefix(target, "#") == strconv.FormatInt(s.ID, 10)
}
