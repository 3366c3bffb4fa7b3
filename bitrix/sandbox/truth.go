package sandbox

import (
	"fmt"
	"maps"
	"slices"
)

// Connector returns a connector as it is now, whatever reads show, those of
// other applications included.
func (p *Portal) Connector(id int64) (Connector, bool) {
	return copyOf(p, &p.connectors, id, (*connector).export)
}

// Connectors returns all connectors as they are now, by rising id.
func (p *Portal) Connectors() []Connector { return copiesOf(p, &p.connectors, (*connector).export) }

// Source returns a source as it is now, like [Portal.Connector].
func (p *Portal) Source(id int64) (Source, bool) { return copyOf(p, &p.sources, id, (*source).export) }

// Sources returns all sources as they are now, by rising id.
func (p *Portal) Sources() []Source { return copiesOf(p, &p.sources, (*source).export) }

// Table returns a table as it is now, like [Portal.Connector].
func (p *Portal) Table(id int64) (Table, bool) { return copyOf(p, &p.tables, id, (*table).export) }

// Tables returns all tables as they are now, by rising id.
func (p *Portal) Tables() []Table { return copiesOf(p, &p.tables, (*table).export) }

func copyOf[T object, E any](p *Portal, s *store[T], id int64, export func(T) E) (out E, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	o, ok := s.live[id]
	if ok {
		out = export(o)
	}
	return out, ok
}

func copiesOf[T object, E any](p *Portal, s *store[T], export func(T) E) []E {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := []E{}
	for _, id := range slices.Sorted(maps.Keys(s.live)) {
		out = append(out, export(s.live[id]))
	}
	return out
}

// SetConnector changes a connector behind the clients' back, as somebody in
// the portal's user interface might, or adds it. What its sources have stored
// stays as it is.
func (p *Portal) SetConnector(c Connector) {
	p.mu.Lock()
	defer p.mu.Unlock()
	next := newConnector(c)
	if old := p.connectors.get(c.ID); old != nil {
		next.Owner, next.created = old.Owner, old.created
	}
	delete(p.failedOnce, -c.ID)
	p.connectors.put(next)
}

// SetSource changes a source behind the clients' back, or adds it. It is an
// error if there is no such connector, or another one than before; settings
// that it does not declare are dropped.
func (p *Portal) SetSource(s Source) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.connectors.get(s.ConnectorID) == nil {
		return fmt.Errorf("sandbox: source %d: there is no connector %d", s.ID, s.ConnectorID)
	}
	if old := p.sources.get(s.ID); old != nil && old.ConnectorID != s.ConnectorID {
		return fmt.Errorf("sandbox: source %d is of connector %d for ever", s.ID, old.ConnectorID)
	}
	delete(p.failedOnce, s.ID)
	p.sources.put(p.newSource(s))
	return nil
}

// SetTable changes a table behind the clients' back, or adds it. It is an
// error if there is no such source, or another one or name than before.
func (p *Portal) SetTable(t Table) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	id, taken := p.names[t.Name]
	old := p.tables.get(t.ID)
	switch {
	case p.sources.get(t.SourceID) == nil:
		return fmt.Errorf("sandbox: table %d: there is no source %d", t.ID, t.SourceID)
	case taken && id != t.ID:
		return fmt.Errorf("sandbox: table %d: the name %s is taken", t.ID, t.Name)
	case old != nil && (old.SourceID != t.SourceID || old.Name != t.Name):
		return fmt.Errorf("sandbox: table %d: its source and its name are for ever", t.ID)
	}
	p.tables.put(p.newTable(t))
	return nil
}

// DeleteConnector deletes a connector behind the clients' back, and with it
// what hangs on it.
func (p *Portal) DeleteConnector(id int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, source := range slices.Clone(p.sources.below[id]) {
		p.dropSource(source)
	}
	p.connectors.drop(id)
}

// DeleteSource deletes a source behind the clients' back, and its tables.
func (p *Portal) DeleteSource(id int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dropSource(id)
}

func (p *Portal) dropSource(id int64) {
	for _, table := range slices.Clone(p.tables.below[id]) {
		p.tables.drop(table)
	}
	p.sources.drop(id)
}

// DeleteTable deletes a table behind the clients' back.
func (p *Portal) DeleteTable(id int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tables.drop(id)
}

// Check is a call of a connector's check endpoint, as the external system
// would see it.
type Check struct {
	Connector, Source int64 // Source is 0 for one that is about to be made
	URL               string
	Connection        map[string]string // stored and sent values merged, untrimmed
	OK                bool
}

// Checks returns the connection checks so far. See [State.KeepCalls].
func (p *Portal) Checks() []Check {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.checks)
}

func (c *connector) export() Connector {
	out := c.Connector
	out.Settings = slices.Clone(c.Settings)
	if out.Owner == ClientID {
		out.Owner = ""
	}
	return out
}

func (s *source) export() Source {
	out := s.Source
	out.Active, out.Description = new(*s.Active), copied(s.Description)
	out.Settings = make(map[string]string, len(s.settings))
	if out.Owner == ClientID {
		out.Owner = ""
	}
	for _, p := range s.settings {
		out.Settings[p.code] = p.value
	}
	return out
}

func (t *table) export() Table {
	out := t.Table
	out.Columns = slices.Clone(t.Columns)
	if out.Owner == ClientID {
		out.Owner = ""
	}
	return out
}
