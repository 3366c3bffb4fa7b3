package sandbox

import (
	"slices"

	"syncsources/bitrix/sandbox/php"
)

// value is a field of a source as a list shows it: the id is a text there.
func (s *source) value(name string) any {
	switch name {
	case "id":
		return idText(s.id)
	case "title":
		return s.title
	case "type":
		return "rest"
	case "code":
		return "rest_" + idText(s.connectorID)
	case "description":
		if s.description == nil {
			return nil
		}
		return *s.description
	case "active":
		return s.active
	case "dateCreate":
		return s.created.UTC().Format(dateFormat)
	case "dateUpdate":
		return s.updated.UTC().Format(dateFormat)
	case "createdById":
		return s.createdBy
	case "updatedById":
		return s.updatedBy
	case "connectorId":
		return s.connectorID
	}
	return nil
}

// params is the settings of a source, with their values in clear text.
func (s *source) params(c *connector, withID bool) *php.Array {
	l := &php.Array{}
	for _, p := range s.settings {
		st, _ := c.setting(p.code)
		a := php.Dict("code", p.code, "name", st.Name, "type", st.Type, "value", p.value)
		if withID {
			a.Add("id", p.id)
		}
		l.Push(a)
	}
	return l
}

// sourceRow is a source with its connector, as a list needs it.
type sourceRow struct {
	*source
	connector *connector
}

func (s sourceRow) item(names []string) *php.Array {
	a := &php.Array{}
	for _, n := range names {
		switch {
		case n != "settings":
			a.Add(n, s.value(n))
		case len(s.settings) == 0:
			a.Add(n, nil) // a source without any
		default:
			a.Add(n, s.params(s.connector, false))
		}
	}
	return a
}

// sourceList is biconnector.source.list: a bare array of flat items.
func (r *run) sourceList(params *php.Array) (any, *apiError) {
	q, err := readListing(params, sourceFields)
	if err != nil {
		return nil, err
	}
	if err := r.work(r.p.cfg.ReadCost); err != nil {
		return nil, err
	}
	r.p.mu.Lock()
	defer r.p.mu.Unlock()
	ids, filtered := r.candidates(q)
	if !filtered {
		q.filter = nil
		if q.byID() {
			from := min((q.number-1)*pageSize, len(ids))
			ids, q.number = ids[from:min(from+pageSize, len(ids))], 1
		}
	}
	rows := make([]row, 0, len(ids))
	for _, id := range ids {
		s := r.p.sources[id]
		rows = append(rows, sourceRow{s, r.p.connectors[s.connectorID]})
	}
	return q.page(rows), nil
}

// candidates are the ids among which a list looks: those that the filter
// names, if it does, else all of the client's; the larger the portal, the more
// that saves. filtered reports whether conditions remain to be looked at. p.mu is
// held.
func (r *run) candidates(q *listing) (ids []int64, filtered bool) {
	all := r.p.owned[r.auth.client]
	if _, ok := q.filter.Get("logic"); ok {
		return all, true
	}
	for key, v := range q.filter.All() {
		switch key {
		case "@id", "=id", "id":
		default:
			continue
		}
		named, ok := v.(*php.Array)
		switch {
		case !ok:
			named = php.List(v)
		case named.Len() == 0:
			continue // the server drops a condition without values
		}
		for _, v := range named.All() {
			if id := int64(number(v)); r.mine(id) != nil {
				ids = append(ids, id)
			}
		}
		slices.Sort(ids)
		return slices.Compact(ids), q.filter.Len() > 1
	}
	return all, q.filter.Len() > 0
}

// sourceFields is biconnector.source.fields.
func (r *run) sourceFields(*php.Array) (any, *apiError) { return describe(sourceFields), nil }

// sourceGet is biconnector.source.get.
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
	s := r.mine(id)
	if s == nil {
		return nil, errSourceNotFound
	}
	connection := php.Dict(
		"id", s.id, "type", "rest", "code", s.value("code"),
		"title", s.title, "description", s.value("description"), "active", s.active,
		"dateCreate", s.value("dateCreate"), "dateUpdate", s.value("dateUpdate"),
		"createdById", s.createdBy, "updatedById", s.updatedBy,
	)
	return php.Dict("item", php.Dict("connection", connection, "connectorId", s.connectorID,
		"settings", s.params(p.connectors[s.connectorID], true))), nil
}
