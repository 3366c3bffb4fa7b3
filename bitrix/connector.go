package bitrix

import (
	"encoding/json"
	"slices"
	"strings"

	"syncsources/bitrix/rest"
)

// Methods of connectors.
const (
	MethodConnectorList   = "biconnector.connector.list"
	MethodConnectorAdd    = "biconnector.connector.add"
	MethodConnectorUpdate = "biconnector.connector.update"
	MethodConnectorDelete = "biconnector.connector.delete"
)

// Connector is a connector as the portal shows it: the endpoints of an
// external system and the settings that its sources have.
type Connector struct {
	ID                                                   int64
	Title, Description, Logo                             string
	Sort                                                 int64
	URLCheck, URLTableList, URLTableDescription, URLData string
	SupportMapping                                       rest.Tristate // rest.Unsaid on portals that do not know it yet (before 2026)
	Settings                                             []SettingType // in the portal's order
	DateCreate                                           string
	Unclean                                              []string // as of a Source
}

// SettingType is one declared setting.
type SettingType struct {
	Code, Name string
	Type       string // STRING or INT
}

// fieldCodes are the codes of settings for which the portal takes a field of
// the source itself where an add or update brings no settings.
var fieldCodes = []string{"title", "description", "active", "type", "code", "connector_id"}

// MistakesFields reports whether an add or update of a source of this
// connector must carry a setting: without one the portal looks for the
// declared settings among the fields, and overwrites a setting called title
// with the source's title.
func (c *Connector) MistakesFields() bool {
	return slices.ContainsFunc(c.Settings, func(s SettingType) bool { return slices.Contains(fieldCodes, s.Code) })
}

// ListConnectors reads up to PageSize connectors by rising id, with the
// settings that each declares.
func ListConnectors(r Range) Query { return list(MethodConnectorList, r) }

// ConnectorsByID reads up to PageSize connectors by their ids.
func ConnectorsByID(ids []int64) Query { return listByID(MethodConnectorList, ids) }

// ConnectorsTitled finds the connectors with this title, up to PageSize. The
// portal's database may compare without regard to case.
func ConnectorsTitled(title string) Query {
	return list(MethodConnectorList, Range{}, rest.Param{Key: "=title", Value: title})
}

// ConnectorFields are the fields of an add or update; nil ones are not sent.
// An add needs title, logo, the four addresses and settings.
type ConnectorFields struct {
	Title, Description, Logo                             *string
	Sort                                                 *int64
	URLCheck, URLTableList, URLTableDescription, URLData *string
	SupportMapping                                       *bool // unknown to portals before 2026
	// Settings replace the whole list of an update; nil leaves it, an empty
	// list empties it.
	Settings []SettingType
}

func (f ConnectorFields) params() rest.Params {
	var p rest.Params
	p = optional(p, "title", f.Title)
	p = optional(p, "logo", f.Logo)
	p = optional(p, "description", f.Description)
	p = optional(p, "sort", f.Sort)
	p = optional(p, "urlCheck", f.URLCheck)
	p = optional(p, "urlData", f.URLData)
	p = optional(p, "urlTableList", f.URLTableList)
	p = optional(p, "urlTableDescription", f.URLTableDescription)
	if f.Settings != nil {
		settings := make([]any, len(f.Settings))
		for i, s := range f.Settings {
			settings[i] = rest.Params{{Key: "code", Value: s.Code}, {Key: "name", Value: s.Name}, {Key: "type", Value: s.Type}}
		}
		p = append(p, rest.Param{Key: "settings", Value: settings})
	}
	return optional(p, "supportMapping", f.SupportMapping)
}

// AddConnector makes a connector.
func AddConnector(f ConnectorFields) Write { return adding(MethodConnectorAdd, f.params()) }

// UpdateConnector changes the connector id. Its sources keep their values of
// settings that it no longer declares until their own next update.
func UpdateConnector(id int64, f ConnectorFields) Write {
	return updating(MethodConnectorUpdate, id, f.params())
}

// DeleteConnector deletes the connector id. The portal refuses it
// (CONNECTOR_DELETE_RESTRICTED) while it has sources.
func DeleteConnector(id int64) Write { return deleting(MethodConnectorDelete, id) }

// DecodeConnectors reads the result of a list of connectors. Errors are as
// with DecodeSources.
func DecodeConnectors(result json.RawMessage) (List[Connector], error) {
	return decodeList(MethodConnectorList, result, readConnector)
}

func readConnector(value []byte) (Connector, int64, error) {
	var c Connector
	f := newFields(12)
	f.optional("id", &c.ID)
	f.text("title", &c.Title)
	f.text("description", &c.Description)
	f.text("logo", &c.Logo)
	f.integer("sort", &c.Sort)
	f.text("urlCheck", &c.URLCheck)
	f.text("urlTableList", &c.URLTableList)
	f.text("urlTableDescription", &c.URLTableDescription)
	f.text("urlData", &c.URLData)
	f.optional("supportMapping", &c.SupportMapping)
	f.each("settings", func(value []byte) error {
		var t SettingType
		set := newFields(3)
		set.text("code", &t.Code)
		set.text("name", &t.Name)
		set.text("type", &t.Type)
		err := set.read(value)
		t.Type = strings.ToUpper(t.Type)
		c.Settings = append(c.Settings, t)
		f.clean("settings.", t.Code, t.Code, t.Name, t.Type)
		return err
	})
	f.optional("dateCreate", &c.DateCreate)
	err := f.read(value)
	if err == nil {
		err = repeated("the setting", c.Settings, func(s *SettingType) string { return s.Code })
	}
	c.Unclean = f.unclean
	return c, c.ID, err
}
