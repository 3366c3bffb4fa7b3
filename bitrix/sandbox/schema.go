package sandbox

import (
	"fmt"
	"slices"
	"strings"

	"syncsources/bitrix/sandbox/php"
)

// field describes a field of an object, as the fields methods do.
type field[T any] struct {
	name      string
	kind      string // integer, string, boolean, datetime, array; hidden: no method knows it, and some show it
	required  bool   // the server says so of what is read-only too
	readOnly  bool
	immutable bool
	of        func(*Portal, T) any // its value, as a list shows it
}

// schema is the fields of a kind of object, in the server's order: checks go
// through them in it.
type schema[T any] []field[T]

func (s schema[T]) find(name string) (field[T], bool) {
	for _, f := range s {
		if f.name == name {
			return f, f.kind != "hidden"
		}
	}
	return field[T]{}, false
}

func (s schema[T]) has(name string) bool { _, ok := s.find(name); return ok }

func (s schema[T]) names() (names []string) {
	for _, f := range s {
		if f.kind != "hidden" {
			names = append(names, f.name)
		}
	}
	return names
}

// without is the schema of a portal that lacks a field.
func (s schema[T]) without(name string) schema[T] {
	return slices.DeleteFunc(slices.Clone(s), func(f field[T]) bool { return f.name == name })
}

// describe is the answer of the fields methods.
func (s schema[T]) describe() *php.Array {
	l := &php.Array{}
	for _, name := range s.names() {
		f, _ := s.find(name)
		l.Push(php.Dict("title", f.name, "type", f.kind, "isRequired", f.required, "isReadOnly", f.readOnly,
			"isImmutable", f.immutable, "isMultiple", f.kind == "array"))
	}
	return php.Dict("fields", l)
}

// accepts reports whether a value has the type of a field, strictly: a query
// string knows texts only, so that a boolean cannot be said in it. Only an
// integer may be a text, of digits. A list or a map is an array.
func (f field[T]) accepts(v any) bool {
	switch f.kind {
	case "string":
		_, ok := v.(string)
		return ok
	case "boolean":
		_, ok := v.(bool)
		return ok
	case "array":
		_, ok := v.(*php.Array)
		return ok
	case "integer":
		_, ok := php.Numeric(v)
		return ok
	}
	return true
}

// checkID reads the parameter id. A null is there, and no number.
func checkID(params *php.Array) (int64, *apiError) {
	v, ok := params.Get("id")
	if !ok {
		return 0, errIDMissing
	}
	id, ok := php.Numeric(v)
	if !ok || id <= 0 {
		return 0, errIDFormat
	}
	return id, nil
}

// checkFields reads and checks the parameter fields. The server looks for all
// mistakes and reports the first: unknown fields, then field by field in the
// order of the schema. An update may leave out what is required, and may not
// hold what is immutable. Other parameters are not looked at.
func (s schema[T]) checkFields(params *php.Array, update bool) (*php.Array, *apiError) {
	fields := params.Sub("fields")
	if fields.Len() == 0 {
		return nil, errFieldsMissing
	}
	var unknown []string
	for k := range fields.All() {
		if !s.has(k) {
			unknown = append(unknown, k)
		}
	}
	if unknown != nil {
		return nil, errValidation("UNKNOWN_PARAMETERS", "Unknown parameters: %s", strings.Join(unknown, ", "))
	}
	for _, f := range s {
		v, ok := fields.Get(f.name)
		switch {
		case !ok && (update || !f.required || f.readOnly):
		case !ok:
			return nil, errValidation("REQUIRED_FIELD_MISSING", "Field \"%s\" is required.", f.name)
		case f.readOnly:
			return nil, errValidation("READ_ONLY_FIELD", "Field \"%s\" is read only.", f.name)
		case f.immutable && update:
			return nil, errValidation("IMMUTABLE_FIELD", "Field \"%s\" is immutable.", f.name)
		case !f.accepts(v):
			return nil, errValidation("INVALID_FIELD_TYPE", "Field \"%s\" must be of type %s.", f.name, f.kind)
		}
	}
	return fields, nil
}

// Errors of the biconnector methods, with the texts of their pages. They are
// inside result.
var (
	errAccess        = &apiError{code: "ACCESS_DENIED", desc: "Access denied."}
	errIDMissing     = &apiError{code: "VALIDATION_ID_NOT_PROVIDED", desc: "ID is missing."}
	errIDFormat      = &apiError{code: "VALIDATION_INVALID_ID_FORMAT", desc: "ID has to be a positive integer."}
	errFieldsMissing = &apiError{code: "VALIDATION_FIELDS_NOT_PROVIDED", desc: "Fields not provided."}
)

func errValidation(code, format string, args ...any) *apiError {
	return &apiError{code: "VALIDATION_" + code, desc: fmt.Sprintf(format, args...)}
}

// errRequired and errTooLong are the database layer's own checks. Their texts
// are not documented.
func errRequired(field string) *apiError {
	return &apiError{code: "BX_EMPTY_REQUIRED", desc: fmt.Sprintf("Required field \"%s\" is empty.", field)}
}

func errTooLong(field string, limit int) *apiError {
	return &apiError{code: "BX_INVALID_VALUE", desc: fmt.Sprintf("The value of the field \"%s\" is longer than %d characters.", field, limit)}
}
