// Package clean makes foreign text harmless: what comes from manifests, the
// portal or the file system goes to terminals, logs and pages only through it.
//
// What does not print - control characters and with them escape sequences,
// bidirectional overrides and other invisible characters, invalid UTF-8 -
// becomes the escape that Go would write for it; so do commands to a CI system
// that reads the log. All other text stays as it is.
package clean

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Line makes text harmless on one line: line ends become escapes as well.
func Line(s string) string {
	if printable(s) {
		return harmless(s)
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
	return harmless(b.String())
}

// Lines makes text of several lines harmless, and keeps their ends.
func Lines(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = Line(lines[i])
	}
	return strings.Join(lines, "\n")
}

// Quote is Line with the quotes that Go writes around a string.
func Quote(s string) string { return harmless(strconv.Quote(s)) }

// What CI systems take for a command in a log: ::add-mask:: at the beginning of
// a line (GitHub), and anywhere in it ##[group] (GitHub), ##vso[...] (Azure) or
// ##teamcity[...].
var (
	atStart  = regexp.MustCompile(`^(\s*:):`)
	anywhere = regexp.MustCompile(`##([A-Za-z]*\[)`)
)

func harmless(s string) string {
	if strings.Contains(s, "::") {
		s = atStart.ReplaceAllString(s, `$1\x3a`)
	}
	if strings.Contains(s, "##") {
		s = anywhere.ReplaceAllString(s, `#\x23$1`)
	}
	return s
}

func printable(s string) bool {
	for i, r := range s {
		if !strconv.IsPrint(r) || r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD") {
			return false
		}
	}
	return true
}
