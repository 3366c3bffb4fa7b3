package manifest

import (
	"bytes"
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// ID is the id of a live object, for the declaration at a position.
type ID struct {
	Position Position // Object.Position
	ID       int64
	// Referred is set where others refer to the object. Without a name of its
	// own it would lose the one that they use: its title.
	Referred bool
}

// Pin writes ids into the text of a manifest: id becomes the first key of the
// object that is declared at a position, and no other byte changes. name is the
// file as Load calls it.
//
// What cannot be edited safely is reported and left as it is: an object that
// has an id, one behind an alias, one that others refer to by its title, and
// one whose edit, read again, makes anything but that object with an id. The positions must be those of
// this text.
func Pin(name string, data []byte, ids []ID) (edited []byte, refused []*Finding) {
	p, found := newPinning(name, data)
	if found != nil {
		return data, found
	}
	var edits []edit
	for _, id := range ids {
		e, why := p.edit(id)
		if why != nil {
			refused = append(refused, why)
			continue
		}
		edits = append(edits, e)
	}
	slices.SortFunc(edits, func(a, b edit) int { return cmp.Compare(a.offset, b.offset) })
	kept := p.safe(edits)
	for _, e := range edits {
		if !slices.ContainsFunc(kept, func(k edit) bool { return k.offset == e.offset }) {
			refused = append(refused, refusal(e.id, "add id by hand", "the id %d cannot be added safely", e.id.ID))
		}
	}
	return p.apply(kept), arrange(refused, []*text{p.text})
}

func refusal(id ID, hint, format string, args ...any) *Finding {
	return &Finding{Position: id.Position, Rule: "pin", Message: fmt.Sprintf(format, args...), Hints: []string{hint}}
}

// pinning is one call of Pin.
type pinning struct {
	text   *text
	before int // bytes before the text: a byte order mark
	data   []byte
	docs   []*Document
	// objects holds what is declared by position; aliased, what is so behind
	// an alias.
	objects map[Position]*yaml.Node
	aliased map[Position]bool
}

func newPinning(name string, data []byte) (*pinning, []*Finding) {
	t := newText(name, "", data)
	p := &pinning{text: t, before: len(data) - len(t.data), data: data, objects: map[Position]*yaml.Node{}, aliased: map[Position]bool{}}
	var found []*Finding
	if p.docs, found = parse(t, manifestScope); found != nil {
		return nil, found
	}
	for _, d := range p.docs {
		if found := unbounded(d); found != nil {
			return nil, found
		}
	}
	for n, aliased := range pinnable(p.docs) {
		at := n.Position()
		p.objects[at] = n.val
		p.aliased[at] = p.aliased[at] || aliased
	}
	return p, nil
}

// pinnable goes through the objects that take ids, and says which are
// behind an alias.
func pinnable(docs []*Document) iter.Seq2[Node, bool] {
	return func(yield func(Node, bool) bool) {
		for _, d := range docs {
			for _, f := range d.Root().Fields() {
				if key := f.Key(); key != "connectors" && key != "sources" {
					continue
				}
				for n := range f.mappings() {
					if !yield(n, n.use != nil) {
						return
					}
				}
			}
		}
	}
}

// edit is a text that goes into the data.
type edit struct {
	offset int
	text   string
	id     ID
	object *yaml.Node
}

// edit returns what to insert for an id.
func (p *pinning) edit(id ID) (edit, *Finding) {
	object := p.objects[id.Position]
	switch {
	case object == nil || object.Kind != yaml.MappingNode || len(object.Content) == 0:
		return edit{}, refusal(id, "plan again: the file may have changed", "nothing is declared here that takes an id")
	case p.aliased[id.Position]:
		return edit{}, refusal(id, fmt.Sprintf("write id: %d beside <<: and the alias", id.ID), "the object is behind an alias, so others may share its id")
	}
	node := Node{doc: p.docs[0], val: object}
	if node.get("id").there() {
		return edit{}, refusal(id, "remove it first if it is wrong", "the object has an id")
	}
	if id.Referred && !node.get("name").there() {
		return edit{}, refusal(id, "give it a name first: name, with its title as the value", "others refer to the object by its title, which is no longer its name once it has an id")
	}
	key := object.Content[0]
	line := p.text.line(key.Line - added)
	at := characters2bytes(line, key.Column-1)
	e := edit{offset: p.before + p.text.index()[key.Line-added-1] + at, id: id, object: object}
	word := "id"
	if key.Style&yaml.DoubleQuotedStyle != 0 { // JSON stays JSON
		word = `"id"`
	}
	indent := strings.Repeat(" ", key.Column-1)
	if begin := line[:at]; len(bytes.Trim(begin, " \t")) == 0 {
		indent = string(begin)
	}
	e.text = fmt.Sprintf("%s: %d", word, id.ID)
	switch {
	case object.Style&yaml.FlowStyle == 0:
		e.text += p.lineBreak(key) + indent
	case key.Line > object.Line:
		e.text += "," + p.lineBreak(key) + indent
	default:
		e.text += ", "
	}
	return e, nil
}

// lineBreak returns how the line of a node ends, or the one before it.
func (p *pinning) lineBreak(n *yaml.Node) string {
	for _, end := range []int{n.Line - added, n.Line - added - 1} {
		if lines := p.text.index(); end > 0 && end < len(lines) {
			return string(bytes.TrimLeft(p.text.data[lines[end-1]+len(p.text.line(end)):lines[end]], " "))
		}
	}
	return "\n"
}

func characters2bytes(line []byte, n int) int {
	for i := range string(line) {
		if n == 0 {
			return i
		}
		n--
	}
	return len(line)
}

// apply returns the data with edits, which are sorted.
func (p *pinning) apply(edits []edit) []byte {
	var b bytes.Buffer
	last := 0
	for _, e := range edits {
		b.Write(p.data[last:e.offset])
		b.WriteString(e.text)
		last = e.offset
	}
	b.Write(p.data[last:])
	return b.Bytes()
}

// safe returns those of the edits that make what they are meant to.
func (p *pinning) safe(edits []edit) []edit {
	if len(edits) == 0 || p.makes(edits) {
		return edits
	}
	if len(edits) == 1 {
		return nil
	}
	half := len(edits) / 2
	kept := append(slices.Clip(p.safe(edits[:half])), p.safe(edits[half:])...)
	if len(kept) > 0 && !p.makes(kept) {
		return nil // each for itself, but not together
	}
	return kept
}

// makes reports whether the edited text reads as the one before, with the ids.
func (p *pinning) makes(edits []edit) bool {
	pinned := map[*yaml.Node]string{}
	for _, e := range edits {
		pinned[e.object] = fmt.Sprint(e.id.ID)
	}
	docs, found := parse(newText(p.text.name, "", p.apply(edits)), manifestScope)
	if found != nil || len(docs) != len(p.docs) {
		return false
	}
	seen := map[*yaml.Node]bool{}
	for i := range docs {
		if !alike(p.docs[i].root, docs[i].root, pinned, seen) {
			return false
		}
	}
	return slices.Equal(idsOf(p.docs, pinned), idsOf(docs, nil))
}

// idsOf returns the ids of all objects, merged ones too: an id in an anchored
// object becomes that of every object that merges it.
func idsOf(docs []*Document, pinned map[*yaml.Node]string) []string {
	var ids []string
	for n := range pinnable(docs) {
		id := pinned[n.val]
		if f := n.get("id"); f.there() && id == "" {
			id = f.Text()
		}
		ids = append(ids, id)
	}
	return ids
}

// alike reports whether two trees are the same but for an id at the start of
// the pinned ones.
func alike(before, after *yaml.Node, pinned map[*yaml.Node]string, seen map[*yaml.Node]bool) bool {
	content := after.Content
	if id, ok := pinned[before]; ok {
		if len(content) < 2 || content[0].Value != "id" || content[1].Value != id || content[1].Tag != "!!int" {
			return false
		}
		content = content[2:]
	}
	if before.Kind != after.Kind || before.Value != after.Value || before.ShortTag() != after.ShortTag() || before.Anchor != after.Anchor || len(before.Content) != len(content) {
		return false
	}
	if before.Kind == yaml.AliasNode && !seen[before] {
		seen[before] = true // what it names is in the tree as well
		return before.Alias.Kind == after.Alias.Kind && before.Alias.Anchor == after.Alias.Anchor
	}
	for i := range content {
		if !alike(before.Content[i], content[i], pinned, seen) {
			return false
		}
	}
	return true
}
