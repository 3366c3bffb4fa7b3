package rest

import (
	"regexp"
	"strings"
	"unicode"
)

// maxText is the most characters of a text of the portal that is passed on.
const maxText = 500

// Clean makes a text from outside safe to print on one line: control and
// other invisible characters become blanks, runs of blanks one, what a CI
// system would take for an order is defused, and what is longer than maxText
// is cut.
func Clean(s string) string { return cut(Defuse(oneLine(s)), maxText) }

// orderLine and orderWord are what CI systems take for orders to them: ::error
// at the beginning of a line (GitHub), ##[add-mask] (GitHub),
// ##vso[task.setvariable] (Azure) and ##teamcity[...] anywhere in it.
var (
	orderLine = regexp.MustCompile(`(?m)^(\s*:):`)
	orderWord = regexp.MustCompile(`##([A-Za-z]*\[)`)
)

// Defuse escapes what a CI system would take for an order to it. A text from
// the portal or a manifest may hold anything, and ends up in logs.
func Defuse(text string) string { return defuseWords(orderLine.ReplaceAllString(text, `$1\x3a`)) }

func defuseWords(text string) string {
	if !strings.Contains(text, "##") {
		return text
	}
	return orderWord.ReplaceAllString(text, `#\x23$1`)
}

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
