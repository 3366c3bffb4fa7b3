package manifest

import (
	"strings"

	"gopkg.in/yaml.v3"
)

// scalarKind returns what a scalar is. It differs from the YAML library where
// that one looks at the range of Go's types: digits alone are an integer
// however many they are, and 089, which is not an octal number, is an integer
// badly written, not the number 89.
func scalarKind(n *yaml.Node) Kind {
	switch n.ShortTag() {
	case "!!null":
		return Null
	case "!!bool":
		return Boolean
	case "!!int":
		return Integer
	case "!!float":
		if n.Style&yaml.TaggedStyle == 0 && onlyDigits(n.Value) {
			return Integer
		}
		return Number
	}
	return String
}

// onlyDigits reports whether s is digits and underscores after at most one
// sign.
func onlyDigits(s string) bool {
	if s != "" && (s[0] == '-' || s[0] == '+') {
		s = s[1:]
	}
	return s != "" && strings.Trim(s, "0123456789_") == ""
}

// plainInteger reports whether s is an integer as every reader of YAML and
// JSON understands it: decimal digits without a leading zero, perhaps after a
// minus sign; not -0.
func plainInteger(s string) bool {
	if s == "0" {
		return true
	}
	s = strings.TrimPrefix(s, "-")
	return s != "" && s[0] != '0' && strings.Trim(s, "0123456789") == ""
}
