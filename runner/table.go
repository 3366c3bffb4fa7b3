package runner

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"syncsources/bitrix"
	"syncsources/manifest"
)

var tables = define(kind{
	name:     KindTable,
	notFound: Failure{Code: "DATASET_NOT_FOUND", Message: "Dataset was not found."},
	list:     bitrix.ListTables,
	group:    1, // a list does not show columns
	read:     func(f bitrix.Family, ids []int64) bitrix.Query { return bitrix.GetTable(f, ids[0]) },
	decode: func(_ []int64, answer json.RawMessage) (map[int64]any, map[int64]error, error) {
		t, err := bitrix.DecodeTable(answer)
		if err != nil {
			return nil, nil, err
		}
		return map[int64]any{t.ID: &t}, nil, nil
	},
	removing: func(o liveObject, f bitrix.Family) subject { return &table{live: o.whole.(*bitrix.Table), family: f} },
}, bitrix.DecodeTables, func(l *Live) map[int64]*bitrix.Table { return l.Tables },
	func(t *bitrix.Table) liveObject {
		return liveObject{id: t.ID, title: t.Name, parent: t.SourceID, created: t.DateCreate, by: t.CreatedByID}
	})

// table is the subject of a table.
type table struct {
	desired *manifest.Table // nil: only to be removed
	live    *bitrix.Table   // nil: not there
	family  bitrix.Family
	parent  *step // its source, where the manifests declare it
	source  int64 // the live one's id, where they do not
	prune   bool  // columns that are not declared go
	added   bool  // by this run, so that all of it must show
}

func (t *table) take(live any) {
	found, _ := live.(*bitrix.Table)
	if found != nil && t.live != nil && found.SourceID == 0 {
		found.SourceID = t.live.SourceID // only a list shows it
	}
	t.live = found
}

func (t *table) belongsTo() int64 {
	if t.parent != nil {
		return t.parent.id
	}
	return t.source
}

func (t *table) compare() ([]difference, *Failure) {
	d, live, f := t.desired, t.live, fields{created: t.live == nil}
	if live == nil {
		live = &bitrix.Table{}
		f.list = append(f.list, difference{path: "externalName", to: textValue(*d.ExternalName)}, difference{path: "externalCode", to: textValue(*d.ExternalCode)})
	} else if t.added {
		f.text("name", &d.Name, live.Name)
		f.text("externalName", d.ExternalName, live.ExternalName)
		f.text("externalCode", d.ExternalCode, live.ExternalCode)
	}
	f.text("description", d.Description, live.Description)
	return append(f.list, t.compareColumns(live.Columns)...), nil
}

// columnType is a column as plans show it: int "amount".
func columnType(kind, externalCode string) string { return fmt.Sprintf("%s %q", kind, externalCode) }

// compareColumns compares columns by their names. A column of another type or
// code can only be replaced, which takes --prune.
func (t *table) compareColumns(shown []bitrix.Column) []difference {
	if t.desired.Columns == nil {
		return nil
	}
	live := make(map[string]*bitrix.Column, len(shown))
	for i := range shown {
		live[shown[i].Name] = &shown[i]
	}
	var diffs []difference
	declared := make(map[string]bool, len(t.desired.Columns))
	for _, c := range t.desired.Columns {
		declared[c.Name] = true
		to := textValue(columnType(c.Type, c.ExternalCode))
		was, ok := live[c.Name]
		visible := ok && was.Visible
		switch {
		case !ok:
			diffs = append(diffs, difference{path: columnPath(c.Name), code: c.Name, to: to})
			visible = true // new ones are
		case was.Type != c.Type || was.ExternalCode != c.ExternalCode:
			diffs = append(diffs, difference{path: columnPath(c.Name), code: c.Name,
				from: textValue(columnType(was.Type, was.ExternalCode)), to: to, replace: true})
			visible = true
		}
		if c.Visible != nil && *c.Visible != visible {
			diff := difference{path: columnPath(c.Name) + ".visible", code: c.Name, to: boolValue(*c.Visible)}
			if ok {
				diff.from = boolValue(was.Visible)
			}
			diffs = append(diffs, diff)
		}
	}
	for _, c := range shown {
		if t.prune && !declared[c.Name] {
			diffs = append(diffs, difference{path: columnPath(c.Name), code: c.Name, from: textValue(columnType(c.Type, c.ExternalCode))})
		}
	}
	return diffs
}

// check names all that the portal cannot change.
func (t *table) check(diffs []difference) *Failure {
	if t.live == nil {
		return nil
	}
	d := t.desired
	var fixed []string
	if id := t.belongsTo(); t.live.SourceID != 0 && id != t.live.SourceID {
		fixed = append(fixed, fmt.Sprintf("source (#%d, declared %s)", t.live.SourceID, target(t.parent, id)))
	}
	if d.ExternalName != nil && *d.ExternalName != t.live.ExternalName {
		fixed = append(fixed, fmt.Sprintf("externalName (%q, declared %q)", t.live.ExternalName, *d.ExternalName))
	}
	if d.ExternalCode != nil && *d.ExternalCode != t.live.ExternalCode {
		fixed = append(fixed, fmt.Sprintf("externalCode (%q, declared %q)", t.live.ExternalCode, *d.ExternalCode))
	}
	var hints []string
	if fixed != nil {
		hints = append(hints, "declare what is live, or remove the table and create it under another name; reports on it lose their data")
	}
	ofTable := len(fixed)
	for _, diff := range diffs {
		switch was := t.taken(diff); {
		case t.prune:
		case diff.replace:
			fixed = append(fixed, fmt.Sprintf("column %s (%s, declared %s)", diff.code, diff.from.plain(), diff.to.plain()))
		case was != "":
			fixed = append(fixed, fmt.Sprintf("the name of column %s (its externalCode is declared for %s)", was, diff.code))
		}
	}
	if len(fixed) > ofTable {
		hints = append(hints, "declare what is live, or let --prune replace the column; reports that use it lose it for a moment")
	}
	if fixed == nil {
		return nil
	}
	return &Failure{Code: CodeImmutable, Message: "the portal cannot change " + strings.Join(fixed, ", "), Hint: strings.Join(hints, "; ")}
}

// taken returns the live column whose externalCode a new column is to have.
func (t *table) taken(d difference) string {
	for _, live := range t.live.Columns {
		if d.path == columnPath(d.code) && d.from.kind == nothing && live.ExternalCode == t.column(d.code).ExternalCode {
			return live.Name
		}
	}
	return ""
}

func (t *table) create() bitrix.Write {
	t.added = true
	d := t.desired
	f := bitrix.TableFields{
		SourceID: t.belongsTo(), Name: d.Name, ExternalName: *d.ExternalName, ExternalCode: *d.ExternalCode, Description: d.Description,
	}
	for _, c := range d.Columns {
		f.Columns = append(f.Columns, bitrix.Column{Name: c.Name, Type: c.Type, ExternalCode: c.ExternalCode})
	}
	return bitrix.AddTable(t.family, f)
}

// writes are the update of the description, and one or two of the columns:
// what is replaced must be deleted in a call before the one that adds it,
// because the portal compares new names with those before the deletion.
func (t *table) writes(diffs []difference) []write {
	ids := make(map[string]int64, len(t.live.Columns))
	for _, c := range t.live.Columns {
		ids[c.Name] = c.ID
	}
	var list []write
	var first, second bitrix.ColumnChanges
	var paths, later []string
	deletes, apart := false, false
	for _, d := range diffs {
		column := t.column(d.code)
		switch {
		case d.path == "name", d.path == "externalName", d.path == "externalCode": // nothing can change them
		case d.path == "description":
			list = append(list, write{command: bitrix.UpdateTable(t.family, t.live.ID, *t.desired.Description), paths: []string{d.path}})
		case strings.HasSuffix(d.path, ".visible"):
			if id, ok := ids[d.code]; ok && !replacedIn(diffs, d.code) {
				first.Visible = append(first.Visible, bitrix.ColumnVisibility{ID: id, Visible: d.to.plain() == "true"})
				paths = append(paths, d.path)
			} // of a new column: once it is there
		case d.to.kind == nothing || d.replace:
			first.Delete = append(first.Delete, ids[d.code])
			deletes = true
			if d.replace {
				apart = true
				second.Add = append(second.Add, column)
				later = append(later, d.path)
			} else {
				paths = append(paths, d.path)
			}
		default:
			apart = apart || t.taken(d) != ""
			second.Add = append(second.Add, column)
			later = append(later, d.path)
		}
	}
	if !apart {
		first.Add, second.Add = second.Add, nil
		paths, later = append(paths, later...), nil
	}
	if len(first.Add)+len(first.Visible)+len(first.Delete) > 0 {
		list = append(list, write{command: bitrix.UpdateColumns(t.family, t.live.ID, first), paths: paths, fresh: deletes})
	}
	if len(second.Add) > 0 {
		list = append(list, write{command: bitrix.UpdateColumns(t.family, t.live.ID, second), paths: later})
	}
	return list
}

func replacedIn(diffs []difference, name string) bool {
	return slices.ContainsFunc(diffs, func(d difference) bool { return d.code == name && d.replace })
}

// column is the declared column of this name as the portal takes it.
func (t *table) column(name string) bitrix.Column {
	for _, c := range t.desired.Columns {
		if c.Name == name {
			return bitrix.Column{Name: c.Name, Type: c.Type, ExternalCode: c.ExternalCode}
		}
	}
	return bitrix.Column{}
}

func (t *table) remove() bitrix.Write { return bitrix.DeleteTable(t.family, t.live.ID) }

func (t *table) lookup() bitrix.Query { return bitrix.TablesByName(t.family, t.desired.Name) }

// lookupNewer has nothing to look for: names are stored as they are.
func (t *table) lookupNewer(int64) (bitrix.Query, bool) { return bitrix.Query{}, false }

func (t *table) notes(diffs []difference) []string {
	var notes []string
	for _, d := range diffs {
		if notes == nil && (d.replace || d.to.kind == nothing) {
			notes = []string{"reports that use a column that is removed or replaced lose it"}
		}
		if d.replace && t.hidden(d.code) && find(diffs, d.path+".visible") == nil {
			notes = append(notes, fmt.Sprintf("column %s is hidden, and the one that replaces it will be visible", d.code))
		}
	}
	return notes
}

// hidden reports whether the live column of this name is not visible.
func (t *table) hidden(name string) bool {
	return slices.ContainsFunc(t.live.Columns, func(c bitrix.Column) bool { return c.Name == name && !c.Visible })
}
