package manifest

import (
	"gopkg.in/yaml.v3"
)

// How much larger aliases may make a document. The YAML library guards values
// in the same way, but not nodes: up to smallDocument nodes almost all may come
// from aliases, in larger ones at most 19 of 20. Time and memory stay in
// proportion to the file.
const (
	smallDocument = 400_000
	aliasesSmall  = 0.99
	aliasesLarge  = 0.95
	countless     = 1e15 // counting stops here
)

// unbounded reports what makes it impossible to continue with a document: aliases
// that contain themselves, reach into another document, or blow this one up.
func unbounded(d *Document) []*Finding {
	a := aliases{sizes: map[*yaml.Node]float64{}}
	own, total := a.measure(d.root)
	if a.cycle != nil {
		return []*Finding{d.problem(a.cycle, nil, "alias-cycle", nil, "the alias *%s refers to a node that contains it", bare(a.cycle.Value))}
	}
	if a.foreign != nil {
		return []*Finding{d.problem(a.foreign, nil, "alias-document", []string{"anchors are known up to the end of their document: declare it in this one too"},
			"the alias *%s names an anchor of an earlier document", bare(a.foreign.Value))}
	}
	share := (total - own) / total
	if share > aliasesSmall || total > smallDocument && share > aliasesLarge {
		return []*Finding{d.problem(a.worst, nil, "alias-bomb", []string{"write out what differs, and use fewer or smaller anchors"},
			"aliases make the document more than %d times as large as it is written", int(min(total/own, 1e9)))}
	}
	return nil
}

// aliases counts the nodes of a document, with aliases expanded.
type aliases struct {
	sizes   map[*yaml.Node]float64 // of what aliases name; 0 while it is being counted
	cycle   *yaml.Node             // an alias inside what it names
	foreign *yaml.Node             // an alias of what another document has: the YAML library keeps anchors
	worst   *yaml.Node             // the alias of the most nodes
	most    float64
}

// measure returns the number of nodes as written and with aliases expanded.
func (a *aliases) measure(n *yaml.Node) (own, total float64) {
	if n.Kind == yaml.AliasNode {
		size, here := a.sizes[n.Alias] // an anchor comes before its aliases
		if !here {
			if a.foreign == nil {
				a.foreign = n
			}
			return 1, 1
		}
		if size == 0 {
			if a.cycle == nil {
				a.cycle = n
			}
			return 1, 1
		}
		if size > a.most {
			a.worst, a.most = n, size
		}
		return 1, size
	}
	if n.Anchor != "" {
		a.sizes[n] = 0
	}
	own, total = 1, 1
	for _, c := range n.Content {
		o, t := a.measure(c)
		own, total = own+o, min(total+t, countless)
	}
	if n.Anchor != "" {
		a.sizes[n] = total
	}
	return own, total
}
