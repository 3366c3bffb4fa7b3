package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

func mapping() *yaml.Node { return &yaml.Node{Kind: yaml.MappingNode} }
func flow() *yaml.Node    { return &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle} }

// put adds a key to a mapping.
func put(mapping *yaml.Node, key string, value *yaml.Node) {
	mapping.Content = append(mapping.Content, textNode(key), value)
}

// list makes a node of each item, without those that cannot be declared.
func list[T any](items []T, make func(T) *yaml.Node) *yaml.Node {
	n := &yaml.Node{Kind: yaml.SequenceNode}
	for _, item := range items {
		if node := make(item); node != nil {
			n.Content = append(n.Content, node)
		}
	}
	return n
}

func integerNode(i int64) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: strconv.FormatInt(i, 10)}
}

func booleanNode(b bool) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: strconv.FormatBool(b)}
}

// refNode refers to an object by its name, or by its id if it has none.
func refNode(names map[int64]string, id int64) *yaml.Node {
	if name := names[id]; name != "" {
		return textNode(name)
	}
	return integerNode(id)
}

// valueNode is the literal value of a setting.
func valueNode(s string) *yaml.Node {
	if plainInteger(s) {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: s}
	}
	return literalNode(s)
}

// literalNode is a text, in a mapping {literal: TEXT} where it looks like a
// placeholder of another tool.
func literalNode(s string) *yaml.Node {
	if !placeholder.MatchString(s) {
		return textNode(s)
	}
	n := flow()
	put(n, "literal", textNode(s))
	return n
}

var (
	// placeholder is the pattern of the schema's definition of that name; a
	// test holds both together.
	placeholder = regexp.MustCompile(`^\s*(\$\{[^{}]*\}|\$?\{\{[^{}]*\}\}|\$[A-Z_][A-Z0-9_]*|%[A-Z_][A-Z0-9_]*%)\s*$`)
	tableName   = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	columnName  = regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`)
	columnTypes = []string{"int", "string", "double", "date", "datetime", "money", "timezone"}
	// plainText is what every reader of YAML, of old ones too, takes for a
	// string without quotes, unless it is one of the words of notText.
	plainText = regexp.MustCompile(`^[\pL_][\pL\pN_./-]*( [\pL\pN_./-]+)*$`)
	notText   = regexp.MustCompile(`^(?i:true|false|yes|no|on|off|y|n|null)$`)
)

// textNode is a string, quoted where there is any doubt; the encoder's own
// choice writes "<<" and "yes" without.
func textNode(s string) *yaml.Node {
	node := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
	if !plainText.MatchString(s) || notText.MatchString(s) {
		node.Style = yaml.DoubleQuotedStyle
	}
	return node
}

// declarable reports whether a manifest may hold the text.
func declarable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsAny(s, "\x00\uFFFD")
}

// encode writes a document, with a line --- before it, so that several can be
// put together.
func encode(w io.Writer, root *yaml.Node) error {
	var b bytes.Buffer
	encoder := yaml.NewEncoder(&b)
	encoder.SetIndent(2)
	if err := errors.Join(encoder.Encode(root), encoder.Close()); err != nil {
		return err
	}
	_, err := io.WriteString(w, "---\n"+visible(b.String()))
	return err
}

// visible escapes what the encoder writes as it is although nobody sees it, or
// sees something else because of it: bidirectional overrides and the like.
// Such characters are between double quotes only; see textNode.
func visible(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\n' || strconv.IsPrint(r):
			b.WriteRune(r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			fmt.Fprintf(&b, `\U%08X`, r)
		}
	}
	return b.String()
}
