package schema

import (
	"slices"
	"strings"

	"syncsources/manifest"
)

// Places in the schemas that have sentences of their own.
const (
	valueDefinition       = "/definitions/value" // of a setting
	placeholderDefinition = "/definitions/placeholder"
	fileDefinition        = "/definitions/file"
	variable              = valueDefinition + "/properties/env"
)

// spaceAfterColon is the hint for a key that may hold its own value.
const spaceAfterColon = "put a space after the colon that ends a key"

func (c *checker) report(n manifest.Node, rule string, hints []string, format string, args ...any) {
	c.found = append(c.found, n.Problem(rule, hints, format, args...))
}

// subject names what a finding is about.
func subject(n manifest.Node, r *rule) string {
	if r.path != valueDefinition {
		return r.name
	}
	if name := n.QuoteKey(); name != "" {
		return "the setting " + name
	}
	return "a setting"
}

// wrongType: the kind of a value.
func wrongType(c *checker, n manifest.Node, r *rule) {
	c.report(n, "wrong-type", kindHints(n, r), "%s must be %s, not %s", subject(n, r), r.words, n.Describe())
}

// kindHints says how to write what was probably meant.
func kindHints(n manifest.Node, r *rule) []string {
	kind := n.Kind()
	if r.path == valueDefinition {
		return settingHints(n)
	}
	switch {
	case kind == manifest.Null && n.Text() == "":
		return []string{"what is left empty is read as null; leave the key out to declare nothing"}
	case r.kinds.has(manifest.String) && kind < manifest.String:
		if quotable(n, r) {
			return []string{"quote it to mean text"}
		}
	case r.kinds.has(manifest.Boolean) && kind == manifest.String:
		return []string{"yes, no, on, off and quoted words are strings; write true or false"}
	case r.kinds.has(manifest.Integer) && kind == manifest.String:
		return []string{"write it without quotes, in decimal digits"}
	}
	return nil
}

// quotable reports whether a value would do as a string.
func quotable(n manifest.Node, r *rule) bool {
	c := &checker{silent: 1}
	excluded := func(part *rule) bool { return part.not != nil && c.text(n, part.not) }
	return c.text(n, r) && !excluded(r) && !slices.ContainsFunc(r.allOf, excluded)
}

func settingHints(n manifest.Node) []string {
	switch n.Kind() {
	case manifest.Null:
		if n.Anchored() {
			return []string{"quote text that begins with &"}
		}
		if n.QuoteKey() == "" {
			return []string{spaceAfterColon}
		}
		return []string{`an empty value is declared as ""; quote text that begins with #; leave the key out to declare nothing`}
	case manifest.Boolean, manifest.Number:
		return []string{"quote it: it is sent exactly as written"}
	case manifest.List:
		return []string{"quote text that begins with a bracket"}
	}
	return nil
}

// wrongValue: another value than those there are.
func wrongValue(c *checker, n manifest.Node, r *rule) {
	var hints []string
	if near := manifest.Nearest(n.Text(), r.enum); near != "" {
		hints = append(hints, "did you mean "+manifest.Quote(near)+"?")
	}
	c.report(n, "wrong-value", hints, "%s must be %s, not %s", subject(n, r), r.words, n.Describe())
}

// outOfRange: a number too small or too large.
func outOfRange(c *checker, n manifest.Node, r *rule) {
	limit := r.words
	if r.maximum == 1<<63 && !strings.HasPrefix(n.Text(), "-") && n.Text() != "0" {
		limit += " of at most 63 bits"
	}
	c.report(n, "out-of-range", nil, "%s must be %s, not %s", subject(n, r), limit, n.Describe())
}

// empty: a text, a mapping or a list without content.
func empty(c *checker, n manifest.Node, r *rule) {
	if r.path == valueDefinition {
		c.report(n, "empty", nil, "%s must be %s, not an empty mapping", subject(n, r), r.words)
		return
	}
	c.report(n, "empty", []string{"allowed: " + r.words}, "%s must not be empty", subject(n, r))
}

func emptyKey(c *checker, f manifest.Node, _ *rule) {
	c.found = append(c.found, f.KeyProblem("empty", nil, "a settings key must not be empty"))
}

// tooLong: a text that the portal does not store.
func tooLong(c *checker, n manifest.Node, r *rule) {
	c.report(n, "too-long", nil, "%s must be %s", subject(n, r), r.words)
}

// wrongForm: a text of another form. One in a settings block is
// not repeated.
func wrongForm(c *checker, n manifest.Node, r *rule) {
	not := ""
	if found := n.Describe(); found != manifest.String.String() {
		not = ", not " + found
	}
	var hints []string
	if r.path == variable && strings.HasPrefix(n.Text(), "$") {
		hints = []string{"leave the $ out: {env: NAME}"}
	}
	c.report(n, "wrong-form", hints, "%s must be %s%s", subject(n, r), r.words, not)
}

// notAllowed: a value that is excluded.
func notAllowed(c *checker, n manifest.Node, r, not *rule) {
	switch {
	case not.path == placeholderDefinition:
		placeholder(c, n, r)
	case r.path == variable:
		if r.pattern.MatchString(n.Text()) { // any other is reported for its form
			c.report(n, "reserved-variable", []string{"variables named B24_* and SYNCSOURCES_* hold our own credentials and flags"},
				"the variable %s cannot be referenced", manifest.Quote(n.Text()))
		}
	case r.path == fileDefinition:
		c.report(n, "not-allowed", []string{"no shell replaces the ~; write a path relative to this file"}, "%s cannot begin with ~", subject(n, r))
	default:
		c.report(n, "not-allowed", []string{"allowed: " + r.words}, "%s cannot be %s", subject(n, r), n.Describe())
	}
}

// placeholder: what another tool would have replaced.
func placeholder(c *checker, n manifest.Node, r *rule) {
	hint := "write {env: NAME}, or {literal: TEXT} if you mean this text"
	if r.path != valueDefinition {
		hint = "write {literal: TEXT} if you mean this text; only settings can be references"
	}
	c.report(n, "placeholder", []string{hint}, "%s looks like a placeholder of another tool, and is taken as it stands", subject(n, r))
}

// missingKeys: required keys.
func (c *checker) missingKeys(n manifest.Node, r *rule, o *object, names []string) {
	var hints, quoted []string
	for _, name := range names {
		quoted = append(quoted, manifest.Quote(name))
		words := name
		if property := o.rule.properties[name]; property != nil {
			words += ": " + property.words
		}
		hints = append(hints, "add "+words)
	}
	if r != o.rule && r.words != "" {
		hints = append(hints, r.words)
	}
	what := "key"
	if len(names) > 1 {
		what = "keys"
	}
	c.report(n, "missing-key", hints, "missing %s %s", what, strings.Join(quoted, ", "))
}

// nothingDeclared: none of several keys, one of which is required.
func (c *checker) nothingDeclared(n manifest.Node, r *rule, o *object) {
	var names []string
	for _, alternative := range r.anyOf {
		names = append(names, alternative.required...)
	}
	if o.rule.path == "" {
		c.report(n, "missing-key", []string{"an empty list is allowed: sources: []"}, "%s needs at least one of %s", o.rule.name, list(names))
		return
	}
	c.report(n, "nothing-declared", []string{"a source that should stay as it is needs no entry"}, "%s needs at least one of %s", o.rule.name, list(names))
}

// list joins at least two words.
func list(words []string) string {
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

// unknownKey: a key that the format does not have.
func (c *checker) unknownKey(f manifest.Node, o *object) {
	if o.rule.path == valueDefinition {
		c.unknownReference(f, o)
		return
	}
	r, key := o.rule, f.Key()
	var hints []string
	if near := manifest.Nearest(key, r.known); near != "" {
		hints = append(hints, "did you mean "+manifest.Quote(near)+"?")
		if o.meant == nil {
			o.meant = map[string]bool{}
		}
		o.meant[near] = true
	}
	if f.QuoteKey() == "" && strings.Contains(key, ":") {
		hints = append(hints, spaceAfterColon)
	}
	if _, text := r.properties["literal"]; text && (key == "env" || key == "file" || key == "secret") {
		hints = append(hints, "only settings can be references")
	}
	allowed := "allowed here: " + strings.Join(r.known, ", ")
	if r.free || r.path == "" {
		allowed += ", and keys that begin with x-"
	}
	c.found = append(c.found, f.KeyProblem("unknown-key", append(hints, allowed), "unknown key%s", spaced(f.QuoteKey())))
}

// spaced returns s after a space, "" for "".
func spaced(s string) string {
	if s == "" {
		return ""
	}
	return " " + s
}

// unknownReference reports a key of a mapping that is not a reference. It is not
// repeated: a secret that begins with a brace is a mapping too.
func (c *checker) unknownReference(f manifest.Node, o *object) {
	hints := []string{"allowed here: " + list(o.rule.known) + "; quote text that begins with a brace"}
	if near := manifest.Nearest(f.Key(), o.rule.known); near != "" {
		hints = append([]string{"did you mean " + manifest.Quote(near) + "?"}, hints...)
	}
	c.found = append(c.found, f.KeyProblem("unknown-key", hints, "unknown key in %s", subject(o.node, o.rule)))
}

// tooManyKeys: a reference that names several places. Keys that are unknown
// are reported as that.
func tooManyKeys(c *checker, n manifest.Node, r *rule) {
	known := 0
	for _, f := range n.Fields() {
		if r.properties[f.Key()] != nil {
			known++
		}
	}
	if known > 1 {
		c.report(n, "two-references", []string{"choose one of them"}, "%s must be one of %s, not several", subject(n, r), list(r.known))
	}
}
