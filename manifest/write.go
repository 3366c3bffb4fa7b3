package manifest

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// WriteOptions are the choices of Write.
type WriteOptions struct {
	// Active declares whether sources are active. Current portals ignore it.
	Active bool
	// Values chooses the settings by code whose values are written, with
	// reveal; all others become references. nil: none is written.
	Values func(code string) bool
	// EnvPrefix is put before the names of the variables.
	EnvPrefix string
	// Declared is what other manifests declare: their names are not used
	// again, and their connectors and sources are referred to by name.
	Declared *Set
}

// Written says what Write could not put into the manifest.
type Written struct {
	// Variables hold the values of settings.
	Variables []Variable
	// LeftOut says what cannot be declared, a line each.
	LeftOut []string
}

// Variable holds the value of a setting.
type Variable struct {
	Name  string // of the environment variable
	ID    int64  // of the source
	Title string
	Code  string
}

// Write writes a manifest that declares what is live, as it is: once its
// variables are set, a plan of it shows no change.
func Write(w io.Writer, live Live, o WriteOptions) (*Written, error) {
	e := &writer{options: o, result: &Written{}, taken: map[string]bool{}}
	e.name(live)
	root := mapping()
	put(root, "version", integerNode(1))
	if live.Portal != "" {
		put(root, "portal", &yaml.Node{Kind: yaml.ScalarNode, Value: live.Portal}) // an address needs no quotes
	}
	lists := 0
	add := func(key string, list *yaml.Node) {
		if len(list.Content) > 0 {
			put(root, key, list)
			lists++
		}
	}
	add("connectors", list(live.Connectors, e.connector))
	add("sources", list(live.Sources, e.source))
	add("tables", list(live.Tables, e.table))
	if lists == 0 {
		put(root, "sources", &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle})
	}
	return e.result, encode(w, root)
}

// writer makes the nodes of a manifest.
type writer struct {
	options             WriteOptions
	connectors, sources map[int64]string // names by id
	taken               map[string]bool  // names of variables
	result              *Written
}

// name finds names for connectors and sources.
func (e *writer) name(live Live) {
	connectors, sources := newNamer("connector"), newNamer("source")
	if o := e.options.Declared; o != nil {
		for _, c := range o.Connectors {
			connectors.declare(c.Object)
		}
		for _, s := range o.Sources {
			sources.declare(s.Object)
		}
	}
	for _, c := range live.Connectors {
		connectors.add(c.ID, c.Title)
	}
	for _, s := range live.Sources {
		sources.add(s.ID, s.Title)
	}
	e.connectors, e.sources = connectors.names, sources.names
}

// object collects what is declared of one object, and what cannot be.
type object struct {
	*yaml.Node
	writer  *writer
	label   string // source #4
	unclean []string
	notes   []string
}

func (e *writer) object(kind string, id int64, unclean []string) *object {
	return &object{Node: mapping(), writer: e, label: fmt.Sprintf("%s #%d", kind, id), unclean: unclean}
}

func (o *object) note(format string, args ...any) {
	note := fmt.Sprintf(format, args...)
	o.notes = append(o.notes, note)
	o.writer.result.LeftOut = append(o.writer.result.LeftOut, o.label+": "+note)
}

// text declares a text, if it can be declared.
func (o *object) text(key, s string, fits bool) bool {
	switch {
	case slices.Contains(o.unclean, key) || !declarable(s):
		o.note("its %s is left out: the portal's text is not valid UTF-8, or holds characters that cannot be declared", key)
	case !fits:
		o.note("its %s, %s, is left out: it cannot be declared", key, Quote(s))
	default:
		put(o.Node, key, literalNode(s))
		return true
	}
	return false
}

func (o *object) done() *yaml.Node {
	o.HeadComment = strings.Join(o.notes, "\n")
	return o.Node
}

func (e *writer) connector(c LiveConnector) *yaml.Node {
	o := e.object("connector", c.ID, c.Unclean)
	put(o.Node, "name", textNode(e.connectors[c.ID]))
	put(o.Node, "id", integerNode(c.ID))
	o.text("title", c.Title, fits(c.Title, 1, 512))
	if c.Description != "" {
		o.text("description", c.Description, true)
	}
	switch {
	case c.Logo == "":
	case strings.HasPrefix(c.Logo, "data:"):
		// Most are. It is no loss to warn of: what is not declared is not touched.
		o.notes = append(o.notes, fmt.Sprintf("its logo is left out: a data: URI of %d characters", len(c.Logo)))
	default:
		o.text("logo", c.Logo, true)
	}
	put(o.Node, "sort", integerNode(c.Sort))
	for _, address := range []struct{ key, value string }{
		{"urlCheck", c.URLCheck}, {"urlTableList", c.URLTableList}, {"urlTableDescription", c.URLTableDescription}, {"urlData", c.URLData},
	} {
		o.text(address.key, address.value, fits(address.value, 1, 2048))
	}
	if c.SupportMapping != nil {
		put(o.Node, "supportMapping", booleanNode(*c.SupportMapping))
	}
	settings := &yaml.Node{Kind: yaml.SequenceNode}
	seen := map[string]bool{}
	for _, s := range c.Settings {
		if seen[s.Code] || !declarable(s.Code) || !declarable(s.Name) || !fits(s.Code, 1, 512) || !fits(s.Name, 1, 512) || s.Type != "STRING" && s.Type != "INT" || slices.Contains(c.Unclean, "settings."+s.Code) {
			o.note("the setting %s is left out: it cannot be declared", Quote(s.Code))
			continue
		}
		seen[s.Code] = true
		item := flow()
		put(item, "code", textNode(s.Code))
		put(item, "name", textNode(s.Name))
		put(item, "type", textNode(s.Type))
		settings.Content = append(settings.Content, item)
	}
	if len(settings.Content) == 0 {
		settings.Style = yaml.FlowStyle
	}
	put(o.Node, "settings", settings)
	return o.done()
}

func (e *writer) source(s LiveSource) *yaml.Node {
	o := e.object("source", s.ID, s.Unclean)
	put(o.Node, "name", textNode(e.sources[s.ID]))
	put(o.Node, "id", integerNode(s.ID))
	if s.ConnectorID > 0 {
		put(o.Node, "connector", refNode(e.connectors, s.ConnectorID))
	}
	declared := o.text("title", s.Title, fits(s.Title, 1, 512) && s.Title != "0")
	if s.Description != "" {
		declared = o.text("description", s.Description, true) || declared
	}
	if s.Active != nil && e.options.Active {
		put(o.Node, "active", booleanNode(*s.Active))
		declared = true
	}
	settings, reveal := e.settings(o, s)
	if len(settings.Content) > 0 {
		put(o.Node, "settings", settings)
	} else if !declared && s.Description == "" && !slices.Contains(s.Unclean, "description") {
		put(o.Node, "description", textNode(""))
	} else if !declared {
		o.note("it is left out: nothing of it can be declared")
		delete(e.sources, s.ID) // tables refer to its id
		return nil
	}
	if len(reveal.Content) > 0 {
		put(o.Node, "reveal", reveal)
	}
	return o.done()
}

func (e *writer) settings(o *object, s LiveSource) (settings, reveal *yaml.Node) {
	settings, reveal = mapping(), &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
	seen := map[string]bool{}
	for _, setting := range s.Settings {
		value := setting.Value.Plain()
		switch {
		case seen[setting.Code]:
			continue // a portal that repeats one must not make an invalid manifest
		case setting.Code == "" || !declarable(setting.Code):
			o.note("the setting %s is left out: it cannot be declared", Quote(setting.Code))
		case value == "":
			o.note("the setting %s is left out: the portal shows no value", Quote(setting.Code))
		case slices.Contains(s.Unclean, "settings."+setting.Code):
			o.note("the setting %s is left out: the portal's value is not valid UTF-8", Quote(setting.Code))
		case e.options.Values != nil && e.options.Values(setting.Code) && declarable(value):
			put(settings, setting.Code, valueNode(value))
			reveal.Content = append(reveal.Content, textNode(setting.Code))
		default:
			name := e.variable(s.ID, setting.Code)
			e.result.Variables = append(e.result.Variables, Variable{name, s.ID, s.Title, setting.Code})
			reference := flow()
			put(reference, "env", textNode(name))
			put(settings, setting.Code, reference)
		}
		seen[setting.Code] = true
	}
	return settings, reveal
}

func (e *writer) table(t LiveTable) *yaml.Node {
	o := e.object("table", t.ID, t.Unclean)
	o.label = "table " + t.Name
	if !tableName.MatchString(t.Name) || len(t.Name) > 230 {
		o.note("it is left out: its name cannot be declared")
		return nil
	}
	put(o.Node, "name", textNode(t.Name))
	put(o.Node, "source", refNode(e.sources, t.SourceID))
	if !o.text("externalName", t.ExternalName, fits(t.ExternalName, 0, 512)) || !o.text("externalCode", t.ExternalCode, fits(t.ExternalCode, 0, 512)) {
		return nil
	}
	if t.Description != "" {
		o.text("description", t.Description, true)
	}
	columns := &yaml.Node{Kind: yaml.SequenceNode}
	names, codes := map[string]bool{}, map[string]bool{}
	for _, c := range t.Columns {
		if names[c.Name] || codes[c.ExternalCode] && c.ExternalCode != "" || !columnName.MatchString(c.Name) || len(c.Name) > 32 || !slices.Contains(columnTypes, c.Type) || !declarable(c.ExternalCode) || !fits(c.ExternalCode, 0, 512) {
			o.note("the column %s is left out: it cannot be declared", Quote(c.Name))
			continue
		}
		names[c.Name], codes[c.ExternalCode] = true, true
		item := flow()
		put(item, "name", textNode(c.Name))
		put(item, "type", textNode(c.Type))
		put(item, "externalCode", literalNode(c.ExternalCode))
		if c.Visible != nil && !*c.Visible {
			put(item, "visible", booleanNode(false))
		}
		columns.Content = append(columns.Content, item)
	}
	if len(columns.Content) == 0 {
		o.note("it is left out: it has no column that can be declared")
		return nil
	}
	put(o.Node, "columns", columns)
	return o.done()
}

// variable makes a name of an environment variable that only this setting has:
// SOURCE_4_PASSWORD. It is made from what does not change, not from the title,
// because secrets are kept under it elsewhere.
func (e *writer) variable(id int64, code string) string {
	word := cmp.Or(VariableWord(code), "SETTING")
	base := e.options.EnvPrefix + "SOURCE_" + strconv.FormatInt(id, 10) + "_" + word
	name := base
	for n := 2; e.taken[name]; n++ {
		name = base + "_" + strconv.Itoa(n)
	}
	e.taken[name] = true
	return name
}

// VariableWord is a text as it can be part of a variable's name: api-key is
// API_KEY. It may be empty.
func VariableWord(text string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z':
			return r - 'a' + 'A'
		case 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
			return r
		}
		return '_'
	}, text), "_")
}

// fits reports whether a text has from fewest to most characters.
func fits(s string, fewest, most int) bool {
	n := utf8.RuneCountInString(s)
	return fewest <= n && n <= most
}
