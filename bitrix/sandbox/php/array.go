// Package php is what a stand-in portal needs of PHP: its arrays, what it reads
// from query strings, forms and JSON, what it writes as JSON, and what it takes
// for empty, for a text and for a number. Its tests compare it with PHP itself.
package php

import (
	"errors"
	"iter"
	"math"
	"strconv"
	"strings"
)

// Array is a PHP array: values by key, in the order of insertion. Keys that
// PHP would hold as integers are held as their decimal text, which is the same
// thing: "5" and 5 are one key, "05" is another.
//
// The values are nil, bool, int64, float64, string and *Array.
type Array struct {
	keys  []string
	vals  []any
	index map[string]int // only of arrays with more than indexFrom keys
	next  int64          // one more than the largest integer key, if numbered
	// numbered is whether there was an integer key.
	numbered bool
}

// indexFrom is the length from which a lookup by map beats a scan.
const indexFrom = 12

// Sized makes an empty array with room for n values.
func Sized(n int) *Array { return &Array{keys: make([]string, 0, n), vals: make([]any, 0, n)} }

// Dict makes an array of alternating keys, all different, and values.
func Dict(pairs ...any) *Array {
	a := Sized(len(pairs) / 2)
	for i := 0; i < len(pairs); i += 2 {
		a.Add(pairs[i].(string), pairs[i+1])
	}
	return a
}

// Len is the number of values; a nil array has none.
func (a *Array) Len() int {
	if a == nil {
		return 0
	}
	return len(a.keys)
}

// All yields keys and values in their order.
func (a *Array) All() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for i := range a.Len() {
			if !yield(a.keys[i], a.vals[i]) {
				return
			}
		}
	}
}

func (a *Array) find(key string) int {
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

// Get returns a value and whether the key exists, be its value null.
func (a *Array) Get(key string) (any, bool) {
	if i := a.find(key); i >= 0 {
		return a.vals[i], true
	}
	return nil, false
}

// Text is the text of a value, empty where there is none.
func (a *Array) Text(key string) string {
	v, _ := a.Get(key)
	return String(v)
}

// Int is the number of a value, 0 where there is none.
func (a *Array) Int(key string) int64 {
	v, _ := a.Get(key)
	n, _ := Numeric(v)
	return n
}

// Sub is a value that is an array, nil where it is not.
func (a *Array) Sub(key string) *Array {
	v, _ := a.Get(key)
	sub, _ := v.(*Array)
	return sub
}

// Has reports whether the key exists.
func (a *Array) Has(key string) bool { return a.find(key) >= 0 }

// IsSet is PHP's isset: the key exists and its value is not null.
func (a *Array) IsSet(key string) bool {
	v, _ := a.Get(key)
	return v != nil
}

// Set sets a value, in its place if the key is there already.
func (a *Array) Set(key string, val any) {
	if i := a.find(key); i >= 0 {
		a.vals[i] = val
		return
	}
	a.Add(key, val)
}

// Add sets a key that is not there yet.
func (a *Array) Add(key string, val any) {
	a.keys = append(a.keys, key)
	a.vals = append(a.vals, val)
	if n, ok := IntKey(key); ok && (!a.numbered || n >= a.next) {
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

// Push is PHP's $a[] = val: the key is one more than the largest integer key
// that there ever was.
func (a *Array) Push(val any) { a.Add(strconv.FormatInt(a.next, 10), val) }

// Without returns a copy that lacks the keys for which drop is true.
func (a *Array) Without(drop func(key string) bool) *Array {
	b := &Array{}
	for i, k := range a.keys {
		if !drop(k) {
			b.Set(k, a.vals[i])
		}
	}
	return b
}

// IsList reports whether the keys are 0..n-1 in order: PHP writes such an array,
// the empty one included, as a JSON list.
func (a *Array) IsList() bool {
	for i, k := range a.keys {
		if k != strconv.Itoa(i) {
			return false
		}
	}
	return true
}

// IntKey reports whether PHP holds the key as an integer: plain decimal, no
// leading zero, no plus, no "-0", within 64 bits.
func IntKey(k string) (int64, bool) {
	if k == "" || k[0] != '-' && (k[0] < '0' || k[0] > '9') {
		return 0, false
	}
	n, err := strconv.ParseInt(k, 10, 64)
	return n, err == nil && strconv.FormatInt(n, 10) == k
}

// Empty is PHP's empty(): null, false, 0, "", "0" and the empty array.
func Empty(v any) bool {
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
	case *Array:
		return v.Len() == 0
	}
	return false
}

// Text is PHP's (string) cast of a scalar. An array has none.
func Text(v any) (string, bool) {
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

// String is Text, of an array the empty text.
func String(v any) string {
	s, _ := Text(v)
	return s
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

// formatFloat writes a float with this many significant digits, or with -1 the
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

// Trim is PHP's trim(): space, tab, LF, CR, NUL and vertical tab; no other
// white space.
func Trim(s string) string { return strings.Trim(s, " \t\n\r\x00\v") }

// EscapeHTML is PHP's htmlspecialchars as the portal calls it: single quotes
// stay.
var EscapeHTML = strings.NewReplacer("&", "&amp;", `"`, "&quot;", "<", "&lt;", ">", "&gt;").Replace

// Plain turns a value into ordinary Go values: map[string]any, []any, string,
// int64, float64, bool, nil. The empty array becomes an empty list, as in
// PHP's JSON.
func Plain(v any) any {
	a, ok := v.(*Array)
	if !ok {
		return v
	}
	if a.IsList() {
		l := make([]any, len(a.vals))
		for i, v := range a.vals {
			l[i] = Plain(v)
		}
		return l
	}
	m := make(map[string]any, len(a.keys))
	for i, k := range a.keys {
		m[k] = Plain(a.vals[i])
	}
	return m
}

// Numeric is PHP's is_numeric with its (int) cast: a number, or a text that
// writes one, with white space around it and a fraction that is cut off.
func Numeric(v any) (int64, bool) {
	switch v := v.(type) {
	case int64:
		return v, true
	case float64:
		return integer(v), true
	case string:
		s := strings.Trim(v, " \t\n\r\v\f")
		if n, err := strconv.ParseInt(s, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
			return n, true // beyond 64 bits the nearest
		}
		if s == "" || strings.Trim(s, "0123456789+-.eE") != "" {
			return 0, false // Go would also read hexadecimal, underscores, Inf
		}
		f, err := strconv.ParseFloat(s, 64)
		return integer(f), err == nil || errors.Is(err, strconv.ErrRange)
	}
	return 0, false
}

// integer cuts a float's fraction off; one that does not fit is 0.
func integer(f float64) int64 {
	if math.Abs(f) >= 1<<63 {
		return 0
	}
	return int64(f)
}
