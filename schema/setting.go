package schema

import (
	"syncsources/manifest"
)

// settingDefinition is the place of a settings value in the schema.
const settingDefinition = "/definitions/value"

// spaceAfterColon is the advice on a key that may hold its own value.
const spaceAfterColon = "put a space after the colon that ends a key"

// settingAdvice says how to write what was probably meant.
func settingAdvice(n manifest.Node) []string {
	switch n.Kind() {
	case manifest.Null:
		if n.QuoteKey() == "" {
			return []string{spaceAfterColon}
		}
		return []string{`an empty value is declared as ""; leave the key out to declare nothing`}
	case manifest.Boolean, manifest.Number:
		return []string{"quote it: it is sent exactly as written"}
	case manifest.List:
		return []string{"quote text that begins with a bracket"}
	}
	return nil
}

// unknownReference reports the keys of a mapping that is no reference. They
// are not repeated: a secret that begins with a brace is a mapping too.
func unknownReference(t *translation, v violated) {
	known := v.properties()
	for _, f := range v.node.Fields() {
		if key := f.Key(); key == "env" || key == "file" {
			continue
		}
		advice := []string{"allowed here: env or file; quote text that begins with a brace"}
		if near := manifest.Nearest(f.Key(), known); near != "" {
			advice = append([]string{"did you mean " + manifest.Quote(near) + "?"}, advice...)
		}
		at := v
		at.node, at.isKey = f, true
		t.report(at, "unknown-key", advice, "unknown key in %s", v.subject())
	}
}

// tooManyKeys: a reference that names two places. Keys that are unknown are
// reported as that.
func tooManyKeys(t *translation, v violated) {
	_, isEnv := v.node.Field("env")
	_, isFile := v.node.Field("file")
	if isEnv && isFile {
		t.report(v, "two-references", []string{"choose one of them"}, "%s must be either {env: NAME} or {file: PATH}, not both", v.subject())
	}
}
