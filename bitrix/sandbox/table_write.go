package sandbox

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"syncsources/bitrix/sandbox/php"
)

// Errors peculiar to tables. Their codes and texts still say dataset.
var (
	errTableNotFound = &apiError{code: "DATASET_NOT_FOUND", desc: "Dataset was not found."}
	errTableName     = errValidation("DATASET_NAME_INVALID", "Dataset name has to start with a lowercase Latin character. Possible entry includes lowercase Latin characters (a-z), numbers (0-9) and underscores.")
	errTableNameLong = errValidation("DATASET_NAME_TOO_LONG", "Dataset name must not exceed 230 characters.")
	errNoColumns     = &apiError{code: "FIELDS_EMPTY", desc: "$fields is empty"}
	// The quote at the end is the portal's.
	errColumnsInUpdate = &apiError{code: "INVALID_METHOD", desc: `Use the method "biconnector.dataset.fields.update" to update the dataset fields."`}
)

const maxTableName = 230

// tableAdd is table.add, and dataset.add, which also makes a BI Builder
// dataset. It calls no endpoint: that is the interface's habit. The
// names that are taken are read once for a request; a second table of one name
// in the same batch is the database's to refuse.
func (r *run) tableAdd(params *php.Array) (any, *apiError) {
	fields, err := r.p.tables.schema.checkFields(params, false)
	if err != nil {
		return nil, err
	}
	if err := r.work(r.p.cfg.WriteCost); err != nil {
		return nil, err
	}
	p := r.p
	p.mu.Lock()
	defer p.mu.Unlock()
	t := &table{created: time.Now(), Table: Table{
		SourceID: fields.Int("sourceId"), Name: fields.Text("name"), ExternalName: fields.Text("externalName"),
		ExternalCode: fields.Text("externalCode"), Description: fields.Text("description"), CreatedByID: r.auth.user,
	}}
	if !tableName.MatchString(t.Name) {
		return nil, errTableName
	}
	src, err := own(r, &p.sources, t.SourceID)
	if err != nil {
		return nil, err
	}
	t.Owner = src.Owner
	columns := fields.Sub("fields")
	if twice := repeated(columns, "name"); twice != "" {
		return nil, p.named("DUPLICATE_FIELDS", "Duplicate column names: %s", twice)
	}
	r.namesBelow = cmp.Or(r.namesBelow, p.tables.last+1)
	id, taken := p.names[t.Name]
	switch {
	case taken && id == 0 && p.cfg.TextCodes:
		return nil, &apiError{code: "DATASET_ALREADY_EXIST", desc: "Table with this name already exists."}
	case taken && (id < r.namesBelow || p.cfg.TextCodes):
		return nil, p.named("NAME_EXISTS", "A table named \"%s\" already exists.", t.Name)
	case columns.Len() == 0:
		return nil, errNoColumns
	}
	if t.Columns, err = p.readColumns(columns); err != nil {
		return nil, err
	}
	switch {
	case len(t.Name) > maxTableName:
		return nil, errTableNameLong
	case utf8.RuneCountInString(t.ExternalName) > 512:
		return nil, errTooLong("externalName", 512)
	case utf8.RuneCountInString(t.ExternalCode) > 512:
		return nil, errTooLong("externalCode", 512)
	case taken || len(t.Description) > maxText:
		return nil, errSQL
	}
	t.ID, t.Description = p.tables.last+1, p.text(t.Description)
	if r.old {
		p.lastBI++
		t.ExternalID = p.lastBI
	}
	p.numberColumns(t.Columns)
	p.tables.put(t)
	p.stats.Writes["biconnector.table.add"]++
	return php.Dict("id", t.ID), nil
}

// named is an error that has no code on the newest server whose code is
// public, and one in the newest documentation.
func (p *Portal) named(code, format string, args ...any) *apiError {
	if !p.cfg.TextCodes {
		code = ""
	}
	return &apiError{code: code, desc: fmt.Sprintf(format, args...)}
}

// repeated lists the values that a key has more than once in a list of
// columns, comma-separated, in the order in which they appear.
func repeated(columns *php.Array, key string) string {
	seen := map[string]int{}
	var twice []string
	for _, v := range columns.All() {
		column, _ := v.(*php.Array)
		if !column.IsSet(key) {
			continue
		}
		s := column.Text(key)
		if seen[s]++; seen[s] == 2 {
			twice = append(twice, s)
		}
	}
	return strings.Join(twice, ", ")
}

// readColumns reads columns to be added. All of them start visible.
func (p *Portal) readColumns(sent *php.Array) ([]Column, *apiError) {
	if twice := repeated(sent, "externalCode"); twice != "" {
		return nil, errValidation("DUPLICATE_FIELD_CODE", "Duplicate values found in the \"code\" parameter: %s", twice)
	}
	if twice := repeated(sent, "name"); twice != "" {
		return nil, errValidation("DUPLICATE_FIELD_NAME", "Duplicate values found in the \"name\" parameter: %s", twice)
	}
	var columns []Column
	for _, v := range sent.All() {
		a, _ := v.(*php.Array)
		c := Column{Name: a.Text("name"), ExternalCode: a.Text("externalCode"), Type: a.Text("type"), Visible: new(true)}
		switch {
		case !hasKeys(a):
			return nil, errValidation("FIELD_MISSING_REQUIRED_PARAMETERS", `Field must include the required parameters: "name", "externalCode" and "type".`)
		case !columnName.MatchString(c.Name):
			return nil, errValidation("FIELD_NAME_INVALID_FORMAT", `Field "name" has to start with an uppercase Latin character. Possible entry includes uppercase Latin characters (A-Z), numbers (0-9) and underscores.`)
		case len(c.Name) > 32:
			return nil, errValidation("FIELD_NAME_TOO_LONG", `Field "name" must not exceed 32 characters.`)
		case !slices.Contains(columnTypes, c.Type) || c.Type == "timezone" && p.cfg.NoTableMethods:
			return nil, errValidation("FIELD_INVALID_TYPE", "Invalid field type.")
		}
		columns = append(columns, c)
	}
	for _, c := range columns { // the database layer's own check, after all others
		if utf8.RuneCountInString(c.ExternalCode) > 512 {
			return nil, errTooLong("externalCode", 512)
		}
	}
	return columns, nil
}

// hasKeys reports whether a column to be added has its keys, be they null.
func hasKeys(a *php.Array) bool {
	return a.Has("name") && a.Has("externalCode") && a.Has("type")
}

func (p *Portal) numberColumns(columns []Column) {
	for i := range columns {
		p.lastColumn++
		columns[i].ID = p.lastColumn
	}
}

// tableUpdate is table.update: of the description, the only thing that can be
// updated.
func (r *run) tableUpdate(params *php.Array) (any, *apiError) {
	return update(r, &r.p.tables, params, func(old *table, fields *php.Array) (*table, *apiError) {
		if fields.Has("fields") {
			return nil, errColumnsInUpdate
		}
		t := *old
		if s := fields.Text("description"); fields.Has("description") {
			if len(s) > maxText {
				return nil, errSQL
			}
			t.Description = r.p.text(s)
		}
		t.updated, t.updatedBy = time.Now(), r.auth.user
		return &t, nil
	})
}

// tableDelete is table.delete, which leaves a BI Builder dataset on the table
// orphaned, and dataset.delete: since biconnector 26.250 that dies of a PHP
// error where there is BI Builder, and deletes nothing.
func (r *run) tableDelete(params *php.Array) (any, *apiError) {
	p := r.p
	if !r.old || p.cfg.DatasetDelete == DatasetDeleteWorks || p.cfg.DatasetDelete == "" && p.cfg.NoTableMethods {
		return remove(r, &p.tables, params, func(int64) int { return 0 }, nil)
	}
	return one(r, &p.tables, params, 0, p.tables.get, func(int64, *table) (any, *apiError) { return nil, errFatal })
}
