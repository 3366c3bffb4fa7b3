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
// connector has to bring a setting: without one the portal looks for the
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
func AddConnector(f ConnectorFields) Write {
	return Write{MethodConnectorAdd, 0, MethodConnectorAdd, inList, rest.Params{{Key: "fields", Value: f.params()}}, nil}
}

// UpdateConnector changes the connector id. Its sources keep their values of
// settings that it no longer declares until their own next update.
func UpdateConnector(id int64, f ConnectorFields) Write {
	return Write{MethodConnectorUpdate, id, MethodConnectorUpdate, inList, byID(id, rest.Param{Key: "fields", Value: f.params()}), nil}
}

// DeleteConnector deletes the connector id. The portal refuses it
// (CONNECTOR_DELETE_RESTRICTED) while sources stand on it.
func DeleteConnector(id int64) Write {
	return Write{MethodConnectorDelete, id, MethodConnectorDelete, inList, byID(id), nil}
}

// connectorItem is a connector on the wire.
type connectorItem struct {
	ID                  rest.Int                                `json:"id"`
	Title               heldText                                `json:"title"`
	Description         heldText                                `json:"description"`
	Logo                heldText                                `json:"logo"`
	Sort                heldInt                                 `json:"sort"`
	URLCheck            heldText                                `json:"urlCheck"`
	URLTableList        heldText                                `json:"urlTableList"`
	URLTableDescription heldText                                `json:"urlTableDescription"`
	URLData             heldText                                `json:"urlData"`
	SupportMapping      rest.Tristate                           `json:"supportMapping"`
	Settings            rest.Keyed[settingTypes, *settingTypes] `json:"settings"`
	DateCreate          rest.Text                               `json:"dateCreate"`
}

func (it connectorItem) read() (Connector, rest.Int, error) {
	var f fields
	c := Connector{
		ID: int64(it.ID), Title: f.text("title", it.Title), Description: f.text("description", it.Description), Logo: f.text("logo", it.Logo),
		Sort:     int64(it.Sort.Value),
		URLCheck: f.text("urlCheck", it.URLCheck), URLTableList: f.text("urlTableList", it.URLTableList),
		URLTableDescription: f.text("urlTableDescription", it.URLTableDescription), URLData: f.text("urlData", it.URLData),
		SupportMapping: it.SupportMapping, Settings: it.Settings.Value, DateCreate: string(it.DateCreate),
	}
	f.has("sort", it.Sort.Held)
	f.has("settings", it.Settings.Held)
	for _, s := range c.Settings {
		f.clean("settings."+s.Code, s.Code+s.Name+s.Type)
	}
	c.Unclean = f.unclean
	if code, twice := repeated(c.Settings, func(s SettingType) string { return s.Code }); twice {
		return c, it.ID, rest.DecodeError("the setting " + rest.Clean(code) + " appears twice")
	}
	return c, it.ID, f.err()
}

// DecodeConnectors reads the result of a list of connectors. Errors are as
// with DecodeSources.
func DecodeConnectors(result json.RawMessage) (List[Connector], error) {
	return decodeList[connectorItem, Connector](MethodConnectorList, result)
}

// settingTypes are the settings that a connector declares, or null.
type settingTypes []SettingType

func (s *settingTypes) UnmarshalJSON(b []byte) error {
	var items rest.List[struct {
		Code rest.Text `json:"code"`
		Name rest.Text `json:"name"`
		Type rest.Text `json:"type"`
	}]
	if err := items.UnmarshalJSON(b); err != nil {
		return rest.DecodeError("settings that are not a list of code, name and type")
	}
	*s = nil
	for _, it := range items {
		*s = append(*s, SettingType{string(it.Code), string(it.Name), strings.ToUpper(string(it.Type))})
	}
	return nil
}
