// Package clean makes foreign text harmless: what comes from manifests, the
// portal or the file system goes to terminals, logs and pages only through it.
//
// What does not print - control characters and with them escape sequences,
// bidirectional overrides and other invisible characters, invalid UTF-8 -
// becomes the escape that Go would write for it; so do commands to a CI system
// that reads the log. All other text stays as it is.
package clean

import (
	"bytes"
	"fmt"
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

// Log makes what our own logger has written harmless to a CI system. Escape
// sequences stay: the colours are the logger's, and it quotes those of others.
func Log(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = harmless(lines[i])
	}
	return strings.Join(lines, "\n")
}

// JSON makes a JSON document harmless, and keeps its meaning: what does not
// print, and commands to a CI system, become \u escapes, of which encoding/json
// writes only some. Such characters can only be in strings: outside of them JSON
// is ASCII.
func JSON(doc []byte) []byte {
	visible := func(r rune) bool { return r == '\n' || strconv.IsPrint(r) }
	if bytes.IndexFunc(doc, func(r rune) bool { return !visible(r) }) >= 0 {
		out := make([]byte, 0, len(doc)+64)
		for len(doc) > 0 {
			r, size := utf8.DecodeRune(doc)
			switch {
			case visible(r):
				out = append(out, doc[:size]...)
			case r > 0xFFFF:
				r -= 0x10000
				out = fmt.Appendf(out, `\u%04x\u%04x`, 0xD800+r>>10, 0xDC00+r&0x3FF)
			default:
				out = fmt.Appendf(out, `\u%04x`, r)
			}
			doc = doc[size:]
		}
		doc = out
	}
	return anywhere.ReplaceAll(doc, []byte(`#\u0023$1`))
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
