package manifest

import (
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"
)

// Document is one YAML document: one manifest. It can be read only through
// Node, which hides aliases and merge keys and keeps positions.
type Document struct {
	text *text
	root *yaml.Node
	next int  // the line where the next document starts, 0 if none does
	torn bool // what follows the root could not be parsed

	shown *visibility // filled when the first finding asks for it
}

// Root returns the whole manifest.
func (d *Document) Root() Node { return d.node(d.root) }

// end returns one more than the number of the document's last line.
func (d *Document) end() int {
	if d.next != 0 {
		return d.next
	}
	return d.text.end()
}

func (d *Document) node(n *yaml.Node) Node { return Node{doc: d}.step(n) }

// visible returns what may be shown of the document. Most documents hold no
// findings, and never need to know.
func (d *Document) visible() *visibility {
	if d.shown == nil {
		d.shown = examine(d)
	}
	return d.shown
}

// problem returns a finding at n, reached through use.
func (d *Document) problem(n, use *yaml.Node, rule string, advice []string, format string, args ...any) *Finding {
	e := &Finding{
		Position: d.text.at(n.Line, n.Column),
		Rule:     rule,
		Message:  fmt.Sprintf(format, args...),
		Advice:   advice,
	}
	switch v := d.visible(); {
	case !v.hidden[e.Position.Line] && !d.text.aside(e.Position.Line):
		e.Snippet = d.text.snippet(e.Position.Line)
	case v.strange[n]:
		e.Snippet = d.head(n)
	}
	if used := d.usedAs(use); used != "" {
		e.uses = []string{used}
	}
	return e
}

// head returns the line of a key that begins it, up to the key's colon; "" for
// another key. What follows may be a setting that is not indented enough.
func (d *Document) head(key *yaml.Node) string {
	at := d.text.at(key.Line, key.Column)
	if len(d.text.bytes(at.Line)) > maxSnippet {
		return ""
	}
	line := d.text.line(at.Line)
	if !opens(line, at.Column) {
		return ""
	}
	before := string([]rune(line)[:at.Column-1])
	if !strings.HasPrefix(line[len(before):], key.Value+":") {
		return "" // quoted, or written on several lines
	}
	return printable(before + key.Value + ": ...")
}

// usedAs tells of an alias; "" for none.
func (d *Document) usedAs(use *yaml.Node) string {
	if use == nil {
		return ""
	}
	return fmt.Sprintf("used as *%s at %s", bare(use.Value), d.text.at(use.Line, use.Column))
}
