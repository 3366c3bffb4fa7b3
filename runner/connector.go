package runner

import (
	"encoding/json"
	"fmt"
	"strings"

	"syncsources/bitrix"
	"syncsources/bitrix/rest"
	"syncsources/manifest"
)

// neutralLogo is what a connector gets that is created without a logo: the
// portal demands one.
const neutralLogo = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 48 48'%3E" +
	"%3Crect width='48' height='48' rx='8' fill='%23dfe3e8'/%3E" +
	"%3Cpath d='M14 18h20M14 24h20M14 30h12' stroke='%23525c69' stroke-width='3' stroke-linecap='round'/%3E%3C/svg%3E"

var connectors = &kind{
	name:     KindConnector,
	notFound: "CONNECTOR_NOT_FOUND",
	group:    bitrix.PageSize,
	read:     func(_ bitrix.Family, ids []int64) bitrix.Query { return bitrix.ConnectorsByID(ids) },
	decode: func(_ []int64, answer json.RawMessage) (map[int64]any, map[int64]error, error) {
		list, err := bitrix.DecodeConnectors(answer)
		return index(list, err, func(c *bitrix.Connector) int64 { return c.ID })
	},
}

// connector is the subject of a connector.
type connector struct {
	desired *manifest.Connector // nil: only to be removed
	live    *bitrix.Connector   // nil: not there
	prune   bool                // settings that are not declared go
	sources []*bitrix.Source    // its live sources, as far as they were read
}

func (c *connector) take(live any) {
	c.live, _ = live.(*bitrix.Connector)
}

func (c *connector) compare() ([]difference, *Failure) {
	var f fields
	d := c.desired
	if c.live == nil {
		f.created("title", textValue(*d.Title))
		for _, t := range []struct {
			path string
			text *string
		}{
			{"description", d.Description}, {"urlCheck", d.URLCheck}, {"urlTableList", d.URLTableList},
			{"urlTableDescription", d.URLTableDescription}, {"urlData", d.URLData},
		} {
			if t.text != nil {
				f.created(t.path, textValue(*t.text))
			}
		}
		if d.Logo != nil {
			f.created("logo", textValue(d.Logo.URL))
		}
		if d.Sort != nil {
			f.created("sort", numberValue(*d.Sort))
		}
		if d.SupportMapping != nil {
			f.created("supportMapping", boolValue(*d.SupportMapping))
		}
		for _, s := range d.Settings {
			f = append(f, difference{path: settingPath(s.Code), code: s.Code, to: textValue(settingType(s.Name, s.Type))})
		}
		return f, nil
	}
	f.text("title", d.Title, c.live.Title)
	f.text("description", d.Description, c.live.Description)
	if d.Logo != nil {
		f.text("logo", &d.Logo.URL, c.live.Logo)
	}
	f.number("sort", d.Sort, c.live.Sort)
	f.text("urlCheck", d.URLCheck, c.live.URLCheck)
	f.text("urlTableList", d.URLTableList, c.live.URLTableList)
	f.text("urlTableDescription", d.URLTableDescription, c.live.URLTableDescription)
	f.text("urlData", d.URLData, c.live.URLData)
	if d.SupportMapping != nil {
		f.boolean("supportMapping", d.SupportMapping, c.live.SupportMapping == rest.True)
	}
	if d.Settings != nil {
		f = append(f, c.compareSettings()...)
	}
	return f, nil
}

// compareSettings compares the declared parameters with the live ones by
// their codes. Those that are not declared stay unless they are pruned.
func (c *connector) compareSettings() []difference {
	var diffs []difference
	live := make(map[string]string, len(c.live.Settings))
	for _, s := range c.live.Settings {
		live[s.Code] = settingType(s.Name, s.Type)
	}
	declared := make(map[string]bool, len(c.desired.Settings))
	for _, s := range c.desired.Settings {
		declared[s.Code] = true
		d := difference{path: settingPath(s.Code), code: s.Code, to: textValue(settingType(s.Name, s.Type))}
		if from, ok := live[s.Code]; ok {
			d.from = textValue(from)
		}
		if d.from != d.to {
			diffs = append(diffs, d)
		}
	}
	for _, s := range c.live.Settings {
		if c.prune && !declared[s.Code] {
			diffs = append(diffs, difference{path: settingPath(s.Code), code: s.Code, from: textValue(live[s.Code])})
		}
	}
	return diffs
}

// settingType is a parameter as plans show it: Host (STRING).
func settingType(name, kind string) string { return name + " (" + kind + ")" }

// settings are the parameters that the connector has once the differences are
// removed. The portal replaces the list as a whole, so that what is not
// declared has to be sent along, or it would be gone.
func (c *connector) settings() []bitrix.SettingType {
	if c.desired == nil || c.desired.Settings == nil {
		if c.live == nil {
			return nil
		}
		return c.live.Settings
	}
	list := make([]bitrix.SettingType, 0, len(c.desired.Settings))
	declared := make(map[string]bool, len(c.desired.Settings))
	for _, s := range c.desired.Settings {
		declared[s.Code] = true
		list = append(list, bitrix.SettingType{Code: s.Code, Name: s.Name, Type: s.Type})
	}
	if c.live != nil && !c.prune {
		for _, s := range c.live.Settings {
			if !declared[s.Code] {
				list = append(list, s)
			}
		}
	}
	return list
}

func (c *connector) check(diffs []difference) *Failure {
	if c.live == nil || c.prune || len(c.live.Unclean) == 0 {
		return nil
	}
	declared := make(map[string]bool)
	for _, s := range c.desired.Settings {
		declared[settingPath(s.Code)] = true
	}
	for _, path := range c.live.Unclean {
		if strings.HasPrefix(path, "settings.") && !declared[path] && hasSetting(diffs) {
			return &Failure{Code: CodeUncleanText,
				Message: fmt.Sprintf("the portal shows %s with characters that cannot be read exactly, and an update of the settings would have to send it back", path),
				Hint:    "declare this setting in the connector's settings"}
		}
	}
	return nil
}

func hasSetting(diffs []difference) bool {
	for _, d := range diffs {
		if d.isSetting() {
			return true
		}
	}
	return false
}

func (c *connector) create() bitrix.Write {
	d := c.desired
	f := bitrix.ConnectorFields{
		Title: d.Title, Description: d.Description, Sort: d.Sort, SupportMapping: d.SupportMapping,
		URLCheck: d.URLCheck, URLTableList: d.URLTableList, URLTableDescription: d.URLTableDescription, URLData: d.URLData,
		Settings: c.settings(),
	}
	logo := neutralLogo
	if d.Logo != nil {
		logo = d.Logo.URL
	}
	f.Logo = &logo
	if f.Settings == nil {
		f.Settings = []bitrix.SettingType{}
	}
	return bitrix.AddConnector(f)
}

func (c *connector) writes(diffs []difference) []write {
	d := c.desired
	var f bitrix.ConnectorFields
	var sent []string
	for _, diff := range diffs {
		sent = append(sent, diff.path)
		switch diff.path {
		case "title":
			f.Title = d.Title
		case "description":
			f.Description = d.Description
		case "logo":
			f.Logo = &d.Logo.URL
		case "sort":
			f.Sort = d.Sort
		case "urlCheck":
			f.URLCheck = d.URLCheck
		case "urlTableList":
			f.URLTableList = d.URLTableList
		case "urlTableDescription":
			f.URLTableDescription = d.URLTableDescription
		case "urlData":
			f.URLData = d.URLData
		case "supportMapping":
			f.SupportMapping = d.SupportMapping
		default:
			f.Settings = c.settings()
		}
	}
	if sent == nil {
		return nil
	}
	return []write{{command: bitrix.UpdateConnector(c.live.ID, f), paths: sent}}
}

func (c *connector) remove() bitrix.Write { return bitrix.DeleteConnector(c.live.ID) }

func (c *connector) lookup() bitrix.Query { return bitrix.ConnectorsTitled(*c.desired.Title) }

func (c *connector) made(answer json.RawMessage) ([]int64, error) {
	list, err := bitrix.DecodeConnectors(answer)
	if err != nil {
		return nil, err
	}
	var ids []int64
	for _, found := range list.Items {
		if found.Title == *c.desired.Title {
			ids = append(ids, found.ID)
		}
	}
	return ids, list.Broken[0]
}

func (c *connector) lookupNewer(from int64) (bitrix.Query, bool) {
	return bitrix.ListConnectors(bitrix.Range{From: from}), true
}

func (c *connector) stored(answer json.RawMessage) ([]int64, int64, error) {
	list, err := bitrix.DecodeConnectors(answer)
	return storedAs(list, err, *c.desired.Title, func(c *bitrix.Connector) (int64, string) { return c.ID, c.Title })
}

// notes names the sources whose stored values go with a setting that is
// removed: the portal drops them at their next update, whichever it is.
func (c *connector) notes(diffs []difference) []string {
	var notes []string
	for _, d := range diffs {
		if !d.isSetting() || d.to.kind != nothing {
			continue
		}
		var losing []string
		for _, s := range c.sources {
			if hasValue(s, d.code) {
				losing = append(losing, fmt.Sprintf("#%d %q", s.ID, s.Title))
			}
		}
		if len(losing) > 0 {
			notes = append(notes, fmt.Sprintf("with the setting %q go its values in %s, at their next update", d.code, enumerate(losing)))
		}
	}
	return notes
}

// enumerate joins the first names of a list, and counts the rest.
func enumerate(names []string) string {
	const most = 10
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}
