package runner

import (
	"fmt"
	"slices"
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

var connectors = define(kind{
	name:     KindConnector,
	notFound: Failure{Code: "CONNECTOR_NOT_FOUND", Message: "Connector was not found."},
	below:    sources,
	list:     func(_ bitrix.Family, r bitrix.Range) bitrix.Query { return bitrix.ListConnectors(r) },
	group:    bitrix.PageSize,
	read:     func(_ bitrix.Family, ids []int64) bitrix.Query { return bitrix.ConnectorsByID(ids) },
	removing: func(o liveObject, _ bitrix.Family) subject { return &connector{live: o.whole.(*bitrix.Connector)} },
}, bitrix.DecodeConnectors, func(l *Live) map[int64]*bitrix.Connector { return l.Connectors },
	func(c *bitrix.Connector) liveObject { return liveObject{id: c.ID, title: c.Title} })

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

func (c *connector) belongsTo() int64 { return 0 }

func (c *connector) compare() ([]difference, *Failure) {
	d, live, f := c.desired, c.live, fields{created: c.live == nil}
	if live == nil {
		live = &bitrix.Connector{Sort: 100} // as the portal makes it
	}
	f.text("title", d.Title, live.Title)
	f.text("description", d.Description, live.Description)
	if d.Logo != nil {
		f.text("logo", &d.Logo.URL, live.Logo)
	}
	f.number("sort", d.Sort, live.Sort)
	f.text("urlCheck", d.URLCheck, live.URLCheck)
	f.text("urlTableList", d.URLTableList, live.URLTableList)
	f.text("urlTableDescription", d.URLTableDescription, live.URLTableDescription)
	f.text("urlData", d.URLData, live.URLData)
	f.boolean("supportMapping", d.SupportMapping, live.SupportMapping == rest.True)
	return append(f.list, c.compareSettings(live)...), nil
}

// compareSettings compares the declared parameters with the live ones by
// their codes. Those that are not declared stay unless they are pruned.
func (c *connector) compareSettings(shows *bitrix.Connector) []difference {
	if c.desired.Settings == nil {
		return nil
	}
	var diffs []difference
	live := make(map[string]string, len(shows.Settings))
	for _, s := range shows.Settings {
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
	for _, s := range shows.Settings {
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
// declared must be sent along, or it would be gone.
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
	if c.live == nil || c.prune {
		return nil
	}
	declared := make(map[string]bool)
	for _, s := range c.desired.Settings {
		declared[settingPath(s.Code)] = true
	}
	for _, path := range c.live.Unclean {
		if strings.HasPrefix(path, "settings.") && !declared[path] && slices.ContainsFunc(diffs, difference.isSetting) {
			return &Failure{Code: CodeUncleanText,
				Message: fmt.Sprintf("the portal shows %s with characters that cannot be read exactly, and an update of the settings would send it back", path),
				Hint:    "declare this setting in the connector's settings"}
		}
	}
	return nil
}

func (c *connector) create() bitrix.Write {
	d := c.desired
	f := bitrix.ConnectorFields{
		Title: d.Title, Description: d.Description, Sort: d.Sort,
		URLCheck: d.URLCheck, URLTableList: d.URLTableList, URLTableDescription: d.URLTableDescription, URLData: d.URLData,
		Settings: c.settings(),
	}
	logo := neutralLogo
	if d.Logo != nil {
		logo = d.Logo.URL
	}
	f.Logo = &logo
	if d.SupportMapping != nil && *d.SupportMapping { // false is the default, and portals before 2026 know neither
		f.SupportMapping = d.SupportMapping
	}
	if f.Settings == nil {
		f.Settings = []bitrix.SettingType{}
	}
	return bitrix.AddConnector(f)
}

func (c *connector) writes(diffs []difference) []write {
	if len(diffs) == 0 {
		return nil
	}
	d := c.desired
	f := bitrix.ConnectorFields{
		Title: where(diffs, "title", d.Title), Description: where(diffs, "description", d.Description), Sort: where(diffs, "sort", d.Sort),
		URLCheck: where(diffs, "urlCheck", d.URLCheck), URLTableList: where(diffs, "urlTableList", d.URLTableList),
		URLTableDescription: where(diffs, "urlTableDescription", d.URLTableDescription), URLData: where(diffs, "urlData", d.URLData),
		SupportMapping: where(diffs, "supportMapping", d.SupportMapping),
	}
	if find(diffs, "logo") != nil {
		f.Logo = &d.Logo.URL
	}
	if slices.ContainsFunc(diffs, difference.isSetting) {
		f.Settings = c.settings()
	}
	var sent []string
	for _, diff := range diffs {
		sent = append(sent, diff.path)
	}
	return []write{{command: bitrix.UpdateConnector(c.live.ID, f), paths: sent}}
}

// where is a declared value if it differs, else nil.
func where[T any](diffs []difference, path string, declared *T) *T {
	if find(diffs, path) == nil {
		return nil
	}
	return declared
}

func (c *connector) remove() bitrix.Write { return bitrix.DeleteConnector(c.live.ID) }

func (c *connector) lookup() bitrix.Query { return bitrix.ConnectorsTitled(*c.desired.Title) }

func (c *connector) lookupNewer(from int64) (bitrix.Query, bool) {
	return bitrix.ListConnectors(bitrix.Range{From: from}), true
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
			notes = append(notes, fmt.Sprintf("the portal drops the values of the setting %q at the next update of %s", d.code, enumerate(losing)))
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
