package rest

import (
	"strings"
	"unicode"
)

// maxText is the maximum number of characters of a text of the portal that is passed on.
const maxText = 500

// Clean makes a text from outside fit for a message of one line:
// control and other invisible characters become blanks, runs of blanks one, and
// what is longer than maxText is cut. What a CI system would take for a command
// is the output's business.
func Clean(s string) string { return cut(oneLine(s), maxText) }

// oneLine puts a blank in place of what does not print.
func oneLine(s string) string {
	var b strings.Builder
	blank := false
	for _, r := range strings.ToValidUTF8(s, "\uFFFD") {
		if r == ' ' || !unicode.IsPrint(r) {
			blank = b.Len() > 0
			continue
		}
		if blank {
			b.WriteByte(' ')
		}
		blank = false
		b.WriteRune(r)
	}
	return b.String()
}

// cut shortens s to at most limit characters and an ellipsis.
func cut(s string, limit int) string {
	n := 0
	for i := range s {
		if n++; n > limit {
			return s[:i] + "..."
		}
	}
	return s
}
