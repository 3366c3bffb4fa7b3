package main

import (
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
	live.Connectors = filtered(live.Connectors, func(id int64, _ *bitrix.Connector) bool {
		return len(ids) == 0 && slices.Contains(connectors, int(id))
	})
	live.Sources = filtered(live.Sources, func(id int64, s *bitrix.Source) bool {
		return (len(ids) == 0 || slices.Contains(ids, int(id))) && (len(connectors) == 0 || slices.Contains(connectors, int(s.ConnectorID)))
	})
	live.Tables = filtered(live.Tables, func(_ int64, t *bitrix.Table) bool { return live.Sources[t.SourceID] != nil })
	return live
}

// filtered is a copy of a map without what keep does not want.
func filtered[T any](objects map[int64]*T, keep func(id int64, o *T) bool) map[int64]*T {
	objects = maps.Clone(objects)
	maps.DeleteFunc(objects, func(id int64, o *T) bool { return !keep(id, o) })
	return objects
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
	type object struct {
		kind runner.Kind
		id   int64
	}
	missing := map[object]bool{}
	for _, u := range runner.Compare(set, live, runner.Choices{}).Undeclared(live) {
		missing[object{u.Kind, u.ID}] = true
	}
	kept.Connectors = filtered(kept.Connectors, func(id int64, _ *bitrix.Connector) bool { return missing[object{runner.KindConnector, id}] })
	kept.Sources = filtered(kept.Sources, func(id int64, _ *bitrix.Source) bool { return missing[object{runner.KindSource, id}] })
	kept.Tables = filtered(kept.Tables, func(id int64, _ *bitrix.Table) bool { return missing[object{runner.KindTable, id}] })
	return kept
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
	for _, id := range slices.Sorted(maps.Keys(objects)) {
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
	return new(t == rest.True)
}
