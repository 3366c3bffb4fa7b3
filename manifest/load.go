package manifest

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Options says how Load works. The zero value reads files only, and leaves out
// what the JSON Schema says.
type Options struct {
	// Stdin is read for the path "-"; nil: an empty input.
	Stdin io.Reader
	// Check reports what a document says against the JSON Schema; use
	// schema.Check. nil: only what the schema cannot say is checked, and values
	// of the wrong kind are left out of the Set without a word.
	Check func(*Document) []*Finding
	// Judge reports what else is wrong with what the manifests declare, as far
	// as it can be read; may be nil.
	Judge func(*Set) []*Finding
	// Host returns what addresses of one portal share; nil: their host in
	// lower case, with its port.
	Host func(address string) string
	// Size is called with how many bytes all files have before they are parsed;
	// may be nil.
	Size func(bytes int)
	// DenyFiles are never read as manifests, by whatever path: the files with
	// our own credentials.
	DenyFiles []string
}

// Load reads the manifests at paths: files, directories (every *.yaml and
// *.yml below, hidden ones skipped) and "-". It returns all findings of all
// files, in the order of the command line, then of the file; with any finding
// the Set is not to be used. The error names paths that cannot be read or
// hold no manifest; it comes with the findings of the others.
//
// The steps are: find the files; split each into documents; refuse aliases out
// of proportion; check each document alone; build its sources; check ids and
// names over all files.
func Load(paths []string, o Options) (*Set, []*Finding, error) {
	files, err := read(paths, o)
	if o.Size != nil {
		size := 0
		for _, t := range files {
			size += len(t.data)
		}
		o.Size(size)
	}
	host := o.Host
	if host == nil {
		host = lowerHost
	}
	var b built
	var found []*Finding
	for _, t := range files {
		docs, errs := parse(t, manifestScope)
		found = append(found, errs...)
		for _, d := range docs {
			if errs := unbounded(d); errs != nil {
				found = append(found, errs...)
				continue
			}
			if errs := otherFile(d); errs != nil {
				found = append(found, errs...)
				continue
			}
			found = append(found, wellFormed(d)...)
			found = append(found, check(d)...)
			if o.Check != nil {
				found = append(found, o.Check(d)...)
			}
			b.add(d, host)
		}
	}
	found = append(found, b.unique()...)
	set := b.Set // without the nodes
	if o.Judge != nil {
		found = append(found, o.Judge(&set)...)
	}
	return &set, arrange(found, files), err
}

func lowerHost(address string) string {
	_, host, _ := strings.Cut(address, "://")
	return strings.ToLower(strings.TrimSuffix(host, "/"))
}

// arrange sorts findings, and puts those together that differ only in the
// alias that leads to them. What a mapping lacks is left out where a merge key
// of its own may have been meant to bring it.
func arrange(found []*Finding, files []*text) []*Finding {
	lacking := map[Position]bool{}
	for _, e := range found {
		lacking[e.lacks] = true
	}
	found = slices.DeleteFunc(found, func(e *Finding) bool {
		return lacking[e.Position] && slices.Contains([]string{"empty", "missing-key", "nothing-declared"}, e.Rule)
	})
	order := make(map[string]int, len(files))
	for i, t := range files {
		order[t.name] = i
	}
	for _, e := range found { // files that are not passed: as they come
		if _, known := order[e.Position.File]; !known {
			order[e.Position.File] = len(order)
		}
	}
	slices.SortStableFunc(found, func(a, b *Finding) int {
		return cmp.Or(
			cmp.Compare(order[a.Position.File], order[b.Position.File]),
			a.Position.compare(b.Position),
			cmp.Compare(a.Rule, b.Rule),
			cmp.Compare(a.Message, b.Message),
		)
	})
	var out []*Finding
	for _, e := range found {
		if n := len(out); n > 0 && out[n-1].Position == e.Position && out[n-1].Rule == e.Rule && out[n-1].Message == e.Message {
			out[n-1].uses = append(out[n-1].uses, e.uses...)
			continue
		}
		out = append(out, e)
	}
	for _, e := range out {
		const most = 3
		e.uses = distinct(e.uses)
		e.Hints = append(slices.Clip(e.Hints), e.uses[:min(most, len(e.uses))]...)
		if more := len(e.uses) - most; more > 0 {
			e.Hints = append(e.Hints, fmt.Sprintf("and %d times more", more))
		}
		e.uses = nil
	}
	return out
}

// distinct drops duplicates.
func distinct(list []string) []string {
	seen := make(map[string]bool, len(list))
	return slices.DeleteFunc(list, func(s string) bool {
		was := seen[s]
		seen[s] = true
		return was
	})
}
