package manifest

// reference is a settings value kept elsewhere. It keeps where it
// was found, but not the document, which would then stay in memory.
type reference struct {
	at  Position
	use string // the alias that leads to it, as findings tell it; "" if none does
	// One of these is given. A file is a path, relative to dir unless it is
	// absolute.
	env, secret, file, dir string
}

// asReference returns the reference that a mapping in a settings block is;
// false for anything else, which the schema reports.
func asReference(n Node) (*reference, bool) {
	fields := n.Fields()
	if len(fields) != 1 || fields[0].Kind() != String || fields[0].Text() == "" {
		return nil, false
	}
	ref := &reference{at: n.Position(), use: n.usedAs()}
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

// problem returns a finding at the reference. Its line is part of a settings
// block, and not shown.
func (r *reference) problem(f *unresolved) *Finding {
	e := &Finding{Position: r.at, Rule: f.rule, Message: f.message, Advice: f.advice}
	if r.use != "" {
		e.uses = []string{r.use}
	}
	return e
}
