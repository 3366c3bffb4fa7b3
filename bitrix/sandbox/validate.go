package sandbox

import (
	"fmt"
	"strings"

	"syncsources/bitrix/sandbox/php"
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

// accepts reports whether a value has the type of a field, strictly: a query
// string knows texts only, so that a boolean cannot be said in it. Only an
// integer may be a text, of digits.
func (f field) accepts(v any) bool {
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
// order of sourceFields. An update may leave out what is required, and may not
// hold what is immutable. Other parameters are not looked at.
func checkFields(params *php.Array, update bool) (*php.Array, *apiError) {
	v, _ := params.Get("fields")
	fields, _ := v.(*php.Array)
	if fields.Len() == 0 {
		return nil, errFieldsMissing
	}
	var unknown []string
	for k := range fields.All() {
		if _, ok := fieldOf(sourceFields, k); !ok {
			unknown = append(unknown, k)
		}
	}
	if unknown != nil {
		return nil, errUnknown(unknown)
	}
	for _, f := range sourceFields {
		v, ok := fields.Get(f.name)
		switch {
		case !ok && (update || !f.required || f.readOnly):
		case !ok:
			return nil, errField("REQUIRED_FIELD_MISSING", "Field \"%s\" is required.", f.name)
		case f.readOnly:
			return nil, errField("READ_ONLY_FIELD", "Field \"%s\" is read only.", f.name)
		case f.immutable && update:
			return nil, errField("IMMUTABLE_FIELD", "Field \"%s\" is immutable.", f.name)
		case !f.accepts(v):
			return nil, errField("INVALID_FIELD_TYPE", "Field \"%s\" must be of type %s.", f.name, f.kind)
		}
	}
	return fields, nil
}

// newSettings reads the declared ones of the settings sent, trimmed. Those
// that the connector does not declare are dropped without a word. A list or
// map for a value makes PHP's trim fail.
func newSettings(c *connector, sent any) ([]param, *apiError) {
	a, _ := sent.(*php.Array)
	var out []param
	for code, v := range a.All() {
		if !c.declares(code) {
			continue
		}
		s, ok := php.Text(v)
		if !ok {
			return nil, errInternal
		}
		out = append(out, param{code: code, value: php.Trim(s)})
	}
	return out, nil
}
