package sandbox

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"
)

// LoadFile reads a state from a YAML file.
func LoadFile(path string) (*State, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readState(f, path)
}

// ReadState reads a state from YAML, strictly: unknown and duplicate keys,
// wrong types, and what contradicts itself are errors, each with its line.
// Empty input is the zero State.
func ReadState(r io.Reader) (*State, error) { return readState(r, "state") }

func readState(r io.Reader, name string) (*State, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	s := new(State)
	dec := yaml.NewDecoder(bytes.NewReader(b))
	dec.KnownFields(true)
	if err := dec.Decode(s); err != nil && err != io.EOF {
		return nil, fileError(name, err)
	}
	if err := dec.Decode(new(yaml.Node)); err != io.EOF {
		return nil, fmt.Errorf("%s: a state is a single YAML document", name)
	}
	if p := s.check(); p != nil {
		var root yaml.Node
		if err := yaml.Unmarshal(b, &root); err != nil {
			return nil, fileError(name, err)
		}
		return nil, fmt.Errorf("%s:%d: %s", name, lineOf(&root, p.path), p.msg)
	}
	return s, nil
}

// Forms of the library's messages.
var (
	unknownKey = regexp.MustCompile(`^line (\d+): field (.+) not found in type .*$`)
	wrongType  = regexp.MustCompile(`^line (\d+): cannot unmarshal !!(\w+)(?: (.*))? into (.+)$`)
	lineFirst  = regexp.MustCompile(`^(?:yaml: )?line (\d+): (.*)$`)
)

// fileError puts the library's messages into our form, a line for each.
func fileError(name string, err error) error {
	messages := []string{err.Error()}
	if te, ok := errors.AsType[*yaml.TypeError](err); ok {
		messages = te.Errors
	}
	for i, m := range messages {
		m = unknownKey.ReplaceAllString(m, `line $1: unknown key "$2"`)
		m = wrongType.ReplaceAllStringFunc(m, func(s string) string {
			p := wrongType.FindStringSubmatch(s)
			return strings.TrimSpace(fmt.Sprintf("line %s: a %s where a %s belongs: %s", p[1], cmp.Or(tagNames[p[2]], p[2]), typeName(p[4]), p[3]))
		})
		if p := lineFirst.FindStringSubmatch(m); p != nil {
			m = fmt.Sprintf("%s:%s: %s", name, p[1], p[2])
		} else {
			m = fmt.Sprintf("%s: %s", name, strings.TrimPrefix(m, "yaml: "))
		}
		messages[i] = strings.TrimSuffix(m, ":")
	}
	return errors.New(strings.Join(messages, "\n"))
}

// tagNames say what YAML tags are in words.
var tagNames = map[string]string{"str": "text", "int": "whole number", "float": "number", "bool": "boolean", "seq": "list"}

// typeNames say what Go types are in YAML, by how their names begin.
var typeNames = []struct{ prefix, name string }{
	{"time.Duration", "duration such as 1.35s"}, {"[]", "list"}, {"map[", "map"}, {"sandbox.", "map"},
	{"int", "whole number"}, {"uint", "whole number"}, {"float", "number"},
}

func typeName(t string) string {
	for _, n := range typeNames {
		if strings.HasPrefix(t, n.prefix) {
			return n.name
		}
	}
	return t
}

// lineOf finds the line of a place in a file: of the key if it is there, else
// of what it belongs to.
func lineOf(n *yaml.Node, path []any) int {
	if n.Kind == yaml.DocumentNode && len(n.Content) > 0 {
		n = n.Content[0]
	}
	line := n.Line
	for _, step := range path {
		for n.Kind == yaml.AliasNode {
			n = n.Alias
		}
		var next *yaml.Node
		switch step := step.(type) {
		case int:
			if n.Kind == yaml.SequenceNode && step < len(n.Content) {
				next = n.Content[step]
				line = next.Line
			}
		case string:
			for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
				if n.Content[i].Value == step {
					line, next = n.Content[i].Line, n.Content[i+1]
				}
			}
		}
		if next == nil {
			break
		}
		n = next
	}
	return max(line, 1)
}
