package schema

import (
	"regexp"
	"strings"

	"syncsources/manifest"
)

// subject names what a finding is about.
func (v violated) subject() string {
	switch {
	case v.path == settingDefinition:
		if name := v.node.QuoteKey(); name != "" {
			return "the setting " + name
		}
		return "a setting"
	case strings.HasSuffix(v.path, "/items"):
		return "an item of reveal"
	case v.path == "/definitions/source":
		return "a source"
	case v.path == "":
		return "the manifest"
	}
	_, name := cutLast(v.path)
	return name
}

// wrongType: the kind of a value.
func wrongType(t *translation, v violated) {
	if v.path == settingDefinition {
		t.report(v, "wrong-type", settingAdvice(v.node), "%s must be %s, not %s", v.subject(), v.allowed(), v.node.Kind())
		return
	}
	t.report(v, "wrong-type", kindAdvice(v), "%s must be %s, not %s", v.subject(), v.allowed(), v.node.Describe())
}

// kindAdvice says how to write what was probably meant.
func kindAdvice(v violated) []string {
	wanted, _ := v.schema["type"].(string)
	switch kind := v.node.Kind(); {
	case kind == manifest.Null && v.node.Text() == "":
		return []string{"what is left empty is read as null; leave the key out to declare nothing"}
	case wanted == "string" && kind < manifest.String:
		return []string{"quote it to mean text"}
	case wanted == "boolean" && kind == manifest.String:
		return []string{"yes, no, on, off and quoted words are strings; write true or false"}
	case wanted == "integer" && kind == manifest.String:
		return []string{"write it without quotes, in decimal digits"}
	}
	return nil
}

// wrongValue: another value than the one there is.
func wrongValue(t *translation, v violated) {
	t.report(v, "wrong-value", nil, "%s must be %s, not %s", v.subject(), v.allowed(), v.node.Describe())
}

// outOfRange: a number too small or too large. The limit above is that of the
// portal's numbers.
func outOfRange(t *translation, v violated) {
	limit := v.allowed()
	if !strings.HasPrefix(v.node.Text(), "-") && v.node.Text() != "0" {
		limit += " of at most 63 bits"
	}
	t.report(v, "out-of-range", nil, "%s must be %s, not %s", v.subject(), limit, v.node.Describe())
}

// empty: a text, a mapping or a key without content.
func empty(t *translation, v violated) {
	if v.isKey {
		t.report(v, "empty", nil, "a settings key must not be empty")
		return
	}
	if v.path == settingDefinition {
		t.report(v, "empty", nil, "%s must be %s, not an empty mapping", v.subject(), v.allowed())
		return
	}
	t.report(v, "empty", []string{"allowed: " + v.allowed()}, "%s must not be empty", v.subject())
}

// wrongForm: a text of another form. One that stands in a settings block is
// not repeated.
func wrongForm(t *translation, v violated) {
	if v.node.Kind() == manifest.String && v.node.Text() == "" && v.schema["minLength"] != nil {
		return // reported as empty
	}
	not := ""
	if found := v.node.Describe(); found != manifest.String.String() {
		not = ", not " + found
	}
	t.report(v, "wrong-form", nil, "%s must be %s%s", v.subject(), v.allowed(), not)
}

var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// notAllowed: a value that is excluded.
func notAllowed(t *translation, v violated) {
	if strings.HasPrefix(v.path, settingDefinition) {
		if name := v.node.Text(); variable.MatchString(name) { // any other is reported for its form
			t.report(v, "reserved-variable", []string{"variables named B24_* and SYNCSOURCES_* hold our own credentials and flags"},
				"the variable %s cannot be referenced", manifest.Quote(name))
		}
		return
	}
	t.report(v, "not-allowed", []string{"allowed: " + v.allowed()}, "%s cannot be %s", v.subject(), v.node.Describe())
}

// missingKeys: keys that have to be there. The validator tells of all of them
// at once, and their names only in its text.
func missingKeys(t *translation, v violated) {
	for _, name := range v.required() {
		if _, ok := v.node.Field(name); !ok {
			t.report(v, "missing-key", []string{"add " + missing(v, name)}, "missing key %s", manifest.Quote(name))
		}
	}
}

// missing describes a property that is not there.
func missing(v violated, name string) string {
	properties, _ := v.schema["properties"].(map[string]any)
	property, _ := properties[name].(map[string]any)
	what, _ := property["errorMessage"].(string)
	return name + ": " + what
}

// unknownKeys: keys that the format does not have. The validator names them
// only in its text.
func unknownKeys(t *translation, v violated) {
	if v.path == settingDefinition {
		unknownReference(t, v)
		return
	}
	known := v.properties()
	isKnown := map[string]bool{}
	for _, key := range known {
		isKnown[key] = true
	}
	free := v.schema["patternProperties"] != nil
	for _, f := range v.node.Fields() {
		key := f.Key()
		if isKnown[key] || free && strings.HasPrefix(key, "x-") {
			continue
		}
		var advice []string
		if near := manifest.Nearest(key, known); near != "" {
			advice = append(advice, "did you mean "+manifest.Quote(near)+"?")
		}
		if f.QuoteKey() == "" {
			advice = append(advice, spaceAfterColon)
		}
		allowed := "allowed here: " + strings.Join(known, ", ")
		if free {
			allowed += ", and keys that begin with x-"
		}
		at := v
		at.node, at.isKey = f, true
		t.report(at, "unknown-key", append(advice, allowed), "unknown key%s", spaced(f.QuoteKey()))
	}
}

// spaced returns s after a space, "" for "".
func spaced(s string) string {
	if s == "" {
		return ""
	}
	return " " + s
}

// noneOf: none of several forms. There is one such place, a source that has
// nothing but its id; that its forms all miss a key needs no telling.
func noneOf(t *translation, v violated) {
	t.report(v, "nothing-declared", []string{"a source that should stay as it is needs no entry"},
		"a source needs at least one of title, description, active and settings")
}
