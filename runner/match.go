package runner

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"syncsources/bitrix"
	"syncsources/manifest"
)

// planner is one Compare.
type planner struct {
	set     *manifest.Set
	live    *Live
	choices Choices
	steps   []*step
	named   map[name]*step
	pinned  map[claim]*step // by the id that they declare
	claims  map[claim][]*step
	unknown map[*kind]string // why it is not known which of a kind a declaration means
}

func newPlanner(set *manifest.Set, live *Live, choices Choices) *planner {
	n := len(set.Connectors) + len(set.Sources) + len(set.Tables)
	return &planner{set: set, live: live, choices: choices, steps: make([]*step, 0, n),
		named: make(map[name]*step, n), pinned: make(map[claim]*step, n), claims: make(map[claim][]*step, n), unknown: map[*kind]string{}}
}

// name is what the manifests call an object.
type name struct {
	kind *kind
	name string
}

// claim is a live object that a declaration stands for.
type claim struct {
	kind *kind
	id   int64
}

func (p *planner) add(k *kind, o manifest.Object, subject subject, title *string) *step {
	s := &step{kind: k, declared: o, subject: subject, id: o.ID, status: StatusUnchanged, action: ActionNone}
	s.selected = p.choices.Selected == nil || p.choices.Selected(o)
	if title != nil {
		s.title = *title
	}
	p.steps = append(p.steps, s)
	p.named[name{k, o.Name}] = s
	p.pinned[claim{k, o.ID}] = s
	return s
}

func (p *planner) claim(s *step, id int64) {
	s.id = id
	at := claim{s.kind, id}
	p.claims[at] = append(p.claims[at], s)
}

// identify sets the live object of a step that declares an id.
func (p *planner) identify(s *step) {
	if o, there := s.kind.find(p.live, s.declared.ID); there {
		p.claim(s, o.id)
		s.subject.take(o.whole)
		s.title = cmp.Or(s.title, o.title)
		return
	}
	if err := p.live.broken(s.kind, s.declared.ID); err != nil {
		p.claim(s, s.declared.ID)
		s.fail(failure(err))
		return
	}
	p.missing(s, s.kind, s.declared.ID)
}

// missing fails a step that names an id that does not exist. It may be
// mistyped, and mean any object of that kind.
func (p *planner) missing(s *step, k *kind, id int64) {
	s.fail(notFound(k))
	p.unknown[k] = fmt.Sprintf("%q declares the id %d, which does not exist, and may mean one of them", s.declared.Name, id)
}

// match sets the live object of a step without an id, by what it is called.
func (p *planner) match(s *step, candidates []liveObject) {
	switch {
	case len(candidates) > 0 && candidates[0].title != s.title && strings.Contains(candidates[0].title, lost):
		s.fail(&Failure{Code: CodeUncleanText,
			Message: fmt.Sprintf("the title of the live %s %s cannot be read exactly, and may be this one", s.kind.name, enumerate(p.candidates(s, candidates))),
			Hint:    "declare its id, or rename it"})
		return
	case len(candidates) == 1:
		p.claim(s, candidates[0].id)
		s.subject.take(candidates[0].whole)
		if err := p.live.broken(s.kind, s.id); err != nil { // no more than the list shows
			s.fail(failure(err))
		}
		return
	case len(candidates) == 0:
		if err := p.live.unreadable(s.kind); err != nil {
			f := failure(err)
			f.Message = "the portal lists a " + string(s.kind.name) + " that cannot be read, and it may be this one: " + f.Message
			s.fail(f)
		}
		return
	}
	s.fail(&Failure{Code: CodeAmbiguous,
		Message: fmt.Sprintf("%d live %ss are called %q: %s", len(candidates), s.kind.name, s.title, strings.Join(p.candidates(s, candidates), ", ")),
		Hint:    "pin one with id"})
}

// candidates claims objects that a step may mean, so that none of them is
// pruned, and returns their ids.
func (p *planner) candidates(s *step, all []liveObject) []string {
	ids := make([]string, len(all))
	for i, c := range all {
		ids[i] = fmt.Sprintf("#%d", c.id)
		at := claim{s.kind, c.id}
		p.claims[at] = append(p.claims[at], s)
	}
	return ids
}

// byTitle are the live objects of a kind by what they belong to and by title.
func (p *planner) byTitle(k *kind) map[int64]map[string][]liveObject {
	all := map[int64]map[string][]liveObject{}
	for _, o := range k.live(p.live) {
		if all[o.parent] == nil {
			all[o.parent] = map[string][]liveObject{}
		}
		all[o.parent][o.title] = append(all[o.parent][o.title], o)
	}
	return all
}

// titled returns the objects of exactly this title; where there are none,
// those whose title is one that the portal made of it when it stored it; else
// those whose title cannot be read exactly and may be it.
func titled(byTitle map[string][]liveObject, title string) []liveObject {
	if exact := byTitle[title]; exact != nil {
		return exact
	}
	var found, perhaps []liveObject
	for live, objects := range byTitle {
		if _, is := storedForm(title, live); is {
			found = append(found, objects...)
		} else if mayRead(live, title) {
			perhaps = append(perhaps, objects...)
		}
	}
	if found == nil {
		found = perhaps
	}
	slices.SortFunc(found, func(a, b liveObject) int { return cmp.Compare(a.id, b.id) })
	return found
}

// lost stands where a character of a live text could not be read.
const lost = "\uFFFD"

var lostRun = regexp.MustCompile(lost + "+")

// mayRead reports whether a live title that cannot be read exactly may be this
// one. Each character that was not UTF-8 was read as one to three lost ones.
func mayRead(live, title string) bool {
	if !strings.Contains(live, lost) {
		return false
	}
	pattern := lostRun.ReplaceAllStringFunc(regexp.QuoteMeta(live), func(run string) string {
		return fmt.Sprintf(".{1,%d}", utf8.RuneCountInString(run))
	})
	matched, err := regexp.MatchString("(?s)^"+pattern+"$", title)
	return matched || err != nil
}

func (p *planner) connectors() {
	if len(p.set.Connectors) == 0 {
		return
	}
	byTitle := p.byTitle(connectors)
	ofConnector := map[int64][]*bitrix.Source{}
	for _, o := range sources.live(p.live) {
		ofConnector[o.parent] = append(ofConnector[o.parent], o.whole.(*bitrix.Source))
	}
	for i := range p.set.Connectors {
		d := &p.set.Connectors[i]
		sub := &connector{desired: d, prune: p.choices.Prune}
		s := p.add(connectors, d.Object, sub, d.Title)
		if d.ID != 0 {
			p.identify(s)
		} else {
			p.match(s, titled(byTitle[0], s.title))
		}
		sub.sources = ofConnector[s.id]
	}
}

func (p *planner) sources() {
	byTitle := sync.OnceValue(func() map[int64]map[string][]liveObject { return p.byTitle(sources) })
	for i := range p.set.Sources {
		d := &p.set.Sources[i]
		sub := &source{desired: d}
		s := p.add(sources, d.Object, sub, d.Title)
		if d.ID != 0 {
			p.identify(s)
		}
		p.refer(s, connectors, d.Connector, &sub.parent)
		if live := sub.live; d.Connector == (manifest.Ref{}) && live != nil && p.declaresNew(d, live.ConnectorID) {
			p.refer(s, connectors, manifest.Ref{ID: live.ConnectorID}, &sub.parent)
		}
		if sub.parent == nil {
			id := d.Connector.ID
			if id == 0 && sub.live != nil {
				id = sub.live.ConnectorID
			}
			sub.connector = p.live.Connectors[id]
			if sub.connector == nil && d.Connector.ID != 0 {
				p.missing(s, connectors, d.Connector.ID)
			}
		}
		switch id := sub.belongsTo(); {
		case d.ID == 0 && (s.failure != nil || sub.parent != nil && sub.parent.failure != nil && !p.found(sub.parent)):
			p.unknown[sources] = fmt.Sprintf("it is not known on which connector %q is, and it may mean one of them", s.declared.Name)
		case d.ID == 0 && id != 0:
			p.match(s, titled(byTitle()[id], s.title))
		case sub.parent != nil && sub.parent.failure != nil: // which connector it is to have is not known
		case sub.live != nil && (sub.parent != nil || d.Connector.ID != 0) && sub.live.ConnectorID != id:
			s.fail(&Failure{Code: CodeImmutable,
				Message: fmt.Sprintf("the portal cannot change the connector of a source: it is #%d, declared %s", sub.live.ConnectorID, target(sub.parent, id)),
				Hint:    "declare the live connector, or declare the source without its id to create another one"})
		}
	}
}

// declaresNew reports whether a source declares a setting that its live
// connector does not have yet: where the manifests declare that connector, the
// source must wait for it.
func (p *planner) declaresNew(d *manifest.Source, connector int64) bool {
	live := p.live.Connectors[connector]
	return live != nil && slices.ContainsFunc(d.Settings, func(set manifest.Setting) bool {
		return !slices.ContainsFunc(live.Settings, func(t bitrix.SettingType) bool { return t.Code == set.Code })
	})
}

// target is how messages call what an object is declared to belong to.
func target(parent *step, id int64) string {
	if id == 0 && parent != nil {
		return fmt.Sprintf("the new %q", parent.declared.Name)
	}
	return fmt.Sprintf("#%d", id)
}

func (p *planner) tables() {
	byName := map[string][]liveObject{}
	for _, o := range tables.live(p.live) {
		byName[o.title] = []liveObject{o}
	}
	for i := range p.set.Tables {
		d := &p.set.Tables[i]
		sub := &table{desired: d, family: p.live.Family, prune: p.choices.Prune}
		s := p.add(tables, d.Object, sub, &d.Name)
		p.match(s, byName[d.Name])
		p.refer(s, sources, d.Source, &sub.parent)
		if sub.parent == nil && d.Source.ID != 0 {
			sub.source = d.Source.ID
			if p.live.Sources[d.Source.ID] == nil {
				p.missing(s, sources, d.Source.ID)
			}
		}
	}
}

// refer makes a step depend on the one of the object that it names, or whose id
// it has, where the manifests declare that.
func (p *planner) refer(s *step, k *kind, ref manifest.Ref, parent **step) {
	on := p.named[name{k, ref.Name}]
	if ref.Name == "" {
		if ref.ID == 0 {
			return
		}
		if on = p.pinned[claim{k, ref.ID}]; on == nil {
			if all := p.claims[claim{k, ref.ID}]; len(all) == 1 && all[0].id == ref.ID { // else it is one of several candidates
				on = all[0]
			}
		}
		if on == nil {
			return
		}
	}
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
			other := claimants[(i+1)%len(claimants)]
			if s.id == at.id { // else several objects are called what it is
				s.failure = nil // whatever else is wrong
			}
			s.fail(&Failure{Code: CodeAmbiguous,
				Message: fmt.Sprintf("two declarations mean one live %s, #%d: %s and %s", at.kind.name, at.id, s.declared.Position, other.declared.Position),
				Hint:    "declare it once, or give each its own id"})
		}
	}
}

// hintRenames remarks where a source is created beside one of the same
// connector that nobody declares: it may be the same under a former title.
func (p *planner) hintRenames() {
	undeclared := sync.OnceValue(func() map[int64][]string {
		of := map[int64][]string{}
		for _, o := range sources.live(p.live) {
			if p.claims[claim{sources, o.id}] == nil {
				of[o.parent] = append(of[o.parent], fmt.Sprintf("#%d %q", o.id, o.title))
			}
		}
		return of
	})
	for _, s := range p.steps {
		if s.kind != sources || s.action != ActionCreate || s.status != StatusPlanned {
			continue
		}
		if others := undeclared()[s.subject.(*source).belongsTo()]; others != nil {
			s.notes = append(s.notes, fmt.Sprintf("not declared, but on the same connector: %s; if this is a rename, declare its id", enumerate(others)))
		}
	}
}
