package php

import (
	"cmp"
	"strconv"
	"strings"
)

// Limits of PHP's configuration, at their defaults.
const (
	maxInputNesting = 64 // max_input_nesting_level: a deeper variable is dropped
	// MaxInputVars is the default of max_input_vars.
	MaxInputVars = 1000
)

// ParseQuery is PHP's parse_str: what a portal reads from a query string, from
// the body of a form, and from a command of a batch.
//
//   - "+" is a space, %XX a byte; a % without two hex digits stays.
//   - a[b][c]=v nests, a[]=v appends; what follows the last bracket is lost.
//   - In the name before the first bracket, dots and spaces become "_", and
//     so does a bracket that is never closed; leading spaces are dropped.
//   - A later value replaces an earlier one; "a=1&a[b]=2" leaves the array.
//   - Every value is a string.
//   - Variables beyond maxVars, 0 for PHP's default, are dropped.
func ParseQuery(q string, maxVars int) *Array {
	maxVars = cmp.Or(maxVars, MaxInputVars)
	a := &Array{}
	for n := 0; q != "" && n < maxVars; {
		var part string
		part, q, _ = strings.Cut(q, "&")
		if part == "" {
			continue
		}
		key, val, _ := strings.Cut(part, "=")
		if a.Register(URLDecode(key), URLDecode(val)) {
			n++
		}
	}
	return a
}

// Register is PHP's php_register_variable: it sets a variable by its name in
// brackets, and reports whether the name was one.
func (a *Array) Register(name, val string) bool {
	name, _, _ = strings.Cut(name, "\x00") // names are C strings there
	name = strings.TrimLeft(name, " ")
	open := strings.IndexByte(name, '[')
	base := name
	if open >= 0 {
		base = name[:open]
	}
	if base == "" {
		return false
	}
	base = mangle.Replace(base)
	if open < 0 {
		a.Set(base, val)
		return true
	}

	path := []string{base} // the keys to walk; appended says which are "[]"
	appended := []bool{false}
	for rest := name[open:]; strings.HasPrefix(rest, "["); {
		if len(path) > maxInputNesting {
			return false
		}
		inner := rest[1:]
		if inner != "" && isSpace(inner[0]) && strings.HasPrefix(inner[1:], "]") {
			inner = inner[1:]
		}
		end := strings.IndexByte(inner, ']')
		if end < 0 {
			if len(path) == 1 {
				path[0] = base + "_" + mangle.Replace(rest[1:])
			}
			break
		}
		path = append(path, inner[:end])
		appended = append(appended, end == 0)
		rest = inner[end+1:]
	}

	for i := range path[:len(path)-1] {
		next := &Array{}
		switch old, _ := a.Get(path[i]); {
		case appended[i]:
			a.Push(next)
		default:
			if o, ok := old.(*Array); ok {
				next = o
			} else {
				a.Set(path[i], next)
			}
		}
		a = next
	}
	if last := len(path) - 1; appended[last] {
		a.Push(val)
	} else {
		a.Set(path[last], val)
	}
	return true
}

// mangle makes the name of a PHP variable.
var mangle = strings.NewReplacer(" ", "_", ".", "_", "[", "_")

func isSpace(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

// URLDecode is PHP's urldecode.
func URLDecode(s string) string {
	if !strings.ContainsAny(s, "%+") {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '+' {
			c = ' '
		} else if c == '%' && i+2 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				c = byte(n)
				i += 2
			}
		}
		b = append(b, c)
	}
	return string(b)
}
