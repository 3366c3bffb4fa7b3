package manifest

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// scope is what is known of a place in a manifest. Messages may repeat a value
// whose place is known to hold no secret, and nothing else: what is in a
// settings block, under keys that begin with x- or under keys that nobody
// knows may be a password. A nil scope is such an unknown place.
//
// What has an anchor, or is reached through an alias, is never repeated: it may be a
// settings value elsewhere.
type scope struct {
	open    bool // values may be repeated
	address bool // unless they hold credentials
	fields  map[string]*scope
	names   []string // of fields, sorted
	others  *scope   // of every other key, and of the items of a list
}

var (
	label     = ofAnyKind(&scope{open: true})
	addresses = ofAnyKind(&scope{open: true, address: true})
	// settings has keys that are known to be codes, and values that are secrets.
	settings      = &scope{}
	manifestScope = keyed(false, map[string]*scope{
		"version": label, "portal": addresses, "keep": label,
		"connectors": listOf(keyed(true, map[string]*scope{
			"name": label, "id": label, "title": label, "description": label, "logo": addresses, "sort": label, "urlCheck": addresses, "urlTableList": addresses,
			"urlTableDescription": addresses, "urlData": addresses, "supportMapping": label, "settings": label,
		})),
		"sources": listOf(keyed(true, map[string]*scope{
			"name": label, "id": label, "connector": label, "title": label, "description": label, "active": label, "reveal": label, "settings": settings,
		})),
		"tables": listOf(keyed(true, map[string]*scope{
			"name": label, "source": label, "externalName": label, "externalCode": label, "description": label, "columns": label,
		})),
	})
	portalsScope = keyed(false, map[string]*scope{
		"version": label, "store": settings, "defaults": keyed(true, map[string]*scope{"limits": label, "credentials": settings}),
		"portals": listOf(keyed(true, map[string]*scope{
			"name": label, "url": addresses, "manifests": label, "env_file": label, "limits": label, "credentials": settings,
		})),
	})
)

// ofAnyKind makes s the scope of all that is in it.
func ofAnyKind(s *scope) *scope {
	s.others = s
	return s
}

// keyed returns the scope of a mapping with known keys.
func keyed(open bool, fields map[string]*scope) *scope {
	return &scope{open: open, fields: fields, names: slices.Sorted(maps.Keys(fields))}
}

func listOf(items *scope) *scope { return &scope{open: true, others: items} }

// of returns the scope of what is under a key: the one that the key has,
// or was probably meant to have.
func (s *scope) of(key string) *scope {
	if s == nil {
		return nil
	}
	if known, ok := s.fields[key]; ok {
		return known
	}
	if s.fields == nil || strings.HasPrefix(key, "x-") {
		return s.others
	}
	return s.fields[Nearest(key, s.names)]
}

// items returns the scope of a list's items.
func (s *scope) items() *scope {
	if s == nil {
		return nil
	}
	return s.others
}

// anchored returns the scope of what has an anchor: of a mapping or list its
// keys remain known.
func (s *scope) anchored() *scope {
	if s == nil {
		return nil
	}
	return settings
}

// credential is what makes an address a secret: a user name, a token, or the
// code of a webhook.
var credential = regexp.MustCompile(`(?i)[@?#]|/rest/[^/]+/.`)

// shown reports whether messages may repeat the value.
func (n Node) shown() bool {
	return n.scope != nil && n.scope.open && !(n.scope.address && credential.MatchString(n.val.Value))
}

// keyShown reports whether messages may repeat the key of a field. In braces
// YAML takes password:secret, with no space after the colon, for a key without
// a value.
func (n Node) keyShown() bool {
	if !n.named || n.shared || strings.Contains(n.key.Value, ":") {
		return false
	}
	if n.val.Kind != yaml.ScalarNode || n.val.Value != "" || n.val.ShortTag() != "!!null" {
		return true
	}
	// A null that nobody wrote has the place where its colon ends.
	return n.doc.text.before(n.val) == ':'
}

// maxExcerpt is the widest excerpt, in characters.
const maxExcerpt = 60

// excerpt returns the field or item as it might be written, "" where it may
// hold a secret or is not a scalar.
func (n Node) excerpt() string {
	if n.val.Kind != yaml.ScalarNode || n.val.Value == "" || !n.shown() || n.key != nil && !n.keyShown() {
		return ""
	}
	text := n.val.Value
	if n.val.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0 || strings.ContainsAny(text, "\n\r") {
		text = Quote(text)
	}
	if n.key != nil {
		text = n.key.Value + ": " + text
	}
	if utf8.RuneCountInString(text) > maxExcerpt {
		text = string([]rune(text)[:maxExcerpt]) + "..."
	}
	return printable(text)
}
