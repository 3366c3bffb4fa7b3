package sandbox

import (
	"slices"
	"time"

	"syncsources/bitrix/sandbox/php"
)

// connector is a connector as the portal holds it.
type connector struct {
	Connector
	created time.Time
}

func (c *connector) key() (int64, string, int64) { return c.ID, c.Owner, 0 }

// neutralLogo is the logo of a connector whose state has none.
const neutralLogo = "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciLz4="

// epoch dates what a state file holds: the portal may be made under another
// clock than it is used.
var epoch = time.Date(2025, 3, 20, 14, 50, 6, 0, time.UTC)

// newConnector makes a connector of a checked state.
func newConnector(c Connector) *connector {
	url := func(s *string, path string) {
		if *s == "" {
			*s = "https://connector-" + idText(c.ID) + ".example/" + path
		}
	}
	url(&c.URLCheck, "check")
	url(&c.URLTableList, "table_list")
	url(&c.URLTableDescription, "table_description")
	url(&c.URLData, "data")
	if c.Logo == "" {
		c.Logo = neutralLogo
	}
	if c.Sort == 0 {
		c.Sort = 100
	}
	if c.Owner == "" {
		c.Owner = ClientID
	}
	c.Settings = slices.Clone(c.Settings)
	for i, s := range c.Settings {
		if s.Name == "" {
			c.Settings[i].Name = s.Code
		}
		if s.Type == "" {
			c.Settings[i].Type = "STRING"
		}
	}
	return &connector{c, epoch}
}

// setting finds a declared setting by its code.
func (c *connector) setting(code string) (SettingType, bool) {
	for _, s := range c.Settings {
		if s.Code == code {
			return s, true
		}
	}
	return SettingType{}, false
}

// connectorSchema is the newest one; see [Switches] for what older portals
// lack.
var connectorSchema = schema{
	{"id", "integer", true, true, false},
	{"title", "string", true, false, false},
	{"logo", "string", true, false, false},
	{"description", "string", false, false, false},
	{"sort", "integer", false, false, false},
	{"urlCheck", "string", true, false, false},
	{"urlData", "string", true, false, false},
	{"urlTableList", "string", true, false, false},
	{"urlTableDescription", "string", true, false, false},
	{"settings", "array", true, false, false},
	{"dateCreate", "datetime", true, true, false},
	{"supportMapping", "boolean", false, false, false},
	{"sourceCode", "string", false, false, false},
}

func (c *connector) value(p *Portal, name string) any {
	switch name {
	case "id":
		return c.ID
	case "title":
		return c.Title
	case "logo":
		return c.Logo
	case "description":
		return p.unset(c.Description)
	case "sort":
		return c.Sort
	case "urlCheck":
		return c.URLCheck
	case "urlData":
		return c.URLData
	case "urlTableList":
		return c.URLTableList
	case "urlTableDescription":
		return c.URLTableDescription
	case "settings":
		l := &php.Array{}
		for _, s := range c.Settings {
			l.Push(php.Dict("code", s.Code, "name", s.Name, "type", s.Type))
		}
		return l
	case "dateCreate":
		return dateText(c.created)
	case "supportMapping":
		return c.SupportMapping
	case "sourceCode":
		return c.SourceCode
	case "appId":
		return c.Owner
	}
	return nil
}

// unset is a text as the portal shows one that is not set.
func (p *Portal) unset(s string) any {
	if s == "" && p.cfg.NullTexts {
		return nil
	}
	return s
}

// connector finds a connector of the run's client. Others' are not there for
// it. p.mu is held.
func (r *run) connector(id int64) *connector {
	if c := r.p.connectors.get(id); c != nil && c.Owner == r.auth.client {
		return c
	}
	return nil
}

// connectorList is biconnector.connector.list.
func (r *run) connectorList(params *php.Array) (any, *apiError) {
	return list(r, &r.p.connectors, r.p.schemas.connector, params)
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
	c := r.p.connectors.shown(id)
	if c == nil || c.Owner != r.auth.client {
		return nil, errConnectorNotFound
	}
	return php.Dict("item", r.p.item(c, r.p.schemas.connector.names(), false, false)), nil
}

// connectorFields is biconnector.connector.fields.
func (r *run) connectorFields(*php.Array) (any, *apiError) {
	return r.p.schemas.connector.describe(), nil
}
