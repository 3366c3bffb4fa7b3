package main

import (
	"cmp"
	"maps"
	"slices"

	"syncsources/bitrix"
	"syncsources/bitrix/rest"
	"syncsources/manifest"
	"syncsources/runner"
)

// keepLive keeps what the filters leave: the sources with these ids, the
// connectors with these and what is below them. No filter keeps everything.
func keepLive(live runner.Live, ids, connectors []int) runner.Live {
	if len(ids)+len(connectors) == 0 {
		return live
	}
	kept := runner.Live{Connectors: map[int64]*bitrix.Connector{}, Sources: map[int64]*bitrix.Source{}, Tables: map[int64]*bitrix.Table{}}
	for id, c := range live.Connectors {
		if len(ids) == 0 && slices.Contains(connectors, int(id)) {
			kept.Connectors[id] = c
		}
	}
	for id, s := range live.Sources {
		if (len(ids) == 0 || slices.Contains(ids, int(id))) && (len(connectors) == 0 || slices.Contains(connectors, int(s.ConnectorID))) {
			kept.Sources[id] = s
		}
	}
	for id, t := range live.Tables {
		if kept.Sources[t.SourceID] != nil {
			kept.Tables[id] = t
		}
	}
	return kept
}

// ofPortal is the part of a set that is for a portal, or for any.
func ofPortal(set *manifest.Set, portal string) *manifest.Set {
	host := rest.HostPort(portal)
	other := func(o manifest.Object) bool { return o.Portal != "" && o.Portal != host }
	own := *set
	own.Connectors = slices.DeleteFunc(slices.Clone(set.Connectors), func(c manifest.Connector) bool { return other(c.Object) })
	own.Sources = slices.DeleteFunc(slices.Clone(set.Sources), func(s manifest.Source) bool { return other(s.Object) })
	own.Tables = slices.DeleteFunc(slices.Clone(set.Tables), func(t manifest.Table) bool { return other(t.Object) })
	return &own
}

// undeclared keeps what no declaration of the set means.
func undeclared(kept, live runner.Live, set *manifest.Set) runner.Live {
	missing := runner.Live{Connectors: map[int64]*bitrix.Connector{}, Sources: map[int64]*bitrix.Source{}, Tables: map[int64]*bitrix.Table{}}
	for _, u := range runner.Compare(set, live, runner.Choices{}).Undeclared(live) {
		switch u.Kind {
		case runner.KindConnector:
			if c := kept.Connectors[u.ID]; c != nil {
				missing.Connectors[u.ID] = c
			}
		case runner.KindSource:
			if s := kept.Sources[u.ID]; s != nil {
				missing.Sources[u.ID] = s
			}
		case runner.KindTable:
			if t := kept.Tables[u.ID]; t != nil {
				missing.Tables[u.ID] = t
			}
		}
	}
	return missing
}

// manifestOf is what is live as package manifest writes it, by rising id.
func manifestOf(live runner.Live) manifest.Live {
	return manifest.Live{
		Connectors: byID(live.Connectors, liveConnector),
		Sources:    byID(live.Sources, liveSource),
		Tables:     byID(live.Tables, liveTable),
	}
}

func byID[T, U any](objects map[int64]*T, convert func(*T) U) []U {
	list := make([]U, 0, len(objects))
	for _, id := range slices.SortedFunc(maps.Keys(objects), cmp.Compare) {
		list = append(list, convert(objects[id]))
	}
	return list
}

func liveConnector(c *bitrix.Connector) manifest.LiveConnector {
	l := manifest.LiveConnector{
		ID: c.ID, Title: c.Title, Description: c.Description, Logo: c.Logo, Sort: c.Sort,
		URLCheck: c.URLCheck, URLTableList: c.URLTableList, URLTableDescription: c.URLTableDescription, URLData: c.URLData,
		SupportMapping: boolOf(c.SupportMapping), Unclean: c.Unclean,
	}
	for _, s := range c.Settings {
		l.Settings = append(l.Settings, manifest.SettingType{Code: s.Code, Name: s.Name, Type: s.Type})
	}
	return l
}

func liveSource(s *bitrix.Source) manifest.LiveSource {
	l := manifest.LiveSource{ID: s.ID, ConnectorID: s.ConnectorID, Title: s.Title, Description: s.Description, Active: boolOf(s.Active), Unclean: s.Unclean}
	for _, setting := range s.Settings {
		l.Settings = append(l.Settings, manifest.LiveSetting{Code: setting.Code, Value: setting.Value})
	}
	return l
}

func liveTable(t *bitrix.Table) manifest.LiveTable {
	l := manifest.LiveTable{ID: t.ID, SourceID: t.SourceID, Name: t.Name, ExternalName: t.ExternalName, ExternalCode: t.ExternalCode, Description: t.Description, Unclean: t.Unclean}
	for _, c := range t.Columns {
		l.Columns = append(l.Columns, manifest.Column{Name: c.Name, Type: c.Type, ExternalCode: c.ExternalCode, Visible: &c.Visible})
	}
	return l
}

// boolOf is a flag of the portal; nil where the portal does not say.
func boolOf(t rest.Tristate) *bool {
	if t == rest.Unsaid {
		return nil
	}
	value := t == rest.True
	return &value
}
