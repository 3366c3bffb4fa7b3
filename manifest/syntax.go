package manifest

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

var yamlLine = regexp.MustCompile(`^(?:yaml: )?(?:line (\d+): )?(.*)$`)

// reparse returns the line and the text of the syntax error of data; "" if it
// has none. The YAML library leaves the line out where it is the first, so an
// empty comment goes before the data; the line is still one less than it
// should be for some errors.
func reparse(data []byte) (line int, problem string) {
	decoder := yaml.NewDecoder(bytes.NewReader(append([]byte("#\n"), data...)))
	for {
		var n yaml.Node
		err := decoder.Decode(&n)
		if err == nil {
			continue
		}
		m := yamlLine.FindStringSubmatch(strings.ReplaceAll(err.Error(), "\n", " "))
		if m[2] == "EOF" {
			return 0, ""
		}
		line, _ = strconv.Atoi(m[1])
		return line - 1, m[2]
	}
}

// openEnded are the problems that any text has if it is cut within a quoted
// text, a bracket or a key, so that no shorter text can tell where they are.
// The library reports the start of what is not finished.
var openEnded = regexp.MustCompile(`unexpected end of stream|expected ',' or|could not find expected ':'|unexpected document indicator|expected node content`)

// maxSearch is how many bytes may be parsed again to find out where an error
// is.
const maxSearch = 32 << 20

// syntax turns an error of the YAML library into a finding. The library tells
// a line at most, often not the right one; the shortest text that fails in the
// same way ends where the reader stumbles.
func syntax(t *text, err error) *Error {
	line, problem := reparse(t.data)
	if problem == "" { // cannot be
		problem = err.Error()
	}
	pos := t.at(line, 1)
	if end, ok := stumble(t.data, problem); ok {
		pos = t.offset(end)
		if name := anchorName(problem); name != "" {
			pos.Column = max(1, pos.Column-len([]rune(name)))
		}
	} else {
		pos.Column = 1 + len([]rune(t.line(pos.Line))) - len([]rune(strings.TrimLeft(t.line(pos.Line), " ")))
	}
	e := &Error{Position: pos, Rule: "syntax"}
	shown := showable(t, pos.Line)
	if shown {
		e.Snippet = printable(t.line(pos.Line))
	}
	e.Message, e.Advice = explain(problem, shown)
	return e
}

// stumble returns the offset of the last character of the shortest text that
// has the problem.
func stumble(data []byte, problem string) (offset int, ok bool) {
	if openEnded.MatchString(problem) {
		return 0, false
	}
	budget := maxSearch
	fails := func(n int) bool {
		budget -= n
		_, p := reparse(data[:n:n])
		return p == problem
	}
	low, high := 0, len(data) // fails(low) is false, fails(high) is true
	for high-low > 1 {
		if budget < 0 {
			return 0, false
		}
		if middle := (low + high) / 2; fails(middle) {
			high = middle
		} else {
			low = middle
		}
	}
	return low, true
}

var unknownAnchor = regexp.MustCompile(`unknown anchor '(.*)' referenced`)

func anchorName(problem string) string {
	if m := unknownAnchor.FindStringSubmatch(problem); m != nil {
		return m[1]
	}
	return ""
}

// explain says what the library's problem means. The name of an unknown anchor
// is told only where the line is shown: a password that begins with an
// asterisk looks like one.
func explain(problem string, shown bool) (message string, advice []string) {
	if name := anchorName(problem); name != "" {
		advice = []string{"a text that begins with an asterisk has to be quoted"}
		if shown {
			return "no anchor &" + bare(name) + " stands before this alias", advice
		}
		return "no anchor of this name stands before this alias", advice
	}
	for _, known := range sentences {
		if strings.Contains(problem, known.problem) {
			return known.message, known.advice
		}
	}
	return "not valid YAML: " + bare(problem), nil
}

// sentences holds the library's problems that need more words than its own.
var sentences = []struct {
	problem, message string
	advice           []string
}{
	{"mapping values are not allowed", "a colon cannot stand here", []string{"quote a text that holds a colon and a space; a key has to start on a line of its own, as deep as its neighbours"}},
	{"found character that cannot start any token", "a value cannot begin with this character", []string{"indent with spaces, not with tabs; quote a text that begins with a tab, %, @ or `"}},
	{"did not find expected key", "a key with a colon was expected here", []string{"keys of one mapping are indented alike; quote a text that goes on after its closing quote"}},
	{"did not find expected '-' indicator", "a dash was expected here", []string{"items of one list are indented alike"}},
	{"unexpected end of stream", "a quoted text that starts here is not closed", nil},
	{"unexpected document indicator", "a quoted text that starts here is not closed before the document ends", nil},
	{"expected ',' or ']'", "a list that starts here has no comma or closing bracket where one is needed", nil},
	{"expected ',' or '}'", "a mapping that starts here has no comma or closing brace where one is needed", []string{"quote a text that holds a brace, a bracket or a comma"}},
	{"could not find expected ':'", "a key that starts here has no colon", nil},
	{"unknown escape character", "a backslash in double quotes cannot stand before this character", []string{`write a backslash as \\, or use single quotes`}},
	{"did not find expected alphabetic or numeric character", "the name of an anchor or alias is missing", []string{"quote a text that begins with * or &"}},
	{"undefined tag handle", "a tag that begins here is not defined", []string{"quote a text that begins with an exclamation mark"}},
}
