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

	lines []int // offset of each line's start; filled by index
	// marks is the same for YAML's lines, nil where they are the same lines.
	// YAML also breaks lines at U+0085, U+2028 and U+2029; editors do not.
	marks   []int
	indexed bool
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
	differ := exotic(t.data)
	t.lines = []int{0}
	if differ {
		t.marks = []int{0}
	}
	for i := 0; i < len(t.data); {
		r, n := rune(t.data[i]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRune(t.data[i:])
		}
		i += n
		switch r {
		case '\r':
			if i < len(t.data) && t.data[i] == '\n' {
				i++
			}
			fallthrough
		case '\n':
			t.lines = append(t.lines, i)
			if differ {
				t.marks = append(t.marks, i)
			}
		case '\u0085', '\u2028', '\u2029':
			t.marks = append(t.marks, i)
		}
	}
}

// at returns the position that YAML calls line and column, both from 1.
func (t *text) at(line, column int) Position {
	t.index()
	if t.marks == nil {
		line = max(1, min(line, len(t.lines)))
		return Position{t.name, line, max(1, column)}
	}
	line = max(1, min(line, len(t.marks)))
	offset := t.marks[line-1]
	for ; column > 1 && offset < len(t.data); column-- {
		_, n := utf8.DecodeRune(t.data[offset:])
		offset += n
	}
	return t.offset(offset)
}

// offset returns the position of a byte.
func (t *text) offset(at int) Position {
	t.index()
	line := sort.SearchInts(t.lines, at+1)
	return Position{t.name, line, utf8.RuneCount(t.data[t.lines[line-1]:at]) + 1}
}

// line returns line n, from 1, without its line break.
func (t *text) line(n int) string {
	t.index()
	if n < 1 || n > len(t.lines) {
		return ""
	}
	end := len(t.data)
	if n < len(t.lines) {
		end = t.lines[n]
	}
	return string(bytes.TrimRight(t.data[t.lines[n-1]:end], "\r\n"))
}

// count returns the number of lines.
func (t *text) count() int {
	t.index()
	return len(t.lines)
}
