package bitrix

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"syncsources/bitrix/rest"
	"syncsources/bitrix/secret"
)

// Source is a BIconnector source as the portal shows it.
type Source struct {
	ID          int64
	Title       string
	Description string // a null of the portal is the empty text
	Active      bool
	// Untold is set where the portal does not say whether the source is active.
	Untold      bool
	ConnectorID int64
	Settings    []Setting // in the portal's order; a null value is the empty text
}

// Setting is one authorization setting of a source. The portal returns values
// in clear text, passwords too.
type Setting struct {
	Code  string
	Value secret.Text
}

// Connector declares which settings its sources have.
type Connector struct {
	ID       int64
	Title    string
	Settings []SettingType
}

// SettingType is one declared setting.
type SettingType struct {
	Code string
	Type string // STRING or INT
}

// sourceItem and connectorItem are what a list holds.
type sourceItem struct {
	ID          rest.Int      `json:"id"`
	Title       rest.Text     `json:"title"`
	Description rest.Text     `json:"description"`
	Active      rest.Tristate `json:"active"`
	ConnectorID rest.Int      `json:"connectorId"`
	Settings    looseSettings `json:"settings"`
}

type connectorItem struct {
	ID       rest.Int  `json:"id"`
	Title    rest.Text `json:"title"`
	Settings rest.List[struct {
		Code rest.Text `json:"code"`
		Type rest.Text `json:"type"`
	}] `json:"settings"`
}

// SourceList is the result of a list of sources.
type SourceList struct {
	Sources []Source
	// Broken holds, by id, the sources about which the answer is not what the
	// method documents, each with the reason, an *rest.Error of code rest.BadAnswer.
	// They are not among Sources. What has no id that could be read stands
	// under 0.
	Broken map[int64]error
	// Items is how many items the list had, broken ones included.
	Items int
}

func (l *SourceList) broken(id rest.Int, why error) {
	if l.Broken == nil {
		l.Broken = make(map[int64]error)
	}
	l.Broken[max(int64(id), 0)] = rest.BadResult(MethodSourceList, why)
}

// DecodeSources reads the result of a list of sources: a bare array. PHP's
// habits are tolerated: ids as numbers or texts, booleans as true, "Y" or 1,
// null or [] for an empty map. rest.Unknown keys are ignored. A source that is listed
// twice is broken: nobody could say which of the two is true. An error
// means that there is no list at all, and is an *rest.Error of code rest.BadAnswer.
func DecodeSources(result json.RawMessage) (SourceList, error) {
	var list SourceList
	var items rest.List[sourceItem]
	if err := items.UnmarshalJSON(result); err != nil {
		if items, err = list.decodeEach(result); err != nil {
			return SourceList{}, rest.BadResult(MethodSourceList, err)
		}
	}
	list.Items += len(items)
	list.Sources = make([]Source, 0, len(items))
	seen := make(map[rest.Int]bool, len(items))
	for i, it := range items {
		switch {
		case it.ID <= 0:
			list.broken(0, rest.DecodeError(fmt.Sprintf("item %d has no id", i)))
		case seen[it.ID]:
			list.broken(it.ID, rest.DecodeError(fmt.Sprintf("source %d stands in it twice", it.ID)))
		}
		seen[it.ID] = true
		list.Sources = append(list.Sources, Source{
			ID: int64(it.ID), Title: string(it.Title), Description: string(it.Description),
			Active: it.Active == rest.True, Untold: it.Active == rest.Unsaid, ConnectorID: int64(it.ConnectorID), Settings: it.Settings,
		})
	}
	if list.Broken != nil {
		list.Sources = slices.DeleteFunc(list.Sources, func(s Source) bool { return list.Broken[max(s.ID, 0)] != nil })
	}
	return list, nil
}

// decodeEach reads a list item by item and sets the broken ones apart.
func (l *SourceList) decodeEach(result json.RawMessage) (rest.List[sourceItem], error) {
	var raw rest.List[json.RawMessage]
	if err := raw.UnmarshalJSON(result); err != nil {
		return nil, err
	}
	items := make(rest.List[sourceItem], 0, len(raw))
	for _, r := range raw {
		var item sourceItem
		err := json.Unmarshal(r, &item)
		if err == nil {
			items = append(items, item)
			continue
		}
		var named struct {
			ID rest.Int `json:"id"`
		}
		if json.Unmarshal(r, &named) != nil {
			named.ID = 0
		}
		l.broken(named.ID, err)
		l.Items++
	}
	return items, nil
}

// DecodeConnectors reads the result of a list of connectors. Errors are as
// with DecodeSources.
func DecodeConnectors(result json.RawMessage) ([]Connector, error) {
	var items rest.List[connectorItem]
	if err := items.UnmarshalJSON(result); err != nil {
		return nil, rest.BadResult(MethodConnectorList, err)
	}
	connectors := make([]Connector, len(items))
	for i, it := range items {
		c := Connector{ID: int64(it.ID), Title: string(it.Title)}
		for _, s := range it.Settings {
			c.Settings = append(c.Settings, SettingType{string(s.Code), strings.ToUpper(string(s.Type))})
		}
		connectors[i] = c
	}
	return connectors, nil
}

// looseSettings is a source's settings: a list of {code, value}, or null.
type looseSettings []Setting

func (s *looseSettings) UnmarshalJSON(b []byte) error {
	var items rest.List[struct {
		Code  rest.Text `json:"code"`
		Value rest.Text `json:"value"`
	}]
	if err := items.UnmarshalJSON(b); err != nil {
		return rest.DecodeError("settings that are not a list of code and value")
	}
	*s = make([]Setting, 0, len(items))
	for _, it := range items {
		*s = append(*s, Setting{string(it.Code), secret.New(string(it.Value))})
	}
	return nil
}
