package sandbox

import (
	"maps"
	"net/url"
	"slices"
	"time"

	"syncsources/bitrix/sandbox/php"
)

// source is a source as the portal holds it.
type source struct {
	Source    // without its settings, and always with a flag
	settings  []param
	created   time.Time
	updated   time.Time
	updatedBy int64
}

// param is a stored setting of a source. Its name and type are copied from the
// connector when a value is first stored, and stay when the connector changes.
type param struct {
	id               int64
	code, name, kind string
	value            string
}

func (s *source) key() (int64, string, int64) { return s.ID, s.Owner, s.ConnectorID }

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
	c, values := p.connectors.get(s.ConnectorID), s.Settings
	s.Settings, s.Owner, s.CreatedByID = nil, c.Owner, max(s.CreatedByID, 1)
	s.Active, s.Description, s.UpdateCost = new(s.Active == nil || *s.Active), copied(s.Description), copied(s.UpdateCost)
	src := &source{Source: s, created: epoch, updated: epoch, updatedBy: s.CreatedByID}
	for _, st := range c.Settings {
		if v, ok := values[st.Code]; ok {
			src.set(p, 0, st, v)
		}
	}
	return src
}

func copied[T any](p *T) *T {
	if p == nil {
		return nil
	}
	return new(*p)
}

var sourceSchema = schema[*source]{
	{"id", "integer", true, true, false, func(_ *Portal, s *source) any { return s.ID }},
	{"title", "string", true, false, false, func(_ *Portal, s *source) any { return s.Title }},
	{"type", "string", true, true, false, func(*Portal, *source) any { return "rest" }},
	{"code", "string", true, true, false, func(_ *Portal, s *source) any { return "rest_" + php.String(s.ConnectorID) }},
	{"description", "string", false, false, false, func(p *Portal, s *source) any {
		if s.Description == nil {
			return p.unset("")
		}
		return *s.Description
	}},
	{"active", "boolean", false, false, false, func(_ *Portal, s *source) any { return *s.Active }},
	{"dateCreate", "datetime", true, true, false, func(_ *Portal, s *source) any { return dateText(s.created) }},
	{"dateUpdate", "datetime", true, true, false, func(_ *Portal, s *source) any { return dateText(s.updated) }},
	{"createdById", "integer", true, true, false, func(_ *Portal, s *source) any { return s.CreatedByID }},
	{"updatedById", "integer", true, true, false, func(_ *Portal, s *source) any { return s.updatedBy }},
	{"connectorId", "integer", true, false, true, func(_ *Portal, s *source) any { return s.ConnectorID }},
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
	item := php.Dict("connection", connection, "connectorId", s.ConnectorID)
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
	case s.UpdateCost != nil:
		return *s.UpdateCost
	case s.ID != 0 && p.cfg.CostOf != nil:
		return p.cfg.CostOf(s.ID)
	case c.CheckCost != nil:
		return *c.CheckCost
	}
	var addresses []string
	for _, code := range slices.Sorted(maps.Keys(connection)) {
		addresses = append(addresses, connection[code])
	}
	for _, at := range append(addresses, c.URLCheck) {
		if u, err := url.Parse(at); err == nil && u.Host != "" {
			at = u.Hostname()
		}
		if cost, ok := p.cfg.HostCosts[at]; ok {
			return cost
		}
	}
	return p.cfg.UpdateCost
}
