package manifest

import (
	"bytes"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// longestKey is the longest key that YAML has, in characters.
const longestKey = 1024

var yamlError = regexp.MustCompile(`^(?:yaml: )?(?:line (\d+): )?(.*)$`)

// syntax turns an error of the YAML library into a finding without an excerpt:
// where the file is not YAML, nothing of it has a known place. The library knows
// where what it was reading begins, the reader which line it had reached.
func syntax(t *text, err error, reached int) *Finding {
	m := yamlError.FindStringSubmatch(strings.ReplaceAll(err.Error(), "\n", " "))
	told, _ := strconv.Atoi(m[1])
	if at, ok := conflict(t); ok {
		return &Finding{Position: at, Rule: "syntax", Message: "a git conflict marker", Hints: []string{"resolve the conflict and remove the three markers"}}
	}
	for _, s := range sentences {
		if strings.Contains(m[2], s.problem) {
			at := s.find(t, told-added, reached)
			if len(t.line(at.Line)) > longestKey && s.where == atTold {
				s.hints = append(slices.Clip(s.hints), "a key has at most 1024 characters")
			}
			return &Finding{Position: at, Rule: "syntax", Message: s.message, Hints: s.hints}
		}
	}
	at := reached
	if told > added {
		at = told - added
	}
	return &Finding{Position: t.at(at, indent(t.line(at))), Rule: "syntax", Message: "not valid YAML: " + bare(m[2])}
}

// conflict returns where git has left two versions of a file.
func conflict(t *text) (Position, bool) {
	marker := []byte("<<<<<<< ")
	at := -1
	if bytes.HasPrefix(t.data, marker) {
		at = 0
	} else if i := bytes.Index(t.data, append([]byte("\n"), marker...)); i >= 0 {
		at = i + 1
	}
	return t.offset(max(at, 0)), at >= 0
}

// sentence says in words what the library's problem means, and where it is.
type sentence struct {
	problem, message string
	hints            []string
	// where says which line the problem is in.
	where where
	// column finds the byte in it, -1 for none; nil, or none: where the line's
	// text begins.
	column func(line []byte) int
}

type where int

const (
	atTold    where = iota // the line in the library's error
	afterTold              // the one after: the library's parser counts from 0
	atReached              // the line that the reader had reached, or one before it
)

// find returns the position of a problem.
func (s sentence) find(t *text, told, reached int) Position {
	line := told
	switch s.where {
	case afterTold:
		line++
	case atReached:
		line = s.near(t, reached)
	}
	text := t.line(line)
	column, ok := s.match(text)
	if !ok {
		column = indent(text)
	}
	return t.at(line, column)
}

// near returns the line that the decoder failed in, given the one that it had
// reached: it looks ahead over blank lines and comments.
func (s sentence) near(t *text, reached int) int {
	const few = 64
	line, written := reached, 0
	for n := reached; n > 0 && n > reached-few && written < 2; n-- {
		text := bytes.TrimLeft(t.line(n), " \t")
		if len(text) == 0 || text[0] == '#' {
			continue
		}
		if written++; written == 1 {
			line = n
		}
		if _, ok := s.match(t.line(n)); ok {
			return n
		}
	}
	return line
}

// longestLine is how much of a line is searched for a column.
const longestLine = 64 << 10

func (s sentence) match(line []byte) (column int, ok bool) {
	if s.column == nil {
		return 0, false
	}
	at := s.column(line[:min(len(line), longestLine)])
	if at < 0 {
		return 0, false
	}
	return utf8.RuneCount(line[:at]) + 1, true
}

// indent returns the column where the text of a line begins.
func indent(line []byte) int { return 1 + len(line) - len(bytes.TrimLeft(line, " ")) }

// Parts of patterns: what is between quotes, and what is there before a quote
// that is not closed or a colon that is one too many.
const (
	quoted  = `(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*')`
	ordered = `^(?:[^"']|` + quoted + `)*?`
)

// sentences holds the library's problems.
var sentences = []sentence{
	{"mapping values are not allowed", "a colon is not allowed here", []string{"quote text that holds a colon and a space; a key begins on a line of its own, indented like its siblings"},
		atTold, group(`^[^:]*(?::\S+)*:\s+.*?(:)(?:\s|$)`)},
	{"found character that cannot start any token", "a value cannot begin with this character", []string{"indent with spaces, not with tabs; quote text that begins with a tab, %, @ or `"},
		atTold, group("(?:^|[ \\[{,])([\\t@`%])")},
	{"found a tab character", "a line cannot be indented with a tab", []string{"indent with spaces"}, atReached, group(`^\s*?(\t)`)},
	{"did not find expected key", "a key with a colon was expected here", []string{"the keys of one mapping are indented alike; nothing but a comment follows a closing quote or bracket"},
		atReached, afterValue},
	{"did not find expected '-' indicator", "a dash was expected here", []string{"items of one list are indented alike, and so are the keys of one mapping"}, atReached, afterValue},
	{"unexpected end of stream", "a quoted string that starts here is not closed", nil, atTold, openQuote},
	{"unexpected document indicator", "a quoted string that starts here is not closed before the document ends", nil, atTold, openQuote},
	{"expected ',' or ']'", "a list that starts here has no comma or closing bracket where one is needed", nil, afterTold, group(ordered + `(\[)`)},
	{"expected ',' or '}'", "a mapping that starts here has no comma or closing brace where one is needed", []string{"quote text that holds a brace, a bracket or a comma"}, afterTold, group(ordered + `(\{)`)},
	{"could not find expected ':'", "a key that starts here has no colon", nil, atTold, nil},
	{"did not find expected node content", "a value was expected here", []string{"quote text that begins with a comma, a bracket or a brace"}, atTold, nil},
	{"unknown escape character", "a backslash in double quotes cannot come before this character", []string{`write a backslash as \\, or use single quotes`},
		atReached, group(`(?:^|[^\\])(?:\\\\)*(\\[^0abtnvfre "/\\N_LPxuU])`)},
	{"did not find expected hexdecimal number", "an escape in double quotes needs hexadecimal digits", []string{`write a backslash as \\, or use single quotes`},
		atReached, group(`(\\x[0-9a-fA-F]{0,1}(?:[^0-9a-fA-F]|$)|\\u[0-9a-fA-F]{0,3}(?:[^0-9a-fA-F]|$)|\\U[0-9a-fA-F]{0,7}(?:[^0-9a-fA-F]|$))`)},
	{"found invalid Unicode character escape code", "an escape in double quotes names no character", []string{`a surrogate is written as a pair: "\ud83d\ude00"`},
		atReached, group(`(\\u[dD][89a-fA-F]|\\U(?:0000[dD][89a-fA-F]|00[2-9a-fA-F]|001[1-9a-fA-F]|0[1-9a-fA-F]|[1-9a-fA-F]))`)},
	{"did not find expected alphabetic or numeric character", "the name of an anchor or alias is missing", []string{"quote text that begins with * or &"},
		atTold, group(`(?:^|[\s\[{,])([*&])(?:[^\w-]|$)`)},
	{"unknown anchor", "this alias is used before its anchor, or without one", []string{"quote text that begins with an asterisk"},
		atReached, group(`(?:^|[\s\[{,])(\*)[\w-]`)},
	{"undefined tag handle", "a tag that begins here is not defined", []string{"quote text that begins with an exclamation mark"}, afterTold, group(`(?:^|[\s\[{,])(!)`)},
	{"did not find expected comment or line break", "the text after | or > begins on the next line", []string{"quote text that begins with | or >"},
		atTold, group(`[:\-?,\[{]\s+([|>])`)},
	{"did not find expected whitespace or line break", "a tag ends here without a space", []string{"quote text that begins with an exclamation mark"}, atTold, group(`(?:^|[\s\[{,])(!)`)},
	{"block sequence entries are not allowed", "a dash is not allowed here", []string{"a list begins on a line of its own; quote text that begins with a dash and a space"}, atTold, group(`(?:^|[:\s])\s*(-)(?:\s|$)`)},
	{"expected <document start>", "the document ends before this", []string{"another one begins with ---; nothing but a comment follows a closing quote or bracket"}, atReached, afterValue},
	{"found incompatible YAML document", "this version of YAML is not supported", []string{"write %YAML 1.2, or leave the line out"}, afterTold, nil},
	{"found duplicate %", "this directive appears twice", []string{"remove one of them"}, afterTold, nil},
	{"exceeded max depth", "too many levels of brackets or indentation", nil, atTold, nil},
}

// group finds the place of a pattern's group.
func group(pattern string) func([]byte) int {
	re := regexp.MustCompile(pattern)
	return func(line []byte) int {
		if m := re.FindSubmatchIndex(line); m != nil {
			return m[2]
		}
		return -1
	}
}

// openQuote finds a quote that its line does not close.
func openQuote(line []byte) int { open, _ := scan(line); return open }

// afterValue finds what follows a closing quote or bracket where nothing may.
func afterValue(line []byte) int { _, after := scan(line); return after }

// scan goes through the quotes and brackets of a line.
func scan(line []byte) (open, after int) {
	depth, begins, closed := 0, true, false // whether a value may begin, whether one has just ended
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case c == ' ' || c == '\t':
		case c == '#' && begins, c == '#' && closed:
			return -1, -1
		case c == ']' || c == '}':
			if depth--; depth < 0 {
				return -1, i
			}
			begins, closed = false, true
		case c == ',' || c == ':' || c == '-' || c == '?':
			begins, closed = begins || closed || i+1 == len(line) || line[i+1] == ' ' || c == ',' && depth > 0, false
		case closed:
			return -1, i
		case begins && (c == '[' || c == '{'):
			depth++
		case begins && (c == '"' || c == '\''):
			end := endOfQuote(line, i)
			if end < 0 {
				return i, -1
			}
			i, begins, closed = end, false, true
		default:
			begins = false
		}
	}
	return -1, -1
}

// endOfQuote returns where the quote that begins at i is closed, -1 for
// nowhere.
func endOfQuote(line []byte, i int) int {
	for j := i + 1; j < len(line); j++ {
		switch {
		case line[j] == '\\' && line[i] == '"':
			j++
		case line[j] != line[i]:
		case line[i] == '\'' && j+1 < len(line) && line[j+1] == '\'':
			j++
		default:
			return j
		}
	}
	return -1
}
