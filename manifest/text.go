package manifest

import (
	"bytes"
	"sort"
	"unicode/utf8"
)

// text is the content of one file and where its lines start.
type text struct {
	name string // as shown
	dir  string // where relative file references start
	data []byte // without a byte order mark

	indexed bool
	lines   []int // offset of each line's start
	// chars and marks hold the characters before each of the editor's and of
	// YAML's lines. They are nil where these are the same lines: YAML also
	// breaks lines at U+0085, U+2028 and U+2029, editors do not.
	chars, marks []int
}

func newText(name, dir string, data []byte) *text {
	return &text{name: name, dir: dir, data: bytes.TrimPrefix(data, []byte("\uFEFF"))}
}

// exotic reports whether YAML and editors count the lines of data differently.
func exotic(data []byte) bool {
	return bytes.Contains(data, []byte("\u0085")) || bytes.Contains(data, []byte("\u2028")) || bytes.Contains(data, []byte("\u2029"))
}

func (t *text) index() {
	if t.indexed {
		return
	}
	t.indexed = true
	t.lines = []int{0}
	if exotic(t.data) {
		t.chars, t.marks = []int{0}, []int{0}
	}
	count := 0
	for i := 0; i < len(t.data); {
		r, n := rune(t.data[i]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRune(t.data[i:])
		}
		i += n
		count++
		switch r {
		case '\r':
			if i < len(t.data) && t.data[i] == '\n' {
				i++
				count++
			}
			fallthrough
		case '\n':
			t.lines = append(t.lines, i)
			if t.marks != nil {
				t.chars, t.marks = append(t.chars, count), append(t.marks, count)
			}
		case '\u0085', '\u2028', '\u2029':
			t.marks = append(t.marks, count)
		}
	}
}

// at returns the position that YAML calls line and column, both from 1.
func (t *text) at(line, column int) Position {
	t.index()
	line, column = max(1, line), max(1, column)
	if t.marks == nil {
		return Position{t.name, min(line, len(t.lines)), column}
	}
	char := t.marks[min(line, len(t.marks))-1] + column - 1
	line = sort.SearchInts(t.chars, char+1)
	return Position{t.name, line, char - t.chars[line-1] + 1}
}

// offset returns the position of a byte.
func (t *text) offset(at int) Position {
	t.index()
	line := sort.SearchInts(t.lines, at+1)
	return Position{t.name, line, utf8.RuneCount(t.data[t.lines[line-1]:at]) + 1}
}

// line returns line n, from 1, without its line break.
func (t *text) line(n int) string { return string(t.bytes(n)) }

func (t *text) bytes(n int) []byte {
	t.index()
	if n < 1 || n > len(t.lines) {
		return nil
	}
	end := len(t.data)
	if n < len(t.lines) {
		end = t.lines[n]
	}
	return bytes.TrimRight(t.data[t.lines[n-1]:end], "\r\n")
}

// maxSnippet is the longest line that is shown, in bytes. A file that is one
// line of a megabyte may have as many findings as others.
const maxSnippet = 4 << 10

// snippet returns line n made safe for a terminal, "" if it is too long.
func (t *text) snippet(n int) string {
	line := t.bytes(n)
	if len(line) > maxSnippet {
		return ""
	}
	return printable(string(line))
}

// aside reports whether line n may hold settings in a comment: a source that
// somebody has put aside.
func (t *text) aside(n int) bool {
	_, comment, _ := bytes.Cut(t.bytes(n), []byte("#"))
	return bytes.Contains(comment, []byte("settings"))
}

// end returns one more than the number of the last line.
func (t *text) end() int {
	t.index()
	return len(t.lines) + 1
}
