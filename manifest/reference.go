package manifest

import "path/filepath"

// reference is a settings value kept elsewhere. It keeps where it
// was found, but not the document, which would then stay in memory.
type reference struct {
	at   Position
	uses []string // the alias that leads to it, if any, as findings show it
	// One of these is given. A file is a path, relative to dir unless it is
	// absolute.
	env, secret, file, dir string
}

// asReference returns the reference that a mapping in a settings block is;
// false for anything else, which the schema reports.
func asReference(n Node) (*reference, bool) {
	var one [1]Node
	fields := n.AppendFields(one[:0])
	if len(fields) != 1 || fields[0].Kind() != String || fields[0].Text() == "" {
		return nil, false
	}
	ref := &reference{at: n.Position(), uses: n.usedAs()}
	switch text := fields[0].Text(); fields[0].Key() {
	case "env":
		ref.env = text
	case "secret":
		ref.secret = text
	case "file":
		ref.file, ref.dir = text, n.doc.text.dir
	default:
		return nil, false
	}
	return ref, true
}

// path is where a reference's file is, unless links lead elsewhere.
func (r *reference) path() string {
	path := filepath.FromSlash(r.file)
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(r.dir, path)
}

// files returns the set's references to files.
func (s *Set) files() []*reference {
	var refs []*reference
	add := func(r *reference) {
		if r != nil && r.file != "" {
			refs = append(refs, r)
		}
	}
	for _, c := range s.Connectors {
		if c.Logo != nil {
			add(c.Logo.file)
		}
	}
	for _, source := range s.Sources {
		for _, setting := range source.Settings {
			add(setting.Value.ref)
		}
	}
	return refs
}

// Replaced reports references to files that a run is going to write. written
// reports whether a path leads to one of them.
func (s *Set) Replaced(written func(path string) bool) []*Finding {
	var found []*Finding
	for _, r := range s.files() {
		if written(r.path()) {
			found = append(found, r.problem(&unresolved{"replaced-file", "the file " + Quote(r.file) + " would be replaced by a file that the run writes",
				[]string{"let the run write its report or metrics to another file"}}))
		}
	}
	return arrange(found, nil)
}

// problem returns a finding at the reference. Its line is part of a settings
// block, and not shown.
func (r *reference) problem(f *unresolved) *Finding {
	return &Finding{Position: r.at, Rule: f.rule, Message: f.message, Hints: f.hints, uses: r.uses}
}
