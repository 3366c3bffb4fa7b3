package manifest

// reference is a settings value that stands somewhere else. It keeps where it
// was found, but not the document, which would then stay in memory.
type reference struct {
	at  Position
	use string // the alias that leads to it, as findings tell it; "" if none does
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
		return &reference{at: n.Position(), use: n.usedAs(), env: fields[0].Text()}, true
	case "file":
		return &reference{at: n.Position(), use: n.usedAs(), file: fields[0].Text(), dir: n.doc.text.dir}, true
	}
	return nil, false
}

// problem returns a finding at the reference. Its line is part of a settings
// block, and not shown.
func (r *reference) problem(f *fault) *Finding {
	e := &Finding{Position: r.at, Rule: f.rule, Message: f.message, Advice: f.advice}
	if r.use != "" {
		e.uses = []string{r.use}
	}
	return e
}
