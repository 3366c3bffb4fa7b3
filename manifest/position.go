package manifest

import (
	"cmp"
	"strconv"
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
