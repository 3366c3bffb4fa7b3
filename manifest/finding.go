package manifest

import (
	"cmp"
	"strconv"
	"strings"
)

// Position is a place in a manifest.
type Position struct {
	// File is the path as given on the command line, cleaned and with forward
	// slashes; "<stdin>" for standard input.
	File string
	// Line and Column count from 1; columns count characters, not bytes.
	Line, Column int
}

// String returns "file:5:3".
func (p Position) String() string {
	return printable(p.File) + ":" + strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Column)
}

// compare orders positions of one file.
func (p Position) compare(o Position) int {
	return cmp.Or(cmp.Compare(p.Line, o.Line), cmp.Compare(p.Column, o.Column))
}

// Finding is something a manifest says that it may not say. It is not a
// failure of the program, and Load returns the two apart.
type Finding struct {
	Position Position
	// Rule is the stable kebab-case name of what was broken; the package
	// comment lists them all.
	Rule string
	// Message is one line, lower case, without a full stop. It quotes the
	// offending value, but never a settings value.
	Message string
	// Excerpt is the node that the finding is about, as it might be written:
	// `titel: 5`. It is empty where the node may be any part of a secret.
	Excerpt string
	// Hints says what is allowed and what may have been meant, a line each.
	Hints []string

	uses  []string // the aliases that lead here, nearest to the source first
	lacks Position // the mapping that lacks something for this; mostly zero
}

// Error returns the first line of Detail:
//
//	m.yaml:5:3: unknown key "titel" [unknown-key]
func (e *Finding) Error() string {
	return e.Position.String() + ": " + e.Message + " [" + e.Rule + "]"
}

// Detail returns Error, then the excerpt where there is one, then the hints,
// each on a line of its own. It ends without a line break.
func (e *Finding) Detail() string {
	var b strings.Builder
	b.WriteString(e.Error())
	if e.Excerpt != "" {
		b.WriteString("\n    " + e.Excerpt)
	}
	for _, a := range e.Hints {
		b.WriteString("\n  " + a)
	}
	return b.String()
}
