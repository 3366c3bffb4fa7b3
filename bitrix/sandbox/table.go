package sandbox

import (
	"regexp"
	"slices"
	"time"

	"syncsources/bitrix/sandbox/php"
)

// table is a table as the portal holds it. Older portals call it a dataset;
// a BI Builder dataset, which people build on it, is something else.
type table struct {
	Table
	created   time.Time
	updated   time.Time
	updatedBy int64
}

func (t *table) key() (int64, string, int64) { return t.ID, t.Owner, t.SourceID }

// What names may be.
var (
	tableName   = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	columnName  = regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`)
	columnTypes = []string{"int", "string", "double", "date", "datetime", "money", "timezone"}
)

// newTable makes a table of a checked state.
func (p *Portal) newTable(t Table) *table {
	t.Owner = p.sources.get(t.SourceID).owner
	t.CreatedByID = max(t.CreatedByID, 1)
	p.lastBI = max(p.lastBI, t.ExternalID)
	t.Columns = slices.Clone(t.Columns)
	for i := range t.Columns {
		c := &t.Columns[i]
		if c.ID == 0 {
			p.lastColumn++
			c.ID = p.lastColumn
		}
		if c.ExternalCode == "" {
			c.ExternalCode = c.Name
		}
		visible := c.Visible == nil || *c.Visible
		c.Visible = &visible
	}
	return &table{Table: t, created: epoch}
}

// putTable adds a table or replaces it. p.mu is held.
func (p *Portal) putTable(t *table) {
	if old := p.tables.get(t.ID); old != nil {
		p.forgetTable(old)
	}
	p.names[t.Name] = t.ID
	for _, c := range t.Columns {
		p.columns[c.ID] = t.ID
	}
	p.tables.put(t)
}

// removeTable takes a table away. p.mu is held.
func (p *Portal) removeTable(t *table) {
	p.forgetTable(t)
	p.tables.remove(t)
}

func (p *Portal) forgetTable(t *table) {
	delete(p.names, t.Name)
	for _, c := range t.Columns {
		delete(p.columns, c.ID)
	}
}

var tableSchema = schema{
	{"id", "integer", true, true, false},
	{"sourceId", "integer", true, false, true},
	{"name", "string", true, false, true},
	{"type", "string", true, true, false},
	{"description", "string", false, false, false},
	{"externalName", "string", true, false, true},
	{"externalCode", "string", true, false, true},
	{"externalId", "integer", true, true, false},
	{"dateCreate", "datetime", true, true, false},
	{"dateUpdate", "datetime", true, true, false},
	{"createdById", "integer", true, true, false},
	{"updatedById", "integer", true, true, false},
	{"fields", "array", true, false, false},
}

func (t *table) value(p *Portal, name string) any {
	switch name {
	case "id":
		return t.ID
	case "sourceId":
		return t.SourceID
	case "name":
		return t.Name
	case "type":
		return "rest"
	case "description":
		return p.unset(t.Description)
	case "externalName":
		return t.ExternalName
	case "externalCode":
		return t.ExternalCode
	case "externalId":
		return t.ExternalID
	case "dateCreate":
		return dateText(t.created)
	case "dateUpdate":
		return dateText(t.updated)
	case "createdById":
		return t.CreatedByID
	case "updatedById":
		return t.updatedBy
	case "csvDelimiter", "csvEncoding":
		return ""
	case "csvHasHeaders":
		return false
	case "fields":
		l := &php.Array{}
		for _, c := range t.Columns {
			a := php.Dict("id", c.ID, "datasetId", t.ID, "type", c.Type, "name", c.Name, "externalCode", c.ExternalCode, "visible", p.boolean(*c.Visible))
			if p.cfg.NewKeys {
				a.Add("description", "")
			}
			l.Push(a)
		}
		return l
	}
	return nil
}

// table finds a table of the run's client: one of a source on its connectors.
// p.mu is held.
func (r *run) table(id int64) *table {
	if t := r.p.tables.get(id); t != nil && t.Owner == r.auth.client {
		return t
	}
	return nil
}

// tableList is table.list: without the columns, and alone in showing to which
// source a table belongs.
func (r *run) tableList(params *php.Array) (any, *apiError) {
	return list(r, &r.p.tables, r.p.schemas.table, params)
}

// tableGet is table.get.
func (r *run) tableGet(params *php.Array) (any, *apiError) {
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
	t := p.tables.shown(id)
	if t == nil || t.Owner != r.auth.client {
		return nil, errTableNotFound
	}
	names := []string{"id", "type", "name", "description", "externalCode", "externalName", "dateCreate", "dateUpdate",
		"createdById", "updatedById", "externalId"}
	if p.cfg.NewKeys {
		names = append(names, "csvDelimiter", "csvEncoding", "csvHasHeaders")
	}
	return php.Dict("item", p.item(t, append(names, "fields"), false, false)), nil
}

// tableFields is table.fields.
func (r *run) tableFields(*php.Array) (any, *apiError) { return r.p.schemas.table.describe(), nil }
