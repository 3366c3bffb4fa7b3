package sandbox

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// source is a source as the portal holds it. Its fields are guarded by the
// portal's mutex.
type source struct {
	id          int64
	title       string
	description *string
	active      bool
	connectorID int64
	settings    []param
	owner       string
	check       string
	cost        *time.Duration
	datasets    int
	created     time.Time
	updated     time.Time
	createdBy   int64
	updatedBy   int64
}

// param is a stored setting of a source.
type param struct {
	id    int64
	code  string
	value string
}

func (s *source) set(p *Portal, code, value string) {
	for i := range s.settings {
		if s.settings[i].code == code {
			s.settings[i].value = value
			return
		}
	}
	p.lastParam++
	s.settings = append(s.settings, param{p.lastParam, code, value})
}

// epoch dates what a state file holds: the portal may be made under another
// clock than it is used.
var epoch = time.Date(2025, 3, 20, 14, 50, 6, 0, time.UTC)

// newSource makes a source of a checked state.
func (p *Portal) newSource(s Source) *source {
	src := &source{
		id: s.ID, title: s.Title, active: s.Active == nil || *s.Active, connectorID: s.ConnectorID,
		owner: s.Owner, check: s.Check, datasets: s.Datasets,
		created: epoch, updated: epoch, createdBy: 1, updatedBy: 1,
	}
	if s.Description != nil {
		d := *s.Description
		src.description = &d
	}
	if s.UpdateCost != nil {
		c := *s.UpdateCost
		src.cost = &c
	}
	if src.owner == "" {
		src.owner = ClientID
	}
	for _, st := range p.connectors[s.ConnectorID].settings {
		if v, ok := s.Settings[st.Code]; ok {
			src.set(p, st.Code, v)
		}
	}
	return src
}

// insert adds a source. p.mu is held, or the portal not yet in use.
func (p *Portal) insert(s *source) {
	p.sources[s.id] = s
	p.lastID = max(p.lastID, s.id)
	ids := p.owned[s.owner]
	i, _ := slices.BinarySearch(ids, s.id)
	p.owned[s.owner] = slices.Insert(ids, i, s.id)
}

// remove takes a source away. p.mu is held.
func (p *Portal) remove(s *source) {
	delete(p.sources, s.id)
	ids := p.owned[s.owner]
	if i, ok := slices.BinarySearch(ids, s.id); ok {
		p.owned[s.owner] = slices.Delete(ids, i, i+1)
	}
}

// mine finds a source of the run's client. Others' are not there for it. p.mu
// is held.
func (r *run) mine(id int64) *source {
	if s := r.p.sources[id]; s != nil && s.owner == r.auth.client {
		return s
	}
	return nil
}

// updateCost is the execution time of an update of a source.
func (p *Portal) updateCost(s *source) time.Duration {
	switch {
	case s.cost != nil:
		return *s.cost
	case p.cfg.CostOf != nil:
		return p.cfg.CostOf(s.id)
	}
	return p.cfg.UpdateCost
}

// Source returns a source as it is now, those of other applications included.
func (p *Portal) Source(id int64) (Source, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s, ok := p.sources[id]
	if !ok {
		return Source{}, false
	}
	return s.export(), true
}

// Sources returns all sources as they are now, by rising id.
func (p *Portal) Sources() []Source {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make([]Source, 0, len(p.sources))
	for _, id := range slices.Sorted(maps.Keys(p.sources)) {
		all = append(all, p.sources[id].export())
	}
	return all
}

// SetSource changes a source behind the clients' back, as somebody in the
// portal's user interface might, or adds it. It is an error if there is no
// such connector; settings that it does not declare are dropped.
func (p *Portal) SetSource(s Source) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.connectors[s.ConnectorID] == nil {
		return fmt.Errorf("sandbox: source %d: there is no connector %d", s.ID, s.ConnectorID)
	}
	if old := p.sources[s.ID]; old != nil {
		p.remove(old)
	}
	p.insert(p.newSource(s))
	return nil
}

// export makes the public form of a source.
func (s *source) export() Source {
	active := s.active
	out := Source{
		ID: s.id, Title: s.title, ConnectorID: s.connectorID, Active: &active,
		Settings: make(map[string]string, len(s.settings)), Check: s.check, Datasets: s.datasets,
	}
	if s.owner != ClientID {
		out.Owner = s.owner
	}
	if s.description != nil {
		d := *s.description
		out.Description = &d
	}
	if s.cost != nil {
		c := *s.cost
		out.UpdateCost = &c
	}
	for _, p := range s.settings {
		out.Settings[p.code] = p.value
	}
	return out
}
