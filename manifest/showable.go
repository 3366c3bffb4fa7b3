package manifest

import (
	"regexp"
	"strings"
)

var (
	// plainLine is a line that holds a key without secrets and begins with it.
	plainLine = regexp.MustCompile(`^\s*(?:- +)*['"]?(?:version|sources|name|id|title|description|active|reveal)['"]?\s*(?::|$)`)
)

// showable reports whether a line of a file that could not be parsed may be
// shown. Without nodes only its looks tell: it has to begin with a key that
// holds no settings, without any flow mapping, and no line that it is indented
// under may be anything but a list of sources. Nor may a line beside it be one
// of a mapping or list in brackets, where indentation means nothing.
func showable(t *text, line int) bool {
	s := t.line(line)
	if !plainLine.MatchString(s) || strings.ContainsAny(s, "{}") || strings.Contains(s, "settings") {
		return false
	}
	depth := indentation(s)
	for n := line - 1; n > 0 && (depth > 0 || depth == indentation(s)); n-- {
		above := t.line(n)
		trimmed := strings.TrimSpace(above)
		if trimmed == "" || trimmed[0] == '#' {
			continue
		}
		if indentation(above) >= depth {
			if depth == indentation(s) && strings.ContainsAny(trimmed[len(trimmed)-1:], "{[,") {
				return false
			}
			continue
		}
		if trimmed != "sources:" && !strings.HasPrefix(trimmed, "- ") {
			return false
		}
		if strings.HasPrefix(trimmed, "- ") && !plainLine.MatchString(above) {
			return false
		}
		depth = indentation(above)
	}
	return true
}

// indentation returns the depth of a line's text; tabs, which YAML does not
// allow there, count as one.
func indentation(s string) int { return len(s) - len(strings.TrimLeft(s, " \t")) }
