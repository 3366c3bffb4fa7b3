package sandbox

import (
	"math"
	"strconv"
	"strings"
)

// array is a PHP array: values by key, in the order of insertion. Keys that
// PHP would hold as integers are held as their decimal text, which is the same
// thing: "5" and 5 are one key, "05" is another.
//
// The values are nil, bool, int64, float64, string and *array.
type array struct {
	keys  []string
	vals  []any
	index map[string]int // only of arrays with more than indexFrom keys
	next  int64          // one more than the largest integer key, if numbered
	// numbered is whether there was an integer key.
	numbered bool
}

// indexFrom is the length from which a lookup by map beats a scan.
const indexFrom = 12

// list makes an array with the keys 0..n-1.
func list(vals ...any) *array {
	a := &array{keys: make([]string, 0, len(vals)), vals: make([]any, 0, len(vals))}
	for _, v := range vals {
		a.push(v)
	}
	return a
}

// dict makes an array of alternating keys, all different, and values.
func dict(pairs ...any) *array {
	a := &array{keys: make([]string, 0, len(pairs)/2), vals: make([]any, 0, len(pairs)/2)}
	for i := 0; i < len(pairs); i += 2 {
		a.add(pairs[i].(string), pairs[i+1])
	}
	return a
}

func (a *array) len() int {
	if a == nil {
		return 0
	}
	return len(a.keys)
}

func (a *array) find(key string) int {
	if a == nil {
		return -1
	}
	if a.index != nil {
		if i, ok := a.index[key]; ok {
			return i
		}
		return -1
	}
	for i, k := range a.keys {
		if k == key {
			return i
		}
	}
	return -1
}

// get returns a value and whether the key exists, be its value null.
func (a *array) get(key string) (any, bool) {
	if i := a.find(key); i >= 0 {
		return a.vals[i], true
	}
	return nil, false
}

// isset is PHP's isset: the key exists and its value is not null.
func (a *array) isset(key string) bool {
	v, _ := a.get(key)
	return v != nil
}

func (a *array) set(key string, val any) {
	if i := a.find(key); i >= 0 {
		a.vals[i] = val
		return
	}
	a.add(key, val)
}

// add sets a key that is not there yet.
func (a *array) add(key string, val any) {
	a.keys = append(a.keys, key)
	a.vals = append(a.vals, val)
	if n, ok := intKey(key); ok && (!a.numbered || n >= a.next) {
		a.next, a.numbered = n+1, true
	}
	switch {
	case a.index != nil:
		a.index[key] = len(a.keys) - 1
	case len(a.keys) > indexFrom:
		a.index = make(map[string]int, 2*indexFrom)
		for i, k := range a.keys {
			a.index[k] = i
		}
	}
}

// push is PHP's $a[] = val: the key is one more than the largest integer key
// that there ever was.
func (a *array) push(val any) { a.add(strconv.FormatInt(a.next, 10), val) }

// without returns a copy that lacks the keys for which drop is true.
func (a *array) without(drop func(key string) bool) *array {
	b := &array{}
	for i, k := range a.keys {
		if !drop(k) {
			b.set(k, a.vals[i])
		}
	}
	return b
}

// isList reports whether the keys are 0..n-1 in order: PHP writes such an array,
// the empty one included, as a JSON list.
func (a *array) isList() bool {
	for i, k := range a.keys {
		if k != strconv.Itoa(i) {
			return false
		}
	}
	return true
}

// intKey reports whether PHP holds the key as an integer: plain decimal, no
// leading zero, no plus, no "-0", within 64 bits.
func intKey(k string) (int64, bool) {
	if k == "" || k[0] != '-' && (k[0] < '0' || k[0] > '9') {
		return 0, false
	}
	n, err := strconv.ParseInt(k, 10, 64)
	return n, err == nil && strconv.FormatInt(n, 10) == k
}

// empty is PHP's empty(): null, false, 0, "", "0" and the empty array.
func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case bool:
		return !v
	case int64:
		return v == 0
	case float64:
		return v == 0
	case string:
		return v == "" || v == "0"
	case *array:
		return v.len() == 0
	}
	return false
}

// text is PHP's (string) cast of a scalar. An array has none.
func text(v any) (string, bool) {
	switch v := v.(type) {
	case nil:
		return "", true
	case bool:
		if v {
			return "1", true
		}
		return "", true
	case int64:
		return strconv.FormatInt(v, 10), true
	case float64:
		return floatText(v), true
	case string:
		return v, true
	}
	return "", false
}

// floatText is PHP's (string) cast of a float: 14 significant digits.
func floatText(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "INF"
	case math.IsInf(f, -1):
		return "-INF"
	case math.IsNaN(f):
		return "NAN"
	}
	return formatFloat(f, 14, 14, 'E')
}

// formatFloat writes a float with so many significant digits, or with -1 the
// fewest that read back, and with an exponent where there would be more than
// wide digits before the point or three zeros after it.
func formatFloat(f float64, digits, wide int, e byte) string {
	prec := digits
	if prec > 0 {
		prec--
	}
	mantissa, exp, _ := strings.Cut(strconv.FormatFloat(f, 'e', prec, 64), "e")
	n, _ := strconv.Atoi(exp)
	if strings.Contains(mantissa, ".") {
		mantissa = strings.TrimRight(strings.TrimRight(mantissa, "0"), ".")
	}
	if n >= -4 && n < wide {
		decimals := max(0, len(strings.TrimLeft(strings.ReplaceAll(mantissa, ".", ""), "-"))-1-n)
		return strconv.FormatFloat(f, 'f', decimals, 64)
	}
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	sign := "+"
	if n < 0 {
		sign, n = "-", -n
	}
	return mantissa + string(e) + sign + strconv.Itoa(n)
}

// trim is PHP's trim(): space, tab, LF, CR, NUL and vertical tab; no other
// white space.
func trim(s string) string { return strings.Trim(s, " \t\n\r\x00\v") }

// plain turns a value into ordinary Go values: map[string]any, []any, string,
// int64, float64, bool, nil. The empty array becomes an empty list, as in
// PHP's JSON.
func plain(v any) any {
	a, ok := v.(*array)
	if !ok {
		return v
	}
	if a.isList() {
		l := make([]any, len(a.vals))
		for i, v := range a.vals {
			l[i] = plain(v)
		}
		return l
	}
	m := make(map[string]any, len(a.keys))
	for i, k := range a.keys {
		m[k] = plain(a.vals[i])
	}
	return m
}
