package render

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// clean makes foreign text safe to print on one line. What does not print -
// control characters and with them escape sequences and line ends,
// bidirectional overrides and other invisible characters, invalid UTF-8 -
// becomes the escape that Go would write for it; the rest stays as it is, but
// for orders to a CI system (see order).
func clean(s string) string {
	if printable(s) {
		return defused(s)
	}
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		if strconv.IsPrint(r) && (r != utf8.RuneError || size > 1) {
			b.WriteString(s[:size])
		} else {
			quoted := strconv.Quote(s[:size])
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		s = s[size:]
	}
	return defused(b.String())
}

// quote is clean with the quotes that Go writes around a string.
func quote(s string) string { return defused(strconv.Quote(s)) }

// order is what some CI systems take for an order to them wherever it stands
// in a line of a log: ##[add-mask] (GitHub), ##vso[task.setvariable] (Azure),
// ##teamcity[...]. A log may hold whatever a portal has for a title.
var order = regexp.MustCompile(`##([A-Za-z]*\[)`)

func defused(s string) string {
	if !strings.Contains(s, "##") {
		return s
	}
	return order.ReplaceAllString(s, `#\x23$1`)
}

func printable(s string) bool {
	for i, r := range s {
		if !strconv.IsPrint(r) || r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD") {
			return false
		}
	}
	return true
}

// cut shortens s to at most limit characters; an ellipsis, which counts, tells
// that something is missing.
func cut(s string, limit int) string {
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	return string([]rune(s)[:limit-1]) + ellipsis
}

const ellipsis = "…"
