package manifest

import (
	"strings"

	"gopkg.in/yaml.v3"
)

// hide collects the lines that hold a part of any node that is not public. A
// node ends where the next one starts: YAML nodes do not tell their end, and
// a block of text, a comment or a closing bracket in between belongs to
// neither. What follows the closing bracket of a torn document may be anything.
func (v *visibility) hide() {
	t := v.doc.text
	from := 0 // the line where the node before started, 0 if it is public
	last := 0 // the line where it started in any case
	visit := func(n *yaml.Node) {
		at := t.at(n.Line, n.Column)
		if from != 0 {
			for line := from; line < at.Line; line++ {
				v.hidden[line] = true
			}
			if at.Line > from && !opens(t.line(at.Line), at.Column) {
				v.hidden[at.Line] = true // the node before may end on this line
			}
			from = 0
		}
		last = at.Line
		if !v.public(n) {
			from = at.Line
			v.hidden[from] = true
		}
	}
	var walk func(n *yaml.Node)
	walk = func(n *yaml.Node) {
		visit(n)
		for _, c := range n.Content {
			walk(c)
		}
	}
	walk(v.doc.root)
	if v.doc.torn && v.doc.root.Style&yaml.FlowStyle != 0 {
		v.hidden[last] = true
	}
	if from != 0 {
		for line := from; line < v.doc.end(); line++ {
			v.hidden[line] = true
		}
	}
}

// opens reports whether nothing but indentation and list dashes stands before
// a column.
func opens(line string, column int) bool {
	for _, r := range line {
		if column--; column < 1 {
			break
		}
		if !strings.ContainsRune(" -?", r) {
			return false
		}
	}
	return true
}
