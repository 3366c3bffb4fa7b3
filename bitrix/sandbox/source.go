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
		src.description = new(*s.Description)
	}
	if s.UpdateCost != nil {
		src.cost = new(*s.UpdateCost)
	}
	for _, st := range c.Settings {
		if v, ok := s.Settings[st.Code]; ok {
			src.set(p, 0, st, v)
		}
	}
	return src
}

var sourceSchema = schema[*source]{
	{"id", "integer", true, true, false, func(_ *Portal, s *source) any { return s.id }},
	{"title", "string", true, false, false, func(_ *Portal, s *source) any { return s.title }},
	{"type", "string", true, true, false, func(*Portal, *source) any { return "rest" }},
	{"code", "string", true, true, false, func(_ *Portal, s *source) any { return "rest_" + php.String(s.connectorID) }},
	{"description", "string", false, false, false, func(p *Portal, s *source) any {
		if s.description == nil {
			return p.unset("")
		}
		return *s.description
	}},
	{"active", "boolean", false, false, false, func(_ *Portal, s *source) any { return s.active }},
	{"dateCreate", "datetime", true, true, false, func(_ *Portal, s *source) any { return dateText(s.created) }},
	{"dateUpdate", "datetime", true, true, false, func(_ *Portal, s *source) any { return dateText(s.updated) }},
	{"createdById", "integer", true, true, false, func(_ *Portal, s *source) any { return s.createdBy }},
	{"updatedById", "integer", true, true, false, func(_ *Portal, s *source) any { return s.updatedBy }},
	{"connectorId", "integer", true, false, true, func(_ *Portal, s *source) any { return s.connectorID }},
	{"settings", "array", true, false, false, func(p *Portal, s *source) any {
		if len(s.settings) == 0 {
			return nil // in lists; get has [] there
		}
		return s.params(p, true)
	}},
}

// item nests what a source is, as get alone does.
func (s *source) item(p *Portal) *php.Array {
	connection := p.sources.schema.item(p, s, []string{"id", "type", "code", "title", "description", "active",
		"dateCreate", "dateUpdate", "createdById", "updatedById"})
	item := php.Dict("connection", connection, "connectorId", s.connectorID)
	if !slices.Contains(p.cfg.OmitKeys, "settings") {
		item.Add("settings", s.params(p, false))
	}
	return item
}

// params is the settings of a source as a list shows them, or get.
func (s *source) params(p *Portal, list bool) *php.Array {
	l := php.Sized(len(s.settings))
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

// checkCost is the execution time of a connection check.
func (p *Portal) checkCost(c *connector, s *source, connection map[string]string) time.Duration {
	switch {
	case s.cost != nil:
		return *s.cost
	case s.id != 0 && p.cfg.CostOf != nil:
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
