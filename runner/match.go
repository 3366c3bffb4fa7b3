package runner

import (
	"cmp"
	"fmt"
	"strings"

	"syncsources/bitrix"
	"syncsources/manifest"
)

// planner is one Compare.
type planner struct {
	set     *manifest.Set
	live    *Live
	choices Choices
	steps   []*step
	named   map[string]*step // by kind and name
	claims  map[claim][]*step
}

// claim is a live object that a declaration stands for.
type claim struct {
	kind Kind
	id   int64
}

func (p *planner) add(k *kind, o manifest.Object, subject subject, title *string) *step {
	s := &step{kind: k, declared: o, subject: subject, id: o.ID, status: StatusUnchanged, action: ActionNone}
	s.selected = p.choices.Selected == nil || p.choices.Selected(o)
	if title != nil {
		s.title = *title
	}
	p.steps = append(p.steps, s)
	p.named[string(k.name)+" "+o.Name] = s
	return s
}

func (p *planner) claim(s *step, id int64) {
	s.id = id
	at := claim{s.kind.name, id}
	p.claims[at] = append(p.claims[at], s)
}

// identify sets the live object of a step that declares an id.
func identify(p *planner, s *step, live any, there bool, liveTitle string) {
	if there {
		p.claim(s, s.declared.ID)
		s.subject.take(live)
		s.title = cmp.Or(s.title, liveTitle)
		return
	}
	if err := p.live.broken(s.kind, s.declared.ID); err != nil {
		p.claim(s, s.declared.ID)
		s.fail(failure(err))
		return
	}
	s.fail(notFound(s.kind))
}

// match sets the live object of a step without an id, by what it is called.
func match[T any](p *planner, s *step, candidates []*T, id func(*T) int64) {
	switch len(candidates) {
	case 1:
		p.claim(s, id(candidates[0]))
		s.subject.take(candidates[0])
		return
	case 0:
		if err := p.live.unreadable(s.kind); err != nil {
			f := failure(err)
			f.Message = "the portal lists a " + string(s.kind.name) + " that cannot be read, and it may be this one: " + f.Message
			s.fail(f)
		}
		return
	}
	ids := make([]string, len(candidates))
	for i, c := range candidates {
		ids[i] = fmt.Sprintf("#%d", id(c))
		at := claim{s.kind.name, id(c)}
		p.claims[at] = append(p.claims[at], s) // so that none of them is pruned
	}
	s.fail(&Failure{Code: CodeAmbiguous,
		Message: fmt.Sprintf("%d live %ss are called %q: %s", len(candidates), s.kind.name, s.title, strings.Join(ids, ", ")),
		Hint:    "pin one with id"})
}

func (p *planner) connectors() {
	byTitle := map[string][]*bitrix.Connector{}
	for _, id := range sortedKeys(p.live.Connectors) {
		c := p.live.Connectors[id]
		byTitle[c.Title] = append(byTitle[c.Title], c)
	}
	ofSource := map[int64][]*bitrix.Source{}
	for _, id := range sortedKeys(p.live.Sources) {
		s := p.live.Sources[id]
		ofSource[s.ConnectorID] = append(ofSource[s.ConnectorID], s)
	}
	for i := range p.set.Connectors {
		d := &p.set.Connectors[i]
		sub := &connector{desired: d, prune: p.choices.Prune}
		s := p.add(connectors, d.Object, sub, d.Title)
		if d.ID != 0 {
			c, ok := p.live.Connectors[d.ID]
			identify(p, s, c, ok, titleOf(c))
		} else {
			match(p, s, titled(byTitle, s.title), func(c *bitrix.Connector) int64 { return c.ID })
		}
		sub.sources = ofSource[s.id]
	}
}

func titleOf(c *bitrix.Connector) string {
	if c == nil {
		return ""
	}
	return c.Title
}

// titled returns the objects of exactly this title; where there are none,
// those whose title is one that the portal made of it when it stored it.
func titled[T any](byTitle map[string][]*T, title string) []*T {
	if exact := byTitle[title]; exact != nil {
		return exact
	}
	var found []*T
	for live, objects := range byTitle {
		if _, is := storedForm(title, live); is {
			found = append(found, objects...)
		}
	}
	return found
}

func (p *planner) sources() {
	byTitle := map[int64]map[string][]*bitrix.Source{}
	for _, id := range sortedKeys(p.live.Sources) {
		s := p.live.Sources[id]
		if byTitle[s.ConnectorID] == nil {
			byTitle[s.ConnectorID] = map[string][]*bitrix.Source{}
		}
		byTitle[s.ConnectorID][s.Title] = append(byTitle[s.ConnectorID][s.Title], s)
	}
	for i := range p.set.Sources {
		d := &p.set.Sources[i]
		sub := &source{desired: d}
		s := p.add(sources, d.Object, sub, d.Title)
		if d.ID != 0 {
			live, ok := p.live.Sources[d.ID]
			title := ""
			if ok {
				title = live.Title
			}
			identify(p, s, live, ok, title)
		}
		p.refer(s, connectors, d.Connector, &sub.parent)
		if sub.parent == nil {
			id := d.Connector.ID
			if id == 0 && sub.live != nil {
				id = sub.live.ConnectorID
			}
			sub.connector = p.live.Connectors[id]
			if sub.connector == nil && d.Connector.ID != 0 {
				s.fail(notFound(connectors))
			}
		}
		switch id := sub.connectorID(); {
		case d.ID == 0 && id != 0:
			match(p, s, titled(byTitle[id], s.title), func(s *bitrix.Source) int64 { return s.ID })
		case sub.live != nil && id != 0 && (sub.parent != nil || d.Connector.ID != 0) && sub.live.ConnectorID != id:
			s.fail(&Failure{Code: CodeImmutable,
				Message: fmt.Sprintf("the portal cannot change the connector of a source: it is #%d, declared #%d", sub.live.ConnectorID, id),
				Hint:    "declare the live connector, or declare the source without its id to create another one"})
		}
	}
}

func (p *planner) tables() {
	byName := map[string]*bitrix.Table{}
	for _, t := range p.live.Tables {
		byName[t.Name] = t
	}
	for i := range p.set.Tables {
		d := &p.set.Tables[i]
		sub := &table{desired: d, family: p.live.Family, prune: p.choices.Prune}
		s := p.add(tables, d.Object, sub, &d.Name)
		if live, ok := byName[d.Name]; ok {
			match(p, s, []*bitrix.Table{live}, func(t *bitrix.Table) int64 { return t.ID })
		} else {
			match(p, s, []*bitrix.Table(nil), func(t *bitrix.Table) int64 { return t.ID })
		}
		p.refer(s, sources, d.Source, &sub.parent)
		if sub.parent == nil && d.Source.ID != 0 {
			sub.source = d.Source.ID
			if p.live.Sources[d.Source.ID] == nil {
				s.fail(notFound(sources))
			}
		}
	}
}

// refer makes a step depend on the one of the object that it names.
func (p *planner) refer(s *step, k *kind, ref manifest.Ref, parent **step) {
	if ref.Name == "" {
		return
	}
	on := p.named[string(k.name)+" "+ref.Name]
	if on == nil { // loading the manifests has found that already
		s.fail(&Failure{Code: CodeDependency, Message: fmt.Sprintf("no %s is called %q", k.name, ref.Name)})
		return
	}
	*parent = on
	s.depends = append(s.depends, on)
	if !on.selected && on.id == 0 && on.failure == nil {
		s.fail(&Failure{Code: CodeDependency, Message: fmt.Sprintf("the %s does not exist yet, and it is not selected", on.label()),
			Hint: "select it too"})
	}
}

// rejectDoubles fails the declarations that turn out to be one live object.
func (p *planner) rejectDoubles() {
	for at, claimants := range p.claims {
		if len(claimants) < 2 {
			continue
		}
		for i, s := range claimants {
			if s.failure != nil && s.failure.Code == CodeAmbiguous {
				continue
			}
			other := claimants[(i+1)%len(claimants)]
			s.failure = nil
			s.fail(&Failure{Code: CodeAmbiguous,
				Message: fmt.Sprintf("two declarations are one live %s, #%d: %s and %s", at.kind, at.id, s.declared.Position, other.declared.Position),
				Hint:    "declare it once; an id tells one from the other"})
		}
	}
}

// hintRenames remarks where a source is created beside one of the same
// connector that nobody declares: it may be the same under a former title.
func (p *planner) hintRenames() {
	undeclared := map[int64][]string{}
	for _, id := range sortedKeys(p.live.Sources) {
		if live := p.live.Sources[id]; p.claims[claim{KindSource, id}] == nil {
			undeclared[live.ConnectorID] = append(undeclared[live.ConnectorID], fmt.Sprintf("#%d %q", id, live.Title))
		}
	}
	for _, s := range p.steps {
		if s.kind != sources || s.action != ActionCreate || s.status != StatusPlanned {
			continue
		}
		if others := undeclared[s.subject.(*source).connectorID()]; others != nil {
			s.notes = append(s.notes, fmt.Sprintf("the connector has a source that nobody declares: %s; if this is a rename, declare its id", enumerate(others)))
		}
	}
}
