package sandbox

import (
	"cmp"
	"math"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"syncsources/bitrix/sandbox/php"
)

// condition is one of a filter's: the values are what it compares with, any of
// them.
type condition struct {
	op     string // = < <= > >=, or ~ for LIKE
	field  string
	kind   string
	values []any
	like   *regexp.Regexp
}

// equals reports whether it asks for values as they are.
func (c *condition) equals() bool { return c.op == "=" }

// prefixes are the characters of which the prefixes of a filter's keys consist.
const prefixes = "<>=!@%"

// operator splits a key of a filter.
func operator(key string) (op, field string) {
	field = strings.TrimLeft(key, prefixes)
	return key[:len(key)-len(field)], field
}

// allowFilter refuses unknown fields. Like the server it takes every list or
// map for a filter of its own and looks into it instead of at its key: lists
// of numbers pass, lists of texts do not.
func (q *listing[T]) allowFilter(f *php.Array) *apiError {
	for key, v := range f.All() {
		if key == "logic" {
			if s := php.String(v); !strings.EqualFold(s, "AND") && !strings.EqualFold(s, "OR") {
				return errValidation("INVALID_FILTER_LOGIC", "Field \"logic\" must be either \"AND\" or \"OR\".")
			}
			continue
		}
		if sub, ok := v.(*php.Array); ok {
			if err := q.allowFilter(sub); err != nil {
				return err
			}
			continue
		}
		_, name := operator(key)
		_, isNumber := php.Numeric(v)
		if _, isIndex := php.Numeric(name); !q.allowed(name) && !(isNumber && isIndex) {
			return errValidation("FIELD_NOT_ALLOWED_IN_FILTER", "Field \"%s\" is not allowed in the \"filter\".", name)
		}
	}
	return nil
}

// readFilter reads the conditions. Fields that got past the check for being
// inside a list are the database layer's to refuse: groups and the key logic
// with them, as on biconnector 26.250. A condition without values is dropped.
//
// The negations and % are the portal's too; nobody here needs them, and the
// sandbox says so instead of guessing at what they find.
func (q *listing[T]) readFilter(f *php.Array) *apiError {
	for key, v := range f.All() {
		op, name := operator(key)
		a, isArray := v.(*php.Array)
		switch {
		case name == "settings" || name == "fields" || isArray && a.Len() == 0:
			continue
		case !q.allowed(name):
			return &apiError{status: http.StatusBadRequest, code: "100", desc: "Unknown field definition `" + name + "` for the filter."}
		}
		c := condition{op: op, field: name, kind: q.kind(name), values: []any{v}}
		if isArray {
			c.values = nil
			for _, v := range a.All() {
				c.values = append(c.values, v)
			}
		}
		switch op {
		case "=", "<", "<=", ">", ">=":
		case "@":
			c.op = "="
		case "":
			c.op = "="
			if s := php.String(v); c.kind == "string" && !isArray && strings.Trim(s, "0123456789") != "" {
				c.op, c.like = "~", like(s) // not equality: % and _ are wildcards
			}
		default:
			return &apiError{status: http.StatusNotImplemented, code: "SANDBOX_FILTER", desc: "The sandbox has no filter with the prefix " + op + "."}
		}
		q.filter = append(q.filter, c)
	}
	return nil
}

// matches reports whether an object passes all conditions.
func (q *listing[T]) matches(p *Portal, o T) bool {
	for i := range q.filter {
		if c := &q.filter[i]; !c.holds(q.value(p, o, c.field)) {
			return false
		}
	}
	return true
}

func (c *condition) holds(have any) bool {
	if c.like != nil {
		return c.like.MatchString(php.String(have))
	}
	for _, want := range c.values {
		if have == nil && c.op != "=" {
			continue // null orders with nothing, and equals the empty text
		}
		d := compare(c.kind, have, want)
		if d < 0 && c.op[0] == '<' || d > 0 && c.op[0] == '>' || d == 0 && strings.HasSuffix(c.op, "=") {
			return true
		}
	}
	return false
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
	return strings.Compare(strings.ToLower(php.String(a)), strings.ToLower(php.String(b)))
}

func number(v any) float64 {
	if n, ok := v.(int64); ok {
		return float64(n)
	}
	f, err := strconv.ParseFloat(strings.TrimSpace(php.String(v)), 64)
	if err != nil || math.IsNaN(f) {
		return 0
	}
	return f
}

func truth(v any) int {
	if s, ok := v.(string); ok && (strings.EqualFold(s, "N") || strings.EqualFold(s, "false")) {
		return 0
	}
	if !php.Empty(v) {
		return 1
	}
	return 0
}

// nothing matches no text.
var nothing = regexp.MustCompile(`[^\s\S]`)

// like is SQL's LIKE: % is any text, _ any character, and case does not count.
func like(pattern string) *regexp.Regexp {
	p := regexp.QuoteMeta(strings.ToValidUTF8(pattern, "\ufffd"))
	re, err := regexp.Compile("(?is)^" + strings.NewReplacer("%", ".*", "_", ".").Replace(p) + "$")
	if err != nil {
		return nothing // too long to be compiled
	}
	return re
}
