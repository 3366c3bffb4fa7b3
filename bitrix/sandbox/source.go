package sandbox

import (
	"net/url"
	"slices"
	"time"

	"syncsources/bitrix/sandbox/php"
)

// source is a source as the portal holds it.
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
	created     time.Time
	updated     time.Time
	createdBy   int64
	updatedBy   int64
}

// param is a stored setting of a source. Its name and type are copied from the
// connector when a value is first stored, and stay when the connector changes.
type param struct {
	id               int64
	code, name, kind string
	value            string
}

func (s *source) key() (int64, string, int64) { return s.id, s.owner, s.connectorID }

// set stores a setting in a source that nobody has seen yet: in the first of
// the old ones with its code, or else beside them.
func (s *source) set(p *Portal, old int, st SettingType, value string) {
	for i := range s.settings[:old] {
		if s.settings[i].code == st.Code {
			s.settings[i].value = value
			return
		}
	}
	p.lastParam++
	s.settings = append(s.settings, param{p.lastParam, st.Code, st.Name, st.Type, value})
}

// newSource makes a source of a checked state.
func (p *Portal) newSource(s Source) *source {
	c := p.connectors.get(s.ConnectorID)
	src := &source{
		id: s.ID, title: s.Title, active: s.Active == nil || *s.Active, connectorID: s.ConnectorID,
		owner: c.Owner, check: s.Check, created: epoch, updated: epoch, createdBy: max(s.CreatedByID, 1), updatedBy: max(s.CreatedByID, 1),
	}
	if s.Description != nil {
		d := *s.Description
		src.description = &d
	}
	if s.UpdateCost != nil {
		cost := *s.UpdateCost
		src.cost = &cost
	}
	for _, st := range c.Settings {
		if v, ok := s.Settings[st.Code]; ok {
			src.set(p, 0, st, v)
		}
	}
	return src
}

var sourceSchema = schema{
	{"id", "integer", true, true, false},
	{"title", "string", true, false, false},
	{"type", "string", true, true, false},
	{"code", "string", true, true, false},
	{"description", "string", false, false, false},
	{"active", "boolean", false, false, false},
	{"dateCreate", "datetime", true, true, false},
	{"dateUpdate", "datetime", true, true, false},
	{"createdById", "integer", true, true, false},
	{"updatedById", "integer", true, true, false},
	{"connectorId", "integer", true, false, true},
	{"settings", "array", true, false, false},
}

func (s *source) value(p *Portal, name string) any {
	switch name {
	case "id":
		return s.id
	case "title":
		return s.title
	case "type":
		return "rest"
	case "code":
		return "rest_" + idText(s.connectorID)
	case "description":
		if s.description == nil {
			return p.unset("")
		}
		return *s.description
	case "active":
		return s.active
	case "dateCreate":
		return dateText(s.created)
	case "dateUpdate":
		return dateText(s.updated)
	case "createdById":
		return s.createdBy
	case "updatedById":
		return s.updatedBy
	case "connectorId":
		return s.connectorID
	case "settings":
		if len(s.settings) == 0 {
			return nil // in lists; get has [] there
		}
		return s.params(p, true)
	}
	return nil
}

// params is the settings of a source as a list shows them, or get.
func (s *source) params(p *Portal, list bool) *php.Array {
	l := &php.Array{}
	for _, st := range s.settings {
		a := php.Dict("code", st.code, "name", st.name, "type", st.kind)
		if v, ok := p.showSetting(st.value, list); ok {
			a.Add("value", v)
		}
		if !list || p.cfg.NewKeys {
			a.Add("id", st.id)
		}
		l.Push(a)
		if p.cfg.DoubleSettings {
			l.Push(php.Dict("code", st.code, "name", st.name, "type", st.kind, "value", ""))
		}
	}
	return l
}

// source finds a source of the run's client: one on its connectors, whoever
// made it. p.mu is held.
func (r *run) source(id int64) *source {
	if s := r.p.sources.get(id); s != nil && s.owner == r.auth.client {
		return s
	}
	return nil
}

// checkCost is the execution time of a connection check.
func (p *Portal) checkCost(c *connector, s *source, connection map[string]string) time.Duration {
	switch {
	case s != nil && s.cost != nil:
		return *s.cost
	case s != nil && p.cfg.CostOf != nil:
		return p.cfg.CostOf(s.id)
	case c.CheckCost != nil:
		return *c.CheckCost
	}
	cost, found := p.cfg.UpdateCost, false
	for _, at := range append(slices.Collect(mapValues(connection)), c.URLCheck) {
		if u, err := url.Parse(at); err == nil && u.Host != "" {
			at = u.Hostname()
		}
		if d, ok := p.cfg.HostCosts[at]; ok && !found {
			cost, found = d, true
		}
	}
	return cost
}

// sourceList is biconnector.source.list.
func (r *run) sourceList(params *php.Array) (any, *apiError) {
	return list(r, &r.p.sources, r.p.schemas.source, params)
}

// sourceFields is biconnector.source.fields.
func (r *run) sourceFields(*php.Array) (any, *apiError) { return r.p.schemas.source.describe(), nil }

// sourceGet is biconnector.source.get. It alone nests what a source is.
func (r *run) sourceGet(params *php.Array) (any, *apiError) {
	id, err := checkID(params)
	if err != nil {
		return nil, err
	}
	if err := r.work(r.p.cfg.ReadCost); err != nil {
		return nil, err
	}
	p := r.p
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.sources.shown(id)
	if s == nil || s.owner != r.auth.client {
		return nil, errSourceNotFound
	}
	connection := p.item(s, []string{"id", "type", "code", "title", "description", "active",
		"dateCreate", "dateUpdate", "createdById", "updatedById"}, false, false)
	item := php.Dict("connection", connection, "connectorId", s.connectorID)
	if !slices.Contains(p.cfg.OmitKeys, "settings") {
		item.Add("settings", s.params(p, false))
	}
	return php.Dict("item", item), nil
}
