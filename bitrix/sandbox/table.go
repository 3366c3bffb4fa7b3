package sandbox

import (
	"cmp"
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
	t.Owner = p.sources.get(t.SourceID).Owner
	t.CreatedByID = max(t.CreatedByID, 1)
	p.lastBI = max(p.lastBI, t.ExternalID)
	t.Columns = slices.Clone(t.Columns)
	for i := range t.Columns {
		c := &t.Columns[i]
		if c.ID == 0 {
			p.lastColumn++
			c.ID = p.lastColumn
		}
		c.ExternalCode = cmp.Or(c.ExternalCode, c.Name)
		c.Visible = new(c.Visible == nil || *c.Visible)
	}
	return &table{Table: t, created: epoch}
}

// indexTable notes the names and columns of a table that is put or removed.
// p.mu is held.
func (p *Portal) indexTable(t *table, there bool) {
	if there {
		p.names[t.Name] = t.ID
	} else {
		delete(p.names, t.Name)
	}
	for _, c := range t.Columns {
		if there {
			p.columns[c.ID] = t.ID
		} else {
			delete(p.columns, c.ID)
		}
	}
}

var tableSchema = schema[*table]{
	{"id", "integer", true, true, false, func(_ *Portal, t *table) any { return t.ID }},
	{"sourceId", "integer", true, false, true, func(_ *Portal, t *table) any { return t.SourceID }},
	{"name", "string", true, false, true, func(_ *Portal, t *table) any { return t.Name }},
	{"type", "string", true, true, false, func(*Portal, *table) any { return "rest" }},
	{"description", "string", false, false, false, func(p *Portal, t *table) any { return p.unset(t.Description) }},
	{"externalName", "string", true, false, true, func(_ *Portal, t *table) any { return t.ExternalName }},
	{"externalCode", "string", true, false, true, func(_ *Portal, t *table) any { return t.ExternalCode }},
	{"externalId", "integer", true, true, false, func(_ *Portal, t *table) any { return t.ExternalID }},
	{"dateCreate", "datetime", true, true, false, func(_ *Portal, t *table) any { return dateText(t.created) }},
	{"dateUpdate", "datetime", true, true, false, func(_ *Portal, t *table) any { return dateText(t.updated) }},
	{"createdById", "integer", true, true, false, func(_ *Portal, t *table) any { return t.CreatedByID }},
	{"updatedById", "integer", true, true, false, func(_ *Portal, t *table) any { return t.updatedBy }},
	{"fields", "array", true, false, false, func(p *Portal, t *table) any { return t.columns(p) }},
	{"csvDelimiter", "hidden", false, true, false, func(*Portal, *table) any { return "" }},
	{"csvEncoding", "hidden", false, true, false, func(*Portal, *table) any { return "" }},
	{"csvHasHeaders", "hidden", false, true, false, func(*Portal, *table) any { return false }},
}

// columns are the columns of the table, in an answer.
func (t *table) columns(p *Portal) *php.Array {
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

// item has the columns, which a list lacks, and not the source, which a list
// alone shows.
func (t *table) item(p *Portal) *php.Array {
	names := []string{"id", "type", "name", "description", "externalCode", "externalName", "dateCreate", "dateUpdate",
		"createdById", "updatedById", "externalId"}
	if p.cfg.NewKeys {
		names = append(names, "csvDelimiter", "csvEncoding", "csvHasHeaders")
	}
	return p.tables.schema.item(p, t, append(names, "fields"))
}
