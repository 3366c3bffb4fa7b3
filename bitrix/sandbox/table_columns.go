package sandbox

import (
	"slices"
	"strings"

	"syncsources/bitrix/sandbox/php"
)

// columnChanges are what a call of fields.update asks for.
type columnChanges struct {
	add     *php.Array
	visible map[int64]bool
	delete  []int64
}

// readColumnChanges checks the shape of each list; what is no list counts as
// not sent.
func readColumnChanges(params *php.Array) (*columnChanges, *apiError) {
	c := &columnChanges{add: params.Sub("add"), visible: map[int64]bool{}}
	for _, v := range c.add.All() {
		if a, _ := v.(*php.Array); !a.IsSet("name") || !a.IsSet("externalCode") || !a.IsSet("type") {
			return nil, errValidation("FIELD_ADD_MISSING_REQUIRED_FIELDS", `Field to be added must include the required parameters: "name", "externalCode" and "type".`)
		}
	}
	for _, v := range params.Sub("update").All() {
		a, _ := v.(*php.Array)
		if !a.IsSet("id") || !a.IsSet("visible") {
			return nil, errValidation("FIELD_UPDATE_MISSING_REQUIRED_FIELDS", `Field to be updated must include the required parameters: "id" and "visible".`)
		}
		visible, _ := a.Get("visible")
		c.visible[a.Int("id")] = !php.Empty(visible) // cast, not checked: "false" and "N" show
	}
	for _, v := range params.Sub("delete").All() {
		n, ok := php.Numeric(v)
		if !ok || n < 1 {
			return nil, errValidation("FIELD_DELETE_INVALID_ID", "ID to be deleted must be a positive integer.")
		}
		c.delete = append(c.delete, n)
	}
	return c, nil
}

// tableFieldsUpdate is table.fields.update: visibility, then new columns, then
// deletions, all or nothing. A column is deleted by its id alone, whosever
// table it is in. The dates of the table stay. After the commit, be it of
// nothing, the portal notifies BI Builder, and its failure is reported although
// all is done.
func (r *run) tableFieldsUpdate(params *php.Array) (any, *apiError) {
	id, err := checkID(params)
	if err != nil {
		return nil, err
	}
	changes, err := readColumnChanges(params)
	if err != nil {
		return nil, err
	}
	p := r.p
	faulty := p.drawFault(faultySync, "biconnector.table.fields.update", params, nil) != nil
	if err := r.work(p.cfg.WriteCost); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	old, err := own(r, &p.tables, id)
	if err != nil {
		return nil, err
	}
	added, err := p.readColumns(changes.add)
	if err != nil {
		return nil, err
	}
	// What is there is looked at before the deletion: a column cannot be
	// deleted and added in one call.
	for _, c := range []struct {
		code, word string
		of         func(Column) string
	}{
		{"CODE", "externalCode", func(c Column) string { return c.ExternalCode }},
		{"NAME", "name", func(c Column) string { return c.Name }},
	} {
		var twice []string
		for _, a := range added {
			if slices.ContainsFunc(old.Columns, func(o Column) bool { return c.of(o) == c.of(a) }) {
				twice = append(twice, c.of(a))
			}
		}
		if twice != nil {
			return nil, errValidation("DUPLICATE_EXIST_"+c.code, "The following \"%s\" values already exist in the current fields: %s", c.word, strings.Join(twice, ", "))
		}
	}
	t := *old
	t.Columns = slices.Clone(t.Columns)
	for i := range t.Columns {
		if v, ok := changes.visible[t.Columns[i].ID]; ok {
			t.Columns[i].Visible = &v
		}
	}
	p.numberColumns(added)
	t.Columns = append(t.Columns, added...)
	p.tables.put(&t)
	for _, id := range changes.delete {
		p.deleteColumn(id)
	}
	p.stats.Writes["biconnector.table.fields.update"]++
	switch {
	case (p.cfg.SyncFails || faulty) && p.cfg.TextCodes:
		return nil, &apiError{code: "DATASET_UPDATE_ERROR", desc: "Error updating dataset."}
	case p.cfg.SyncFails || faulty:
		return nil, &apiError{desc: "Table was not found."}
	}
	return true, nil
}

// deleteColumn deletes a column of whatever table. p.mu is held.
func (p *Portal) deleteColumn(id int64) {
	old := p.tables.get(p.columns[id])
	if old == nil {
		return
	}
	t := *old
	t.Columns = slices.DeleteFunc(slices.Clone(t.Columns), func(c Column) bool { return c.ID == id })
	p.tables.put(&t)
}
