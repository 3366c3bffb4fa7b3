package render

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// clean makes foreign text safe to print on one line. What does not print -
// control characters and with them escape sequences and line ends,
// bidirectional overrides and other invisible characters, invalid UTF-8 -
// becomes the escape that Go would write for it; the rest stays as it is.
func clean(s string) string {
	if printable(s) {
		return s
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
	return b.String()
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
