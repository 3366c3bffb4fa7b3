package manifest

// reference is a settings value that stands somewhere else.
type reference struct {
	at  Node
	env string // the name of a variable, or
	// file is a path, relative to dir unless it is absolute.
	file, dir string
}

// asReference returns the reference that a mapping in a settings block is;
// false for anything else, which the schema reports.
func asReference(n Node) (*reference, bool) {
	fields := n.Fields()
	if len(fields) != 1 || fields[0].Kind() != String || fields[0].Text() == "" {
		return nil, false
	}
	switch fields[0].Key() {
	case "env":
		return &reference{at: n, env: fields[0].Text()}, true
	case "file":
		return &reference{at: n, file: fields[0].Text(), dir: n.doc.text.dir}, true
	}
	return nil, false
}
