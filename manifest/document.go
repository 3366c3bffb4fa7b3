package manifest

import (
	"fmt"

	"gopkg.in/yaml.v3"
)

// Document is one YAML document: one manifest. It can be read only through
// Node, which hides aliases and merge keys and keeps positions.
type Document struct {
	text  *text
	root  *yaml.Node
	scope *scope // of the root
}

// Root returns the whole manifest.
func (d *Document) Root() Node { return Node{doc: d}.step(d.root, d.scope) }

// problem returns a finding at a node, reached through the alias use.
func (d *Document) problem(n, use *yaml.Node, rule string, hints []string, format string, args ...any) *Finding {
	e := &Finding{
		Position: d.text.place(n),
		Rule:     rule,
		Message:  fmt.Sprintf(format, args...),
		Hints:    hints,
	}
	if used := d.usedAs(use); used != "" {
		e.uses = []string{used}
	}
	return e
}

// usedAs names an alias and its place; "" for none.
func (d *Document) usedAs(use *yaml.Node) string {
	if use == nil {
		return ""
	}
	return fmt.Sprintf("used as *%s at %s", bare(use.Value), d.text.place(use))
}
