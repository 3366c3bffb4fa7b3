package sandbox

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"syncsources/bitrix/sandbox/php"
)

// pageSize is the length of a page of a list. The end is a page that is
// shorter: there is no total and no offset of the next.
const pageSize = 50

// dateText is how the biconnector methods write times; null is one that is
// not set.
func dateText(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}

// listing is a request for a list: select, filter, order, page.
type listing[T object] struct {
	schema schema[T]
	fields []string
	dates  bool // the select names fields: dates come out as PHP objects
	filter []condition
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
func readListing[T object](params *php.Array, fields schema[T]) (*listing[T], *apiError) {
	fields = fields.without("fields")
	q := &listing[T]{schema: fields, fields: fields.names(), number: 1}
	var filter *php.Array
	for _, part := range []struct {
		name string
		read func(*php.Array) *apiError
	}{{"select", q.readSelect}, {"filter", func(a *php.Array) *apiError { filter = a; return q.allowFilter(a) }}, {"order", q.readOrder}} {
		v, _ := params.Get(part.name)
		if v == nil {
			continue
		}
		a, ok := v.(*php.Array)
		if !ok {
			return nil, errValidation(strings.ToUpper(part.name)+"_TYPE", "Parameter \"%s\" must be array.", part.name)
		}
		if err := part.read(a); err != nil {
			return nil, err
		}
	}
	page, _ := params.Get("page")
	if n, ok := php.Numeric(page); ok && n > 1 {
		q.number = int(min(n, 1<<40))
	}
	return q, q.readFilter(filter)
}

// allowed reports whether a name is a field. The columns of a table are one
// that lists ignore.
func (q *listing[T]) allowed(name string) bool {
	return q.schema.has(name) || name == "fields" && q.schema.has("sourceId")
}

// readSelect reads what to show. The id comes along unasked, except where
// nothing but settings is wanted; "*" beside others lets appId out.
func (q *listing[T]) readSelect(a *php.Array) *apiError {
	var fields []string
	for _, v := range a.All() {
		name, _ := v.(string)
		switch {
		case name == "*":
			fields = append(fields, q.schema.names()...)
			if q.schema.has("logo") && a.Len() > 1 {
				fields = append(fields, "appId")
			}
		case !q.allowed(name):
			return errValidation("FIELD_NOT_ALLOWED_IN_SELECT", "Field \"%s\" is not allowed in the \"select\".", php.String(v))
		case name != "fields":
			fields = append(fields, name)
			q.dates = q.schema.has("dateUpdate")
		}
	}
	if fields == nil {
		return nil
	}
	if !slices.Contains(fields, "id") && !slices.Equal(fields, []string{"settings"}) {
		fields = append([]string{"id"}, fields...)
	}
	q.fields = fields
	return nil
}

func (q *listing[T]) readOrder(a *php.Array) *apiError {
	for name := range a.All() {
		if !q.allowed(name) {
			return errValidation("FIELD_NOT_ALLOWED_IN_ORDER", "Field \"%s\" is not allowed in the \"order\".", name)
		}
	}
	for name, v := range a.All() {
		if name == "settings" || name == "fields" {
			continue // cannot be ordered by, and is no mistake
		}
		switch direction := strings.ToUpper(php.String(v)); direction {
		case "ASC", "DESC":
			q.order = append(q.order, orderBy{name, direction == "DESC"})
		default:
			// Not the module, the database layer below it says so.
			return &apiError{status: http.StatusBadRequest, code: "ERROR_ARGUMENT", desc: "Invalid order \"" + direction + "\""}
		}
	}
	return nil
}

// list is the list methods: a bare array of the objects that the run's client
// sees.
func list[T object](r *run, s *store[T], params *php.Array) (any, *apiError) {
	q, err := readListing(params, s.schema)
	if err != nil {
		return nil, err
	}
	p := r.p
	if err := r.work(p.cfg.ReadCost); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	out := &php.Array{}
	skip := (q.number - 1) * pageSize
	for _, id := range sorted(q, p, s, candidates(q, s, r.auth.client)) {
		o, err := s.own(r.auth.client, s.shown(id))
		if err != nil || !q.matches(p, o) {
			continue
		}
		if skip--; skip >= 0 {
			continue
		}
		out.Push(q.item(p, o))
		if out.Len() == pageSize {
			break
		}
	}
	return out, nil
}

// candidates are the ids among which a list looks, rising: those that its
// filter names, or those in the range that it names of what hangs on one
// object, or of all that the application has. The filter is applied to them
// all the same.
func candidates[T object](q *listing[T], s *store[T], app string) []int64 {
	ids := s.apps[app]
	for _, c := range q.filter {
		switch {
		case c.field == "id" && c.equals():
			var named []int64
			for _, v := range c.values {
				named = insert(named, int64(number(v)))
			}
			return named
		case (c.field == "connectorId" || c.field == "sourceId") && c.equals() && len(c.values) == 1:
			ids = s.below[int64(number(c.values[0]))]
		}
	}
	for _, c := range q.filter {
		if c.field != "id" || len(c.values) != 1 {
			continue
		}
		bound := int64(number(c.values[0]))
		at, found := slices.BinarySearch(ids, bound)
		if found && (c.op == ">" || c.op == "<=") {
			at++
		}
		switch c.op {
		case ">", ">=":
			ids = ids[at:]
		case "<", "<=":
			ids = ids[:at]
		}
	}
	return ids
}

// sorted puts candidates into the order asked for. Where none is asked for,
// none is promised: they come in an order that only the seed knows.
func sorted[T object](q *listing[T], p *Portal, s *store[T], ids []int64) []int64 {
	if len(q.order) > 0 && q.order[0] == (orderBy{field: "id"}) {
		return ids
	}
	ids = slices.Clone(ids)
	switch {
	case len(q.order) == 0:
		type lot struct {
			drawn float64
			id    int64
		}
		lots := make([]lot, len(ids))
		for i, id := range ids {
			lots[i] = lot{draw(p.cfg.Seed, 0, uint64(id)), id}
		}
		slices.SortFunc(lots, func(a, b lot) int { return cmp.Compare(a.drawn, b.drawn) })
		for i := range lots {
			ids[i] = lots[i].id
		}
	case q.order[0].field == "id":
		slices.Reverse(ids)
	default:
		var none T
		keys := make(map[int64][]any, len(ids))
		for _, id := range ids {
			keys[id] = make([]any, len(q.order))
			if o := s.shown(id); o != none {
				for i, by := range q.order {
					keys[id][i] = q.value(p, o, by.field)
				}
			}
		}
		slices.SortStableFunc(ids, func(a, b int64) int {
			for i, by := range q.order {
				if c := compare(q.kind(by.field), keys[a][i], keys[b][i]); c != 0 {
					if by.desc {
						return -c
					}
					return c
				}
			}
			return 0
		})
	}
	return ids
}

func (q *listing[T]) kind(name string) string {
	f, _ := q.schema.find(name)
	return f.kind
}

func (q *listing[T]) value(p *Portal, o T, name string) any {
	f, _ := q.schema.find(name)
	return f.of(p, o)
}

// item is an object in a list.
func (q *listing[T]) item(p *Portal, o T) *php.Array {
	a := q.schema.item(p, o, q.fields)
	for k, v := range a.All() {
		switch {
		case k == "id" && p.cfg.TextIDs:
			a.Set(k, php.String(v))
		case q.dates && (k == "dateCreate" || k == "dateUpdate"):
			a.Set(k, php.Object{})
		}
	}
	return a
}

// item is fields of an object in an answer.
func (s schema[T]) item(p *Portal, o T, names []string) *php.Array {
	a := php.Sized(len(names))
	for _, name := range names {
		if f, _ := s.find(name); !slices.Contains(p.cfg.OmitKeys, name) {
			a.Set(name, p.boolean(f.of(p, o)))
		}
	}
	return a
}

// boolean is a value as the portal writes booleans.
func (p *Portal) boolean(v any) any {
	if on, ok := v.(bool); ok && p.cfg.LetterBooleans {
		if on {
			return "Y"
		}
		return "N"
	}
	return v
}
