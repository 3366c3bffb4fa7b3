package sandbox

import (
	"net/http"
	"slices"
	"sort"
	"strings"
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
	item(names []string) *array
}

// listing is a request for a list: select, filter, order, page.
type listing struct {
	fields []string
	filter *array
	kinds  []field
	order  []orderBy
	number int // of the page, from 1
}

type orderBy struct {
	field string
	desc  bool
}

// readListing reads the parameters of a list method. Their names may stand in
// any case of letters, as the pages' own examples have them; unknown ones are
// ignored.
func readListing(params *array, kinds []field) (*listing, *apiError) {
	q := &listing{fields: fieldNames(kinds), kinds: kinds, number: 1}
	for i, k := range params.keys {
		v := params.vals[i]
		a, isArray := v.(*array)
		switch name := strings.ToLower(k); name {
		case "select", "filter", "order":
			if v != nil && !isArray {
				return nil, errField(strings.ToUpper(name)+"_TYPE", "Parameter \"%s\" must be array.", name)
			}
			var err *apiError
			switch {
			case a.len() == 0:
			case name == "select":
				err = q.readSelect(a)
			case name == "filter":
				q.filter = a
				err = q.checkFilter(a)
			default:
				err = q.readOrder(a)
			}
			if err != nil {
				return nil, err
			}
		case "page":
			if n, ok := positive(v); ok {
				q.number = int(min(n, 1<<40))
			}
		}
	}
	return q, nil
}

func (q *listing) readSelect(a *array) *apiError {
	q.fields = nil
	for _, v := range a.vals {
		name, _ := text(v)
		if _, ok := fieldOf(q.kinds, name); !ok {
			return errField("FIELD_NOT_ALLOWED_IN_SELECT", "Field \"%s\" is not allowed in the \"select\".", name)
		}
		q.fields = append(q.fields, name)
	}
	return nil
}

func (q *listing) readOrder(a *array) *apiError {
	for i, name := range a.keys {
		if _, ok := fieldOf(q.kinds, name); !ok || name == "settings" {
			return errField("FIELD_NOT_ALLOWED_IN_ORDER", "Field \"%s\" is not allowed in the \"order\".", name)
		}
		direction, _ := text(a.vals[i])
		switch strings.ToUpper(direction) {
		case "ASC":
			q.order = append(q.order, orderBy{name, false})
		case "DESC":
			q.order = append(q.order, orderBy{name, true})
		default:
			// Not the module, the database layer below it says so.
			return &apiError{http.StatusBadRequest, "ERROR_ARGUMENT", "Invalid order \"" + direction + "\""}
		}
	}
	return nil
}

// page filters and sorts the rows, which come by rising id, and returns the
// page asked for.
func (q *listing) page(rows []row) *array {
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
	out := &array{}
	from := min((q.number-1)*pageSize, len(rows))
	for _, r := range rows[from:min(from+pageSize, len(rows))] {
		out.push(r.item(q.fields))
	}
	return out
}

func (q *listing) kind(name string) string {
	f, _ := fieldOf(q.kinds, name)
	return f.kind
}

// byID tells whether the rows are wanted in the order of their ids.
func (q *listing) byID() bool {
	return len(q.order) == 0 || q.order[0] == orderBy{field: "id"}
}
