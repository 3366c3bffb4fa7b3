package sandbox

import (
	"maps"
	"slices"

	"syncsources/bitrix/sandbox/php"
)

// connector is a connector as the portal holds it; it does not change.
type connector struct {
	id          int64
	title       string
	description string
	settings    []SettingType
}

func newConnector(c Connector) *connector {
	out := &connector{id: c.ID, title: c.Title, description: c.Description}
	for _, s := range c.Settings {
		if s.Name == "" {
			s.Name = s.Code
		}
		if s.Type == "" {
			s.Type = "STRING"
		}
		out.settings = append(out.settings, s)
	}
	return out
}

// setting finds a declared setting by its code.
func (c *connector) setting(code string) (SettingType, bool) {
	for _, s := range c.settings {
		if s.Code == code {
			return s, true
		}
	}
	return SettingType{}, false
}

func (c *connector) declares(code string) bool {
	_, ok := c.setting(code)
	return ok
}

var connectorFieldList = []field{
	{"id", "integer", true, true, false},
	{"title", "string", true, false, false},
	{"logo", "string", true, false, false},
	{"description", "string", false, false, false},
	{"dateCreate", "datetime", true, true, false},
	{"urlCheck", "string", true, false, false},
	{"urlTableList", "string", true, false, false},
	{"urlTableDescription", "string", true, false, false},
	{"urlData", "string", true, false, false},
	{"sort", "integer", false, false, false},
	{"settings", "array", true, false, false},
}

// value is a field of a connector, as a list shows it.
func (c *connector) value(name string) any {
	url := func(path string) string {
		return "https://connector-" + idText(c.id) + ".example/" + path
	}
	switch name {
	case "id":
		return idText(c.id)
	case "title":
		return c.title
	case "logo":
		return ""
	case "description":
		return c.description
	case "dateCreate":
		return epoch.Format(dateFormat)
	case "urlCheck":
		return url("check")
	case "urlTableList":
		return url("table_list")
	case "urlTableDescription":
		return url("table_description")
	case "urlData":
		return url("data")
	case "sort":
		return "100"
	case "settings":
		l := &php.Array{}
		for _, s := range c.settings {
			l.Push(php.Dict("code", s.Code, "name", s.Name, "type", s.Type))
		}
		return l
	}
	return nil
}

func (c *connector) item(names []string) *php.Array {
	a := &php.Array{}
	for _, n := range names {
		a.Set(n, c.value(n))
	}
	return a
}

// connectorList is biconnector.connector.list.
func (r *run) connectorList(params *php.Array) (any, *apiError) {
	q, err := readListing(params, connectorFieldList)
	if err != nil {
		return nil, err
	}
	if err := r.work(r.p.cfg.ReadCost); err != nil {
		return nil, err
	}
	r.p.mu.Lock()
	defer r.p.mu.Unlock()
	var rows []row
	for _, id := range slices.Sorted(maps.Keys(r.p.connectors)) {
		rows = append(rows, r.p.connectors[id])
	}
	return q.page(rows), nil
}

// connectorGet is biconnector.connector.get.
func (r *run) connectorGet(params *php.Array) (any, *apiError) {
	id, err := checkID(params)
	if err != nil {
		return nil, err
	}
	if err := r.work(r.p.cfg.ReadCost); err != nil {
		return nil, err
	}
	r.p.mu.Lock()
	defer r.p.mu.Unlock()
	c := r.p.connectors[id]
	if c == nil {
		return nil, errConnectorNotFound
	}
	item := c.item(fieldNames(connectorFieldList))
	item.Set("id", c.id)
	return php.Dict("item", item), nil
}

// connectorFields is biconnector.connector.fields.
func (r *run) connectorFields(*php.Array) (any, *apiError) { return describe(connectorFieldList), nil }

// describe is the answer of the fields methods.
func describe(fields []field) *php.Array {
	l := &php.Array{}
	for _, f := range fields {
		l.Push(php.Dict("title", f.name, "type", f.kind, "isRequired", f.required, "isReadOnly", f.readOnly,
			"isImmutable", f.immutable, "isMultiple", f.kind == "array"))
	}
	return php.Dict("fields", l)
}

func fieldNames(fields []field) []string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.name
	}
	return names
}
