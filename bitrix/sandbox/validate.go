package sandbox

import (
	"fmt"
	"net/http"
	"strings"
)

// Errors of the biconnector methods, with the texts of their pages. They stand
// inside result.
var (
	errAccess            = &apiError{code: "ACCESS_DENIED", desc: "Access denied."}
	errIDMissing         = &apiError{code: "VALIDATION_ID_NOT_PROVIDED", desc: "ID is missing."}
	errIDFormat          = &apiError{code: "VALIDATION_INVALID_ID_FORMAT", desc: "ID has to be a positive integer."}
	errFieldsMissing     = &apiError{code: "VALIDATION_FIELDS_NOT_PROVIDED", desc: "Fields not provided."}
	errAllFields         = &apiError{code: "", desc: "All the fields are required."}
	errSourceNotFound    = &apiError{code: "SOURCE_NOT_FOUND", desc: "Source was not found."}
	errConnectorNotFound = &apiError{code: "CONNECTOR_NOT_FOUND", desc: "Connector was not found."}
	errCreateConnection  = &apiError{code: "SOURCE_CREATE_CONNECTION_ERROR", desc: "Cannot create connection."}
	errUpdateConnection  = &apiError{code: "SOURCE_UPDATE_CONNECTION_ERROR", desc: "Cannot update connection."}
	errHasDatasets       = &apiError{code: "BX_ERROR", desc: "Cannot delete source. Delete all related datasets first."}
)

func errUnknown(names []string) *apiError {
	return &apiError{code: "VALIDATION_UNKNOWN_PARAMETERS", desc: "Unknown parameters: " + strings.Join(names, ", ")}
}

func errField(code, format string, args ...any) *apiError {
	return &apiError{code: "VALIDATION_" + code, desc: fmt.Sprintf(format, args...)}
}

// field describes a field of a source, as biconnector.source.fields does.
type field struct {
	name      string
	kind      string // integer, string, boolean, datetime, array
	required  bool
	readOnly  bool
	immutable bool
}

var sourceFields = []field{
	{"id", "integer", true, true, false},
	{"title", "string", true, false, false},
	{"type", "string", true, true, false},
	{"code", "string", true, true, false},
	{"description", "string", false, false, false},
	{"active", "boolean", false, false, false},
	{"dateCreate", "datetime", true, true, false},
	{"dateUpdate", "datetime", true, true, false},
	{"createdById", "integer", true, true, false},
	{"updatedById", "integer", true, true, false},
	{"connectorId", "integer", true, false, true},
	{"settings", "array", true, false, false},
}

func fieldOf(fields []field, name string) (field, bool) {
	for _, f := range fields {
		if f.name == name {
			return f, true
		}
	}
	return field{}, false
}

// accepts tells whether a value has the type of a field, strictly: a query
// string knows texts only, so that a boolean cannot be said in it. The one
// exception is an integer, which may be written in digits.
func (f field) accepts(v any) bool {
	switch f.kind {
	case "string":
		_, ok := v.(string)
		return ok
	case "boolean":
		_, ok := v.(bool)
		return ok
	case "array":
		_, ok := v.(*array)
		return ok
	case "integer":
		_, ok := positive(v)
		return ok
	}
	return true
}

// positive reads a positive integer: a number, or a text of digits.
func positive(v any) (int64, bool) {
	s, ok := v.(string)
	if !ok {
		n, ok := v.(int64)
		return n, ok && n > 0
	}
	n, ok := intKey(s)
	return n, ok && n > 0
}

// checkID reads the parameter id.
func checkID(params *array) (int64, *apiError) {
	v, _ := params.get("id")
	if v == nil || v == "" {
		return 0, errIDMissing
	}
	id, ok := positive(v)
	if !ok {
		return 0, errIDFormat
	}
	return id, nil
}

// checkFields reads the parameter fields: there, and not empty.
func checkFields(params *array) (*array, *apiError) {
	v, _ := params.get("fields")
	fields, _ := v.(*array)
	if fields.len() == 0 {
		return nil, errFieldsMissing
	}
	return fields, nil
}

// checkParams refuses parameters other than the allowed ones.
func checkParams(params *array, allowed ...string) *apiError {
	var unknown []string
	for _, k := range params.keys {
		known := false
		for _, a := range allowed {
			known = known || k == a
		}
		if !known {
			unknown = append(unknown, k)
		}
	}
	if unknown != nil {
		return errUnknown(unknown)
	}
	return nil
}

// checkKnown refuses fields that a source does not have, read-only ones, and,
// in an update, immutable ones.
func checkKnown(fields *array, update bool) *apiError {
	var unknown []string
	for _, k := range fields.keys {
		if _, ok := fieldOf(sourceFields, k); !ok {
			unknown = append(unknown, k)
		}
	}
	if unknown != nil {
		return errUnknown(unknown)
	}
	for _, k := range fields.keys {
		if f, _ := fieldOf(sourceFields, k); f.readOnly {
			return errField("READ_ONLY_FIELD", "Field \"%s\" is read only.", k)
		}
	}
	for _, k := range fields.keys {
		if f, _ := fieldOf(sourceFields, k); f.immutable && update {
			return errField("IMMUTABLE_FIELD", "Field \"%s\" is immutable.", k)
		}
	}
	return nil
}

// checkTypes refuses values of a wrong type; null has none that is right.
func checkTypes(fields *array) *apiError {
	for i, k := range fields.keys {
		if f, _ := fieldOf(sourceFields, k); !f.accepts(fields.vals[i]) {
			return errField("INVALID_FIELD_TYPE", "Field \"%s\" must be of type %s.", k, f.kind)
		}
	}
	return nil
}

// newSettings reads the declared ones of the settings sent, trimmed. Those
// that the connector does not declare are dropped without a word. A list or
// map for a value makes PHP's trim fail.
func newSettings(c *connector, sent any) ([]param, *apiError) {
	a, _ := sent.(*array)
	var out []param
	for i := range a.len() {
		if !c.declares(a.keys[i]) {
			continue
		}
		s, ok := text(a.vals[i])
		if !ok {
			return nil, &apiError{http.StatusInternalServerError, errInternal.code, errInternal.desc}
		}
		out = append(out, param{code: a.keys[i], value: trim(s)})
	}
	return out, nil
}
