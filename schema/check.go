package schema

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"syncsources/manifest"
)

// Check reports what a document says against the schema of manifests, in the
// order of the file.
func Check(doc *manifest.Document) []*manifest.Finding { return check(doc.Root(), manifests()) }

// CheckPortals reports what a document says against the schema of portals
// files.
func CheckPortals(doc *manifest.Document) []*manifest.Finding {
	return check(doc.Root(), portalsFiles())
}

func check(n manifest.Node, r *rule) []*manifest.Finding {
	var c checker
	c.value(n, r)
	return c.found
}

// checker walks a document and a schema side by side.
type checker struct {
	found []*manifest.Finding
	// silent counts the conditions that are being tried: whether they hold is
	// no finding.
	silent int
	fields []manifest.Node // of the mappings that are being checked
}

// object is a mapping whose keys have been looked at.
type object struct {
	node   manifest.Node
	rule   *rule // with its properties
	fields []manifest.Node
	meant  map[string]bool // properties that unknown keys were probably meant to be
}

// value reports whether n is as r says.
func (c *checker) value(n manifest.Node, r *rule) bool {
	kind := n.Kind()
	if r.kinds != 0 && !r.kinds.has(kind) {
		return c.fail(n, r, wrongType)
	}
	if r.constant != "" && kind != r.constKind || r.enum != nil && kind != manifest.String {
		return c.fail(n, r, wrongValue)
	}
	ok, start := true, len(c.fields)
	var o *object
	switch kind {
	case manifest.String:
		ok = c.text(n, r)
	case manifest.Integer, manifest.Number:
		ok = c.number(n, r)
	case manifest.List:
		if n.Len() < r.fewest {
			ok = c.fail(n, r, empty)
		}
		if r.items != nil {
			for item := range n.Items() {
				ok = c.value(item, r.items) && ok
			}
		}
	case manifest.Mapping:
		c.fields = n.AppendFields(c.fields)
		o = &object{node: n, rule: r, fields: c.fields[start:]}
		ok = c.mapping(n, o)
	}
	ok = c.combined(n, r, r, o) && ok
	c.fields = c.fields[:start]
	return ok
}

// combined reports whether n is as r says as a whole: r is what messages speak
// of, or a part of that, which says nothing of single properties. o is nil
// where n is not a mapping.
func (c *checker) combined(n manifest.Node, r, of *rule, o *object) bool {
	ok := true
	if r.required != nil && o != nil {
		ok = c.required(n, r, o)
	}
	if r.not != nil && c.holds(n, r.not, o) {
		ok = c.fail(n, of, func(c *checker, n manifest.Node, of *rule) { notAllowed(c, n, of, r.not) })
	}
	for _, part := range r.allOf {
		ok = c.combined(n, part, of, o) && ok
	}
	if r.anyOf != nil && !slices.ContainsFunc(r.anyOf, func(part *rule) bool { return c.holds(n, part, o) }) {
		ok = false
		c.noneOf(n, r, o)
	}
	if r.condition != nil {
		part := r.or
		if c.holds(n, r.condition, o) {
			part = r.then
		} else if o != nil && slices.ContainsFunc(r.condition.required, func(name string) bool { return o.meant[name] }) {
			part = nil // an id that is misspelt is reported as that
		}
		if part != nil {
			ok = c.combined(n, part, of, o) && ok
		}
	}
	return ok
}

// holds reports whether n is as r says, without a finding.
func (c *checker) holds(n manifest.Node, r *rule, o *object) bool {
	ok := false
	c.silent++
	if o != nil && len(r.properties) == 0 && r.kinds == 0 && r.constant == "" {
		ok = c.combined(n, r, r, o) // the keys have been looked at
	} else {
		ok = c.value(n, r)
	}
	c.silent--
	return ok
}

// fail adds the finding of one violation, and returns false.
func (c *checker) fail(n manifest.Node, r *rule, say func(*checker, manifest.Node, *rule)) bool {
	if c.silent == 0 {
		say(c, n, r)
	}
	return false
}

// text reports whether a string is as r says.
func (c *checker) text(n manifest.Node, r *rule) bool {
	ok, s := true, n.Text()
	if r.constant != "" && s != r.constant || r.enum != nil && !slices.Contains(r.enum, s) {
		ok = c.fail(n, r, wrongValue)
	}
	if s == "" && r.minLength > 0 {
		return c.fail(n, r, empty)
	}
	if r.maxLength > 0 && len(s) > r.maxLength && utf8.RuneCountInString(s) > r.maxLength {
		ok = c.fail(n, r, tooLong)
	}
	if r.pattern != nil && !r.pattern.MatchString(s) {
		ok = c.fail(n, r, wrongForm)
	}
	return ok
}

// number reports whether a number is as r says. An integer that is not in
// plain decimal form is reported by package manifest.
func (c *checker) number(n manifest.Node, r *rule) bool {
	if n.Kind() == manifest.Integer && !n.Plain() {
		return true
	}
	if r.constant != "" && n.Text() != r.constant {
		return c.fail(n, r, wrongValue)
	}
	if !r.limited {
		return true
	}
	if n.Kind() == manifest.Integer {
		if _, err := strconv.ParseInt(n.Text(), 10, 64); err != nil {
			return c.fail(n, r, outOfRange) // the largest int64 is not a float64
		}
	}
	if v, err := strconv.ParseFloat(n.Text(), 64); err != nil || !(v >= r.minimum && v <= r.maximum) {
		return c.fail(n, r, outOfRange)
	}
	return true
}

// mapping reports whether the fields of a mapping are as its rule says.
func (c *checker) mapping(n manifest.Node, o *object) bool {
	r, ok := o.rule, true
	if len(o.fields) < r.fewest {
		return c.fail(n, r, empty)
	}
	if r.most > 0 && len(o.fields) > r.most {
		ok = c.fail(n, r, tooManyKeys)
	}
	for _, f := range o.fields {
		key := f.Key()
		if r.keys != nil && key == "" && r.keys.minLength > 0 {
			ok = c.fail(f, r, emptyKey)
			continue
		}
		if known, is := r.properties[key]; is {
			ok = c.value(f, known) && ok
			continue
		}
		switch {
		case r.free && strings.HasPrefix(key, "x-"):
		case r.closed:
			ok = false
			if c.silent == 0 {
				c.unknownKey(f, o)
			}
		case r.others != nil:
			ok = c.value(f, r.others) && ok
		}
	}
	return ok
}

// required reports whether the required keys are there. One that was
// probably misspelt is reported as that.
func (c *checker) required(n manifest.Node, r *rule, o *object) bool {
	missing := slices.DeleteFunc(slices.Clone(r.required), o.has)
	if len(missing) == 0 {
		return true
	}
	missing = slices.DeleteFunc(missing, func(name string) bool { return o.meant[name] })
	if c.silent == 0 && len(missing) > 0 {
		c.missingKeys(n, r, o, missing)
	}
	return false
}

func (o *object) has(name string) bool {
	return slices.ContainsFunc(o.fields, func(f manifest.Node) bool { return f.Key() == name })
}

// noneOf reports a mapping that has none of several keys.
func (c *checker) noneOf(n manifest.Node, r *rule, o *object) {
	if c.silent > 0 || o == nil {
		return
	}
	for _, alternative := range r.anyOf {
		if slices.ContainsFunc(alternative.required, func(name string) bool { return o.meant[name] }) {
			return
		}
	}
	c.nothingDeclared(n, r, o)
}
