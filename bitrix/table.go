package bitrix

import (
	"encoding/json"
	"errors"
	"strings"

	"syncsources/bitrix/rest"
)

// Family is one of the two names that the portal has for the methods of the
// same tables. The older one is deprecated, creates and deletes a dataset of
// BI Builder along with the table, and on some portals cannot delete at all.
// The two must not be mixed in a batch: after one of them the portal runs the
// other's methods as its own.
type Family string

// The families. A portal that answers ERROR_METHOD_NOT_FOUND to the first
// (before April 2026) has the second alone.
const (
	Tables   Family = "biconnector.table"
	Datasets Family = "biconnector.dataset"
)

// Methods of tables, behind the name of a family.
func (f Family) method(name string) string { return string(f) + "." + name }

// Table is a table of a source as the portal shows it.
type Table struct {
	ID                         int64
	Name                       string // unique on the whole portal
	SourceID                   int64  // 0 in the answer to GetTable, which does not say
	ExternalName, ExternalCode string
	Description                string
	ExternalID                 int64 // of the dataset in BI Builder; 0: none
	CreatedByID                int64
	DateCreate                 string
	Columns                    []Column // in the answer to GetTable only
	Unclean                    []string // as of a Source
}

// Column is a column of a table. Name, type and code cannot be changed.
type Column struct {
	ID           int64
	Name         string
	Type         string // int, string, double, date, datetime, money, timezone
	ExternalCode string
	Visible      bool
}

// ListTables reads up to PageSize tables by rising id, without columns.
func ListTables(f Family, r Range) Query { return list(f.method("list"), r) }

// TablesByName finds the table of this name, if the application can see it.
// The portal's database may compare without regard to case.
func TablesByName(f Family, name string) Query {
	return list(f.method("list"), Range{}, rest.Param{Key: "=name", Value: name})
}

// GetTable reads one table with its columns.
func GetTable(f Family, id int64) Query { return Query{f.method("get"), byID(id)} }

// TableFields are the fields of an add.
type TableFields struct {
	SourceID                         int64
	Name, ExternalName, ExternalCode string
	Description                      *string
	Columns                          []Column // of which name, type and code are sent: all begin visible
}

// AddTable makes a table. No external system is asked.
func AddTable(f Family, t TableFields) Write {
	p := rest.Params{{Key: "sourceId", Value: t.SourceID}, {Key: "name", Value: t.Name}}
	p = optional(p, "description", t.Description)
	p = append(p, rest.Param{Key: "externalName", Value: t.ExternalName}, rest.Param{Key: "externalCode", Value: t.ExternalCode},
		rest.Param{Key: "fields", Value: newColumns(t.Columns)})
	w := adding(f.method("add"), p)
	w.readBack = alone
	return w
}

// NameTaken reports whether an add was refused because a table of this name is
// there already, on the whole portal. Portals have different codes for it, and
// some have none.
func NameTaken(err error) bool {
	var e *rest.Error
	if !errors.As(err, &e) {
		return false
	}
	return e.Code == "NAME_EXISTS" || e.Code == "DATASET_ALREADY_EXIST" || e.Code == rest.PortalError && strings.HasSuffix(e.Message, "already exists.")
}

// UpdateTable changes the description of the table id, the one field of it
// that can be changed. Older portals report an error of BI Builder although
// they have made the change.
func UpdateTable(f Family, id int64, description string) Write {
	w := updating(f.method("update"), id, rest.Params{{Key: "description", Value: description}})
	w.unsure = true
	return w
}

// DeleteTable deletes the table id. Nothing hinders it.
func DeleteTable(f Family, id int64) Write { return deleting(f.method("delete"), id) }

// ColumnChanges are changes of a table's columns, done in one transaction.
type ColumnChanges struct {
	Add     []Column // of which name, type and code are sent
	Visible []ColumnVisibility
	// Delete holds ids of columns. The portal does not check whose they are:
	// they must come from a GetTable of this table right before.
	Delete []int64
}

// ColumnVisibility shows or hides a column.
type ColumnVisibility struct {
	ID      int64
	Visible bool
}

// UpdateColumns changes the columns of the table id. The portal compares new
// names with those that are to be deleted: to replace a column takes two
// calls. After the changes the portal brings BI Builder up to date; where that
// fails, its error follows changes that were made (rest.Error.Unsure).
func UpdateColumns(f Family, id int64, c ColumnChanges) Write {
	p := byID(id)
	if len(c.Add) > 0 {
		p = append(p, rest.Param{Key: "add", Value: newColumns(c.Add)})
	}
	if len(c.Visible) > 0 {
		changed := make([]any, len(c.Visible))
		for i, v := range c.Visible {
			changed[i] = rest.Params{{Key: "id", Value: v.ID}, {Key: "visible", Value: v.Visible}}
		}
		p = append(p, rest.Param{Key: "update", Value: changed})
	}
	if len(c.Delete) > 0 {
		ids := make([]any, len(c.Delete))
		for i, column := range c.Delete {
			ids[i] = column
		}
		p = append(p, rest.Param{Key: "delete", Value: ids})
	}
	w := newWrite(f.method("fields.update"), id, p)
	w.readBack, w.unsure = alone, true
	return w
}

func newColumns(columns []Column) []any {
	out := make([]any, len(columns))
	for i, c := range columns {
		out[i] = rest.Params{{Key: "name", Value: c.Name}, {Key: "externalCode", Value: c.ExternalCode}, {Key: "type", Value: c.Type}}
	}
	return out
}

// DecodeTables reads the result of a list of tables. Errors are as with
// DecodeSources.
func DecodeTables(result json.RawMessage) (List[Table], error) {
	return decodeList(Tables.method("list"), result, func(value []byte) (Table, int64, error) {
		var t Table
		f := t.fields()
		f.integer("sourceId", &t.SourceID)
		err := f.read(value)
		t.Unclean = f.unclean
		return t, t.ID, err
	})
}

// DecodeTable reads the result of GetTable: {"item": {...}}. An error is a
// *rest.Error of code BadAnswer.
func DecodeTable(result json.RawMessage) (Table, error) {
	var t Table
	var item []byte
	err := rest.Members(result, func(key, value []byte) error {
		if string(key) == "item" {
			item = value
		}
		return nil
	})
	if err == nil && item == nil {
		err = rest.DecodeError("it has no item")
	}
	if err == nil {
		err = t.readWhole(item)
	}
	if err != nil {
		return Table{}, rest.BadResult(Tables.method("get"), err)
	}
	return t, nil
}

// fields are those that list and get both show.
func (t *Table) fields() *fields {
	f := newFields(10)
	f.optional("id", &t.ID)
	f.text("name", &t.Name)
	f.text("externalName", &t.ExternalName)
	f.text("externalCode", &t.ExternalCode)
	f.text("description", &t.Description)
	f.optional("externalId", &t.ExternalID)
	f.optional("createdById", &t.CreatedByID)
	f.optional("dateCreate", &t.DateCreate)
	return f
}

func (t *Table) readWhole(item []byte) error {
	t.Columns = []Column{}
	f := t.fields()
	f.each("fields", func(value []byte) error {
		var c Column
		visible := rest.Unsaid
		column := newFields(5)
		column.integer("id", &c.ID)
		column.text("name", &c.Name)
		column.text("type", &c.Type)
		column.text("externalCode", &c.ExternalCode)
		column.optional("visible", &visible)
		err := column.read(value)
		if err == nil && visible == rest.Unsaid {
			err = rest.DecodeError("a column does not say whether it is visible")
		}
		c.Visible = visible == rest.True
		t.Columns = append(t.Columns, c)
		f.clean("columns.", c.Name, c.Name, c.Type, c.ExternalCode)
		return err
	})
	err := f.read(item)
	if err == nil && t.ID <= 0 {
		err = rest.DecodeError("the item has no id")
	}
	if err == nil {
		err = repeated("the column", t.Columns, func(c *Column) string { return c.Name })
	}
	t.Unclean = f.unclean
	return err
}
