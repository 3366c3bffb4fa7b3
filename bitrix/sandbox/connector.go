package sandbox

import (
	"cmp"
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
	host := "https://connector-" + php.String(c.ID) + ".example/"
	c.URLCheck = cmp.Or(c.URLCheck, host+"check")
	c.URLTableList = cmp.Or(c.URLTableList, host+"table_list")
	c.URLTableDescription = cmp.Or(c.URLTableDescription, host+"table_description")
	c.URLData = cmp.Or(c.URLData, host+"data")
	c.Logo = cmp.Or(c.Logo, neutralLogo)
	c.Sort = cmp.Or(c.Sort, 100)
	c.Owner = cmp.Or(c.Owner, ClientID)
	c.Settings = slices.Clone(c.Settings)
	for i, s := range c.Settings {
		c.Settings[i].Name = cmp.Or(s.Name, s.Code)
		c.Settings[i].Type = cmp.Or(s.Type, "STRING")
	}
	return &connector{c, epoch}
}

// declares reports whether the connector has a setting of this code.
func (c *connector) declares(code string) bool {
	return slices.ContainsFunc(c.Settings, func(s SettingType) bool { return s.Code == code })
}

// connectorSchema is the newest one; see [Switches] for what older portals
// lack.
var connectorSchema = schema[*connector]{
	{"id", "integer", true, true, false, func(_ *Portal, c *connector) any { return c.ID }},
	{"title", "string", true, false, false, func(_ *Portal, c *connector) any { return c.Title }},
	{"logo", "string", true, false, false, func(_ *Portal, c *connector) any { return c.Logo }},
	{"description", "string", false, false, false, func(p *Portal, c *connector) any { return p.unset(c.Description) }},
	{"sort", "integer", false, false, false, func(_ *Portal, c *connector) any { return c.Sort }},
	{"urlCheck", "string", true, false, false, func(_ *Portal, c *connector) any { return c.URLCheck }},
	{"urlData", "string", true, false, false, func(_ *Portal, c *connector) any { return c.URLData }},
	{"urlTableList", "string", true, false, false, func(_ *Portal, c *connector) any { return c.URLTableList }},
	{"urlTableDescription", "string", true, false, false, func(_ *Portal, c *connector) any { return c.URLTableDescription }},
	{"settings", "array", true, false, false, func(_ *Portal, c *connector) any { return c.settings() }},
	{"dateCreate", "datetime", true, true, false, func(_ *Portal, c *connector) any { return dateText(c.created) }},
	{"supportMapping", "boolean", false, false, false, func(_ *Portal, c *connector) any { return c.SupportMapping }},
	{"sourceCode", "string", false, false, false, func(_ *Portal, c *connector) any { return c.SourceCode }},
	{"appId", "hidden", false, true, false, func(_ *Portal, c *connector) any { return c.Owner }},
}

// settings are the settings that the connector declares, in an answer.
func (c *connector) settings() *php.Array {
	l := &php.Array{}
	for _, s := range c.Settings {
		l.Push(php.Dict("code", s.Code, "name", s.Name, "type", s.Type))
	}
	return l
}

func (c *connector) item(p *Portal) *php.Array {
	return p.connectors.schema.item(p, c, p.connectors.schema.names())
}

// unset is a text as the portal shows one that is not set.
func (p *Portal) unset(s string) any {
	if s == "" && p.cfg.NullTexts {
		return nil
	}
	return s
}
