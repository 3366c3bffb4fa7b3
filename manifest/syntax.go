package manifest

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

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
func syntax(t *text, err error) *Finding {
	line, problem := reparse(t.data)
	if problem == "" { // cannot be
		problem = err.Error()
	}
	var pos Position
	if openEnded.MatchString(problem) {
		pos = opening(t, line, problem)
	} else if end, ok := stumble(t.data, problem); ok {
		pos = t.offset(end)
		pos.Column = max(1, pos.Column-len([]rune(anchorName(problem))))
		if word := []rune(t.line(pos.Line)); aWord.MatchString(string(word[:min(pos.Column-1, len(word))])) {
			pos.Column = firstColumn(string(word)) // a key, known as one only by its colon
		}
	} else {
		pos = t.at(line, 1)
		pos.Column = firstColumn(t.line(pos.Line))
	}
	e := &Finding{Position: pos, Rule: "syntax"}
	shown := showable(t, pos.Line)
	if shown {
		e.Snippet = t.snippet(pos.Line)
	}
	e.Message, e.Advice = explain(problem, shown)
	return e
}

var aWord = regexp.MustCompile(`^ *[\w.-]*$`)

// firstColumn returns where the text of a line begins.
func firstColumn(line string) int { return 1 + len(line) - len(strings.TrimLeft(line, " ")) }

// opening returns where the bracket or quote stands that is not closed. The
// library tells its line; for brackets, which its parser finds and not its
// scanner, one less.
func opening(t *text, line int, problem string) Position {
	brackets := ""
	switch {
	case strings.Contains(problem, "or ']'"):
		brackets = "["
	case strings.Contains(problem, "or '}'"):
		brackets = "{"
	}
	if strings.HasPrefix(problem, "did not find") {
		line++
	}
	pos := t.at(line, 1)
	s := t.line(pos.Line)
	pos.Column = firstColumn(s)
	if i := strings.IndexAny(s, brackets); brackets != "" && i >= 0 {
		pos.Column = utf8.RuneCountInString(s[:i]) + 1
	}
	if brackets == "" {
		if column := openQuote(t, pos.Line, problem); column != 0 {
			pos.Column = column
		}
	}
	return pos
}

// openQuote returns the column of the first quote of a line from which on the
// text is not closed, 0 if there is none.
func openQuote(t *text, line int, problem string) int {
	const most = 64 // quotes
	s, start := t.line(line), t.lines[line-1]
	if strings.Count(s, `"`)+strings.Count(s, "'") > most || start+len(s) > maxSearch/most {
		return 0
	}
	column := 0
	for i := len(s) - 1; i >= 0; i-- {
		if s[i] != '"' && s[i] != '\'' {
			continue
		}
		if _, p := reparse(t.data[:start+i+1]); p != problem {
			break
		}
		column = utf8.RuneCountInString(s[:i]) + 1
	}
	return column
}

// stumble returns the offset of the last character of the shortest text that
// has the problem.
func stumble(data []byte, problem string) (offset int, ok bool) {
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
	for low > 0 && low < len(data) && !utf8.RuneStart(data[low]) {
		low-- // half a character is a problem of its own
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
		advice = []string{"text that begins with an asterisk has to be quoted"}
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
	{"mapping values are not allowed", "a colon cannot stand here", []string{"quote text that holds a colon and a space; a key has to start on a line of its own, as deep as its neighbours"}},
	{"found character that cannot start any token", "a value cannot begin with this character", []string{"indent with spaces, not with tabs; quote text that begins with a tab, %, @ or `"}},
	{"found a tab character", "a line cannot be indented with a tab", []string{"indent with spaces"}},
	{"did not find expected key", "a key with a colon was expected here", []string{"the keys of one mapping are indented alike; nothing but a comment follows a closing quote or bracket"}},
	{"did not find expected '-' indicator", "a dash was expected here", []string{"items of one list are indented alike, and so are the keys of one mapping"}},
	{"unexpected end of stream", "a quoted string that starts here is not closed", nil},
	{"unexpected document indicator", "a quoted string that starts here is not closed before the document ends", nil},
	{"expected ',' or ']'", "a list that starts here has no comma or closing bracket where one is needed", nil},
	{"expected ',' or '}'", "a mapping that starts here has no comma or closing brace where one is needed", []string{"quote text that holds a brace, a bracket or a comma"}},
	{"could not find expected ':'", "a key that starts here has no colon", nil},
	{"unknown escape character", "a backslash in double quotes cannot stand before this character", []string{`write a backslash as \\, or use single quotes`}},
	{"did not find expected alphabetic or numeric character", "the name of an anchor or alias is missing", []string{"quote text that begins with * or &"}},
	{"undefined tag handle", "a tag that begins here is not defined", []string{"quote text that begins with an exclamation mark"}},
}
