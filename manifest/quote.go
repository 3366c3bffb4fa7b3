package manifest

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxQuoted is the maximum of characters of a manifest's text that a
// message repeats.
const maxQuoted = 60

// Quote returns s between double quotes for a message: control characters and
// others that a terminal might obey are escaped, a long text is cut.
func Quote(s string) string {
	if utf8.RuneCountInString(s) > maxQuoted {
		return strconv.Quote(string([]rune(s)[:maxQuoted])) + "..."
	}
	return strconv.Quote(s)
}

// bare returns s as Quote does, without the quotes: for numbers.
func bare(s string) string {
	q := Quote(s)
	return strings.Replace(q[1:], `"`, "", 1)
}

// quoteAll returns words quoted and separated by commas, at most 12 of them.
func quoteAll(words []string) string {
	const most = 12
	var quoted []string
	for i, w := range words {
		if i == most {
			return fmt.Sprintf("%s and %d more", strings.Join(quoted, ", "), len(words)-most)
		}
		quoted = append(quoted, Quote(w))
	}
	return strings.Join(quoted, ", ")
}

// printable returns s with every character that a terminal might obey (escape
// sequences, line breaks, marks that turn the direction of writing) replaced.
// The tab stays.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' || r == ' ' || unicode.IsPrint(r) || combining(r) {
			return r
		}
		return utf8.RuneError
	}, s)
}

// combining reports whether r takes no room of its own.
func combining(r rune) bool { return unicode.In(r, unicode.Mn, unicode.Me) }
