package sandbox

import (
	"cmp"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// operators are the prefixes of a filter's keys, longer ones first.
var operators = []string{">=", "<=", "!@", "!=", "=%", "%=", ">", "<", "@", "!", "%", "="}

// operator splits a key of a filter; without a prefix it means equal.
func operator(key string) (op, field string) {
	for _, op := range operators {
		if rest, ok := strings.CutPrefix(key, op); ok {
			return op, rest
		}
	}
	return "=", key
}

// checkFilter refuses unknown fields. Numbered keys hold filters of their own,
// joined by "logic".
func (q *listing) checkFilter(f *array) *apiError {
	for i, key := range f.keys {
		if sub, ok := f.vals[i].(*array); ok && isIndex(key) {
			if err := q.checkFilter(sub); err != nil {
				return err
			}
			continue
		}
		if strings.EqualFold(key, "logic") {
			if s, _ := text(f.vals[i]); s != "AND" && s != "OR" {
				return errField("INVALID_FILTER_LOGIC", "Field \"logic\" must be either \"AND\" or \"OR\".")
			}
			continue
		}
		_, name := operator(key)
		if _, ok := fieldOf(q.kinds, name); !ok {
			return errField("FIELD_NOT_ALLOWED_IN_FILTER", "Field \"%s\" is not allowed in the \"filter\".", name)
		}
	}
	return nil
}

func isIndex(key string) bool { _, ok := intKey(key); return ok }

// matches tells whether a row passes a filter: all of its conditions, or, with
// the logic OR, one of them. The field settings is ignored.
func (q *listing) matches(f *array, r row) bool {
	logic, _ := f.get("logic")
	or := logic == "OR"
	asked := false
	for i, key := range f.keys {
		op, name := operator(key)
		sub, nested := f.vals[i].(*array)
		var ok bool
		switch {
		case strings.EqualFold(key, "logic"), name == "settings":
			continue
		case nested && isIndex(key):
			ok = q.matches(sub, r)
		default:
			ok = holds(op, q.kind(name), r.value(name), f.vals[i])
		}
		if ok == or {
			return or
		}
		asked = true
	}
	return !or || !asked
}

// holds evaluates one condition. A list stands for any of its values, as with
// the prefix @.
func holds(op, kind string, have, want any) bool {
	switch op {
	case "!", "!=", "!@":
		return !holds("=", kind, have, want)
	}
	if l, ok := want.(*array); ok {
		for _, w := range l.vals {
			if holds("=", kind, have, w) {
				return true
			}
		}
		return false
	}
	switch op {
	case "%", "=%", "%=":
		pattern, _ := text(want)
		if op == "%" {
			pattern = "%" + pattern + "%"
		}
		s, _ := text(have)
		return like(pattern, s)
	}
	if have == nil || want == nil {
		// null equals the empty text here, and orders with nothing.
		h, _ := text(have)
		w, _ := text(want)
		return (op == "=" || op == "@") && h == w
	}
	c := compare(kind, have, want)
	switch op {
	case ">":
		return c > 0
	case ">=":
		return c >= 0
	case "<":
		return c < 0
	case "<=":
		return c <= 0
	}
	return c == 0
}

// compare orders two values as the column's type does: numbers as MySQL reads
// them, booleans with Y and N, texts without regard to case.
func compare(kind string, a, b any) int {
	switch kind {
	case "integer":
		return cmp.Compare(number(a), number(b))
	case "boolean":
		return cmp.Compare(truth(a), truth(b))
	}
	x, _ := text(a)
	y, _ := text(b)
	return strings.Compare(strings.ToLower(x), strings.ToLower(y))
}

func number(v any) float64 {
	s, _ := text(v)
	f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil || math.IsNaN(f) {
		return 0
	}
	return f
}

func truth(v any) int {
	if s, ok := v.(string); ok && (strings.EqualFold(s, "N") || strings.EqualFold(s, "false")) {
		return 0
	}
	if isTrue(v) {
		return 1
	}
	return 0
}

// like is SQL's LIKE: % is any text, _ any character, and case does not count.
func like(pattern, s string) bool {
	p := regexp.QuoteMeta(pattern)
	p = strings.NewReplacer("%", "(?s:.*)", "_", "(?s:.)").Replace(p)
	re, err := regexp.Compile("(?i)^" + p + "$")
	return err == nil && re.MatchString(s)
}
