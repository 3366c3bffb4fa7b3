package manifest

import (
	"bytes"
	"slices"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// text is the content of one file.
type text struct {
	name string // as shown
	dir  string // where relative file references start
	data []byte // without a byte order mark

	lines []int // offset of each line's start; see index
}

func newText(name, dir string, data []byte) *text {
	return &text{name: name, dir: dir, data: bytes.TrimPrefix(data, mark)}
}

// at returns the position in a line and column, both from 1.
func (t *text) at(line, column int) Position { return Position{t.name, max(1, line), max(1, column)} }

// place returns the position of a node.
func (t *text) place(n *yaml.Node) Position { return t.at(n.Line-added, n.Column) }

// index finds where lines start when the first finding asks for it: most files
// have none.
func (t *text) index() []int {
	if t.lines != nil {
		return t.lines
	}
	t.lines = []int{0}
	for i, c := range t.data {
		if c == '\n' || c == '\r' && (i+1 == len(t.data) || t.data[i+1] != '\n') {
			t.lines = append(t.lines, i+1)
		}
	}
	return t.lines
}

// line returns line n, from 1, without its line break; nil where there is none.
func (t *text) line(n int) []byte {
	lines := t.index()
	if n < 1 || n > len(lines) {
		return nil
	}
	end := len(t.data)
	if n < len(lines) {
		end = lines[n]
	}
	return bytes.TrimRight(t.data[lines[n-1]:end], "\r\n")
}

// offset returns the position of a byte.
func (t *text) offset(at int) Position {
	lines := t.index()
	line, _ := slices.BinarySearch(lines, at+1)
	return t.at(line, utf8.RuneCount(t.data[lines[line-1]:at])+1)
}

// before returns the character before a node, 0 where there is none or where
// the line is too long to be searched.
func (t *text) before(n *yaml.Node) byte {
	const longest = 4 << 10
	at, column := t.line(n.Line-added), n.Column
	if column < 2 || column > longest {
		return 0
	}
	for range column - 2 {
		_, n := utf8.DecodeRune(at)
		at = at[n:]
	}
	if len(at) == 0 {
		return 0
	}
	return at[0]
}
