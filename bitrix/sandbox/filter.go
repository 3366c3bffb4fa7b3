package sandbox

import (
	"cmp"
	"math"
	"regexp"
	"strconv"
	"strings"

	"syncsources/bitrix/sandbox/php"
)

// prefixes are the characters of which the prefixes of a filter's keys consist.
const prefixes = "<>=!@%"

// operator splits a key of a filter; without a prefix it means equal.
func operator(key string) (op, field string) {
	field = strings.TrimLeft(key, prefixes)
	if op = key[:len(key)-len(field)]; op == "" {
		op = "="
	}
	return op, field
}

// checkFilter refuses unknown fields. Like the server it takes every list or
// map for a filter of its own and looks into it instead of at its key: lists
// of numbers pass, lists of texts do not.
func (q *listing) checkFilter(f *php.Array) *apiError {
	for key, v := range f.All() {
		if key == "logic" {
			if s, _ := php.Text(v); !strings.EqualFold(s, "AND") && !strings.EqualFold(s, "OR") {
				return errField("INVALID_FILTER_LOGIC", "Field \"logic\" must be either \"AND\" or \"OR\".")
			}
			continue
		}
		if sub, ok := v.(*php.Array); ok {
			if err := q.checkFilter(sub); err != nil {
				return err
			}
			continue
		}
		_, name := operator(key)
		_, isField := fieldOf(q.kinds, name)
		_, isNumber := php.Numeric(v)
		if _, isIndex := php.Numeric(name); !isField && !(isNumber && isIndex) {
			return errField("FIELD_NOT_ALLOWED_IN_FILTER", "Field \"%s\" is not allowed in the \"filter\".", name)
		}
	}
	return nil
}

func isIndex(key string) bool { _, ok := php.IntKey(key); return ok }

// matches reports whether a row passes a filter: all of its conditions, or, with
// the logic OR, one of them. The field settings is ignored.
func (q *listing) matches(f *php.Array, r row) bool {
	logic, _ := f.Get("logic")
	word, _ := php.Text(logic)
	or := strings.EqualFold(word, "OR")
	asked := false
	for key, v := range f.All() {
		op, name := operator(key)
		sub, nested := v.(*php.Array)
		var ok bool
		switch {
		case key == "logic", name == "settings", nested && sub.Len() == 0:
			continue
		case nested && isIndex(key):
			ok = q.matches(sub, r)
		default:
			ok = holds(op, q.kind(name), r.value(name), v)
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
	if rest, ok := strings.CutPrefix(op, "!"); ok {
		if rest == "" {
			rest = "="
		}
		return !holds(rest, kind, have, want)
	}
	if l, ok := want.(*php.Array); ok {
		for _, w := range l.All() {
			if holds(strings.ReplaceAll(op, "@", "="), kind, have, w) {
				return true
			}
		}
		return false
	}
	switch op {
	case "%", "=%", "%=":
		pattern, _ := php.Text(want)
		if op == "%" {
			pattern = "%" + pattern + "%"
		}
		s, _ := php.Text(have)
		return like(pattern, s)
	}
	if have == nil || want == nil {
		// null equals the empty text here, and orders with nothing.
		h, _ := php.Text(have)
		w, _ := php.Text(want)
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
	x, _ := php.Text(a)
	y, _ := php.Text(b)
	return strings.Compare(strings.ToLower(x), strings.ToLower(y))
}

func number(v any) float64 {
	s, _ := php.Text(v)
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
