package manifest

import (
	"cmp"
	"strconv"
	"strings"

	"golang.org/x/text/width"
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
	// Snippet is the source line, made safe for a terminal. It is empty where
	// the line may hold any part of a settings block, since literals there may
	// be secrets.
	Snippet string
	// Advice says what is allowed and what may have been meant, a line each.
	Advice []string

	uses []string // the aliases that lead here, nearest to the source first
}

// Error returns the first line of Detail:
//
//	m.yaml:5:3: unknown key "titel" [unknown-key]
func (e *Finding) Error() string {
	return e.Position.String() + ": " + e.Message + " [" + e.Rule + "]"
}

// Detail returns Error, then the source line with a caret under the column
// where that line may be shown, then the advice, each on a line of its own. It
// ends without a line break.
func (e *Finding) Detail() string {
	var b strings.Builder
	b.WriteString(e.Error())
	if e.Snippet != "" {
		line, pad := excerpt(e.Snippet, e.Position.Column)
		b.WriteString("\n" + line + "\n" + pad + "^")
	}
	for _, a := range e.Advice {
		b.WriteString("\n  " + a)
	}
	return b.String()
}

// The widest part of a source line that is shown, in characters, and how much
// of it stands before the column.
const (
	maxExcerpt    = 160
	excerptBefore = 80
)

// excerpt returns what to show of a line, and the white space that brings a
// caret on the next line under the column.
func excerpt(line string, column int) (shown, pad string) {
	runes := []rune(line)
	at := min(column-1, len(runes))
	from, to := 0, len(runes)
	if len(runes) > maxExcerpt {
		from = max(0, min(at-excerptBefore, len(runes)-maxExcerpt))
		to = from + maxExcerpt
	}
	shown = string(runes[from:to])
	var b strings.Builder
	if from > 0 {
		shown = "..." + shown
		b.WriteString("   ")
	}
	if to < len(runes) {
		shown += "..."
	}
	for _, r := range runes[from:at] {
		b.WriteString(blank(r))
	}
	return shown, b.String()
}

// blank returns white space as wide as r is on a terminal.
func blank(r rune) string {
	if r == '\t' {
		return "\t"
	}
	if combining(r) {
		return ""
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return "  "
	}
	return " "
}
