package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"syncsources/bitrix"
	"syncsources/bitrix/rest"
)

// exported is a manifest of live sources and the variables it refers to.
type exported struct {
	portal    string // may be empty
	sources   *yaml.Node
	variables []variable
}

// variable stands for the value of a setting.
type variable struct {
	name  string
	title string // of the source
	id    int64
	code  string
}

// newExported builds the manifest. Values of settings do not go into it.
func newExported(portal string, live []bitrix.Source) *exported {
	ex := &exported{portal: portal, sources: &yaml.Node{Kind: yaml.SequenceNode}}
	if len(live) == 0 {
		ex.sources.Style = yaml.FlowStyle // []
	}
	taken := map[string]bool{}
	for i := range live {
		ex.sources.Content = append(ex.sources.Content, ex.source(&live[i], taken))
	}
	return ex
}

// source declares one source. What a manifest cannot declare is named in a
// comment.
func (ex *exported) source(s *bitrix.Source, taken map[string]bool) *yaml.Node {
	node := &yaml.Node{Kind: yaml.MappingNode}
	put(node, "id", &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: strconv.FormatInt(s.ID, 10)})
	var notes []string
	switch {
	case s.Title == "" || s.Title == "0" || !declarable(s.Title):
		notes = append(notes, fmt.Sprintf("its title, %q, cannot be declared", s.Title))
	default:
		put(node, "title", text(s.Title))
	}
	switch {
	case !declarable(s.Description):
		notes = append(notes, fmt.Sprintf("its description, %q, cannot be declared", s.Description))
	case s.Description != "":
		put(node, "description", text(s.Description))
	}
	if s.Active == rest.Unsaid {
		notes = append(notes, "the portal does not say whether it is active")
	} else {
		put(node, "active", &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: strconv.FormatBool(s.Active == rest.True)})
	}
	settings := &yaml.Node{Kind: yaml.MappingNode}
	seen := map[string]bool{} // a portal that repeats one must not make an invalid manifest
	for _, setting := range s.Settings {
		if seen[setting.Code] {
			continue
		}
		seen[setting.Code] = true
		if setting.Code == "" || !declarable(setting.Code) {
			notes = append(notes, fmt.Sprintf("the setting %q is left out: it cannot be declared", setting.Code))
			continue
		}
		if setting.Value.Plain() == "" {
			notes = append(notes, fmt.Sprintf("the setting %q is left out: it has no value", setting.Code))
			continue
		}
		name := variableName(s.ID, setting.Code, taken)
		ex.variables = append(ex.variables, variable{name, s.Title, s.ID, setting.Code})
		reference := &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle}
		put(reference, "env", text(name))
		put(settings, setting.Code, reference)
	}
	if len(settings.Content) > 0 {
		put(node, "settings", settings)
	}
	node.HeadComment = strings.Join(notes, "\n")
	return node
}

// put adds a key to a mapping.
func put(mapping *yaml.Node, key string, value *yaml.Node) {
	mapping.Content = append(mapping.Content, text(key), value)
}

// plainText is what every reader of YAML, of old ones too, takes for a string
// without quotes, unless it is one of the words of notText.
var (
	plainText = regexp.MustCompile(`^[\pL_][\pL\pN_./-]*( [\pL\pN_./-]+)*$`)
	notText   = regexp.MustCompile(`^(?i:true|false|yes|no|on|off|y|n|null)$`)
)

// text is a string, quoted where there is any doubt; the encoder's own choice
// writes "<<" and "yes" without.
func text(s string) *yaml.Node {
	node := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
	if !plainText.MatchString(s) || notText.MatchString(s) {
		node.Style = yaml.DoubleQuotedStyle
	}
	return node
}

// declarable reports whether a manifest may hold the text.
func declarable(s string) bool { return !strings.ContainsRune(s, 0) }

// variableName makes a name of an environment variable that only this setting
// has: SOURCE_4_PASSWORD. It is made from what does not change, not from the
// title, because secrets are kept under it elsewhere.
func variableName(id int64, code string, taken map[string]bool) string {
	word := strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z':
			return r - 'a' + 'A'
		case 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
			return r
		}
		return '_'
	}, code), "_")
	if word == "" {
		word = "SETTING"
	}
	base := fmt.Sprintf("SOURCE_%d_%s", id, word)
	name := base
	for n := 2; taken[name]; n++ {
		name = fmt.Sprintf("%s_%d", base, n)
	}
	taken[name] = true
	return name
}

// write writes the manifest.
func (ex *exported) write(w io.Writer) error {
	root := &yaml.Node{Kind: yaml.MappingNode}
	put(root, "version", &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: "1"})
	if ex.portal != "" {
		put(root, "portal", &yaml.Node{Kind: yaml.ScalarNode, Value: ex.portal}) // an address needs no quotes
	}
	put(root, "sources", ex.sources)
	var b bytes.Buffer
	encoder := yaml.NewEncoder(&b)
	encoder.SetIndent(2)
	if err := errors.Join(encoder.Encode(root), encoder.Close()); err != nil {
		return err
	}
	_, err := io.WriteString(w, visible(b.String()))
	return err
}

// visible escapes what the encoder writes as it is although nobody sees it, or
// sees something else because of it: bidirectional overrides and the like.
// Such characters stand between double quotes only; see text.
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

// writeEnv writes the variables without values, by source.
func (ex *exported) writeEnv(w io.Writer) error {
	b := bufio.NewWriter(w)
	var last int64
	for _, v := range ex.variables {
		if v.id != last {
			_, _ = fmt.Fprintf(b, "# source %d, %+q\n", v.id, v.title)
			last = v.id
		}
		_, _ = fmt.Fprintf(b, "%s=\n", v.name)
	}
	return b.Flush()
}
