package schema

import (
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v5"

	"syncsources/manifest"
)

// settingsValue reports a settings value that fits none of its forms. The
// validator lists what is wrong with it as a string, as an integer, as a
// variable and as a file; only for a mapping that names one of the last two a
// single form is meant.
func settingsValue(t *translation, v violated) {
	n := v.node
	if n.Kind() != manifest.Mapping {
		t.report(v, "wrong-type", valueAdvice(n), "%s must be %s, not %s", v.subject(), v.allowed(), n.Kind())
		return
	}
	_, isEnv := n.Field("env")
	_, isFile := n.Field("file")
	switch {
	case isEnv && isFile:
		t.report(v, "wrong-type", []string{"use two settings, or decide for one"}, "%s must be either {env: NAME} or {file: PATH}, not both", v.subject())
	case isEnv:
		t.form(v.causes, "/definitions/env")
	case isFile:
		t.form(v.causes, "/definitions/file")
	default:
		// Its keys are not repeated: {secret} is a mapping too.
		var advice []string
		for _, f := range n.Fields() {
			if near := manifest.Nearest(f.Key(), []string{"env", "file"}); near != "" {
				advice = []string{"did you mean " + manifest.Quote(near) + "?"}
			}
		}
		if advice == nil {
			advice = []string{"quote a text that begins with a brace"}
		}
		t.report(v, "wrong-type", advice, "%s must be %s, not another mapping", v.subject(), v.allowed())
	}
}

// form translates the violations of one form.
func (t *translation) form(causes []*jsonschema.ValidationError, definition string) {
	for _, cause := range causes {
		if strings.HasPrefix(fragment(cause.AbsoluteKeywordLocation), definition) {
			t.violation(cause)
			continue
		}
		t.form(cause.Causes, definition)
	}
}

// valueAdvice says how to write what was probably meant.
func valueAdvice(n manifest.Node) []string {
	switch n.Kind() {
	case manifest.Null:
		return []string{`an empty value is declared as ""; leave the key out to declare nothing`}
	case manifest.Boolean, manifest.Number:
		return []string{"quote it: it is sent as the text it is written as"}
	case manifest.List:
		return []string{"quote a text that begins with a bracket"}
	}
	return nil
}
