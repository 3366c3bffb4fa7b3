package sandbox

import (
	"net/http"
	"slices"
	"sort"
	"strings"

	"syncsources/bitrix/sandbox/php"
)

// pageSize is the length of a page of a list. The end is a page that is
// shorter: there is no total and no offset of the next.
const pageSize = 50

// dateFormat is how the biconnector methods write times.
const dateFormat = "2006-01-02 15:04:05"

// row is an item of a list.
type row interface {
	// value is a field as a list shows it.
	value(name string) any
	item(names []string) *php.Array
}

// listing is a request for a list: select, filter, order, page.
type listing struct {
	fields []string
	filter *php.Array
	kinds  []field
	order  []orderBy
	number int // of the page, from 1
}

type orderBy struct {
	field string
	desc  bool
}

// readListing reads the parameters of a list method. Like the server it looks
// at select first, then filter, then order; parameters that it does not know,
// "start" among them, are not looked at.
func readListing(params *php.Array, kinds []field) (*listing, *apiError) {
	q := &listing{fields: fieldNames(kinds), kinds: kinds, number: 1}
	for _, part := range []struct {
		name string
		read func(*php.Array) *apiError
	}{{"select", q.readSelect}, {"filter", q.checkFilter}, {"order", q.readOrder}} {
		v, _ := params.Get(part.name)
		if v == nil {
			continue
		}
		a, ok := v.(*php.Array)
		if !ok {
			return nil, errField(strings.ToUpper(part.name)+"_TYPE", "Parameter \"%s\" must be array.", part.name)
		}
		if err := part.read(a); err != nil {
			return nil, err
		}
		if part.name == "filter" {
			q.filter = a
		}
	}
	page, _ := params.Get("page")
	if n, ok := php.Numeric(page); ok && n > 1 {
		q.number = int(min(n, 1<<40))
	}
	return q, nil
}

func (q *listing) readSelect(a *php.Array) *apiError {
	var fields []string
	for _, v := range a.All() {
		name, _ := v.(string)
		switch _, ok := fieldOf(q.kinds, name); {
		case name == "*":
			fields = append(fields, fieldNames(q.kinds)...)
		case !ok:
			s, _ := php.Text(v)
			return errField("FIELD_NOT_ALLOWED_IN_SELECT", "Field \"%s\" is not allowed in the \"select\".", s)
		default:
			fields = append(fields, name)
		}
	}
	if fields != nil {
		q.fields = fields
	}
	return nil
}

func (q *listing) readOrder(a *php.Array) *apiError {
	for name := range a.All() {
		if _, ok := fieldOf(q.kinds, name); !ok {
			return errField("FIELD_NOT_ALLOWED_IN_ORDER", "Field \"%s\" is not allowed in the \"order\".", name)
		}
	}
	for name, v := range a.All() {
		if name == "settings" {
			continue // cannot be ordered by, and is no mistake
		}
		direction, _ := php.Text(v)
		switch direction = strings.ToUpper(direction); direction {
		case "ASC", "DESC":
			q.order = append(q.order, orderBy{name, direction == "DESC"})
		default:
			// Not the module, the database layer below it says so.
			return &apiError{http.StatusBadRequest, "ERROR_ARGUMENT", "Invalid order \"" + direction + "\""}
		}
	}
	return nil
}

// page filters and sorts the rows, which come by rising id, and returns the
// page asked for.
func (q *listing) page(rows []row) *php.Array {
	if q.filter != nil {
		kept := rows[:0:0]
		for _, r := range rows {
			if q.matches(q.filter, r) {
				kept = append(kept, r)
			}
		}
		rows = kept
	}
	if len(q.order) > 0 {
		rows = slices.Clone(rows)
		sort.SliceStable(rows, func(i, j int) bool {
			for _, o := range q.order {
				if c := compare(q.kind(o.field), rows[i].value(o.field), rows[j].value(o.field)); c != 0 {
					return (c < 0) != o.desc
				}
			}
			return false
		})
	}
	out := &php.Array{}
	from := min((q.number-1)*pageSize, len(rows))
	for _, r := range rows[from:min(from+pageSize, len(rows))] {
		out.Push(r.item(q.fields))
	}
	return out
}

func (q *listing) kind(name string) string {
	f, _ := fieldOf(q.kinds, name)
	return f.kind
}

// byID reports whether the rows are wanted in the order of their ids.
func (q *listing) byID() bool {
	return len(q.order) == 0 || q.order[0] == orderBy{field: "id"}
}
