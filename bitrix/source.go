package bitrix

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
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
	Value Secret
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
	ID          looseInt      `json:"id"`
	Title       looseText     `json:"title"`
	Description looseText     `json:"description"`
	Active      toldBool      `json:"active"`
	ConnectorID looseInt      `json:"connectorId"`
	Settings    looseSettings `json:"settings"`
}

type connectorItem struct {
	ID       looseInt  `json:"id"`
	Title    looseText `json:"title"`
	Settings looseList[struct {
		Code looseText `json:"code"`
		Type looseText `json:"type"`
	}] `json:"settings"`
}

// SourceList is the result of a list of sources.
type SourceList struct {
	Sources []Source
	// Broken holds, by id, the sources about which the answer is not what the
	// method documents, each with the reason, an *Error of code BadAnswer.
	// They are not among Sources. What has no id that could be read stands
	// under 0.
	Broken map[int64]error
	// Items is how many items the list had, broken ones included.
	Items int
}

func (l *SourceList) broken(id looseInt, why error) {
	if l.Broken == nil {
		l.Broken = make(map[int64]error)
	}
	l.Broken[max(int64(id), 0)] = badResult(MethodSourceList, why)
}

// DecodeSources reads the result of a list of sources: a bare array. PHP's
// habits are tolerated: ids as numbers or texts, booleans as true, "Y" or 1,
// null or [] for an empty map. Unknown keys are ignored. A source that is listed
// twice is broken: nobody could say which of the two is true. An error
// means that there is no list at all, and is an *Error of code BadAnswer.
func DecodeSources(result json.RawMessage) (SourceList, error) {
	var list SourceList
	var items looseList[sourceItem]
	if err := items.UnmarshalJSON(result); err != nil {
		if items, err = list.decodeEach(result); err != nil {
			return SourceList{}, badResult(MethodSourceList, err)
		}
	}
	list.Items += len(items)
	list.Sources = make([]Source, 0, len(items))
	seen := make(map[looseInt]bool, len(items))
	for i, it := range items {
		switch {
		case it.ID <= 0:
			list.broken(0, decodeError(fmt.Sprintf("item %d has no id", i)))
		case seen[it.ID]:
			list.broken(it.ID, decodeError(fmt.Sprintf("source %d stands in it twice", it.ID)))
		}
		seen[it.ID] = true
		list.Sources = append(list.Sources, Source{
			ID: int64(it.ID), Title: string(it.Title), Description: string(it.Description),
			Active: it.Active == toldTrue, Untold: it.Active == untold, ConnectorID: int64(it.ConnectorID), Settings: it.Settings,
		})
	}
	if list.Broken != nil {
		list.Sources = slices.DeleteFunc(list.Sources, func(s Source) bool { return list.Broken[max(s.ID, 0)] != nil })
	}
	return list, nil
}

// decodeEach reads a list item by item and sets the broken ones apart.
func (l *SourceList) decodeEach(result json.RawMessage) (looseList[sourceItem], error) {
	var raw looseList[json.RawMessage]
	if err := raw.UnmarshalJSON(result); err != nil {
		return nil, err
	}
	items := make(looseList[sourceItem], 0, len(raw))
	for _, r := range raw {
		var item sourceItem
		err := json.Unmarshal(r, &item)
		if err == nil {
			items = append(items, item)
			continue
		}
		var named struct {
			ID looseInt `json:"id"`
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
	var items looseList[connectorItem]
	if err := items.UnmarshalJSON(result); err != nil {
		return nil, badResult(MethodConnectorList, err)
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

// badResult reports a result that is not what the method documents. Only a
// cause of our own is named: those of encoding/json may repeat a value.
func badResult(method string, err error) error {
	why := decodeError("it holds something of another type than documented")
	_ = errors.As(err, &why)
	return &Error{Code: BadAnswer, Message: "the portal's answer is not as documented: " + string(why), Method: method}
}

// decodeError says what is wrong with an answer, without repeating it.
type decodeError string

func (e decodeError) Error() string { return string(e) }

// looseList is a JSON array, an object whose keys are numbers and whose values
// are the items (as PHP writes a list with gaps), or null.
type looseList[T any] []T

func (l *looseList[T]) UnmarshalJSON(b []byte) error {
	b = bytes.TrimSpace(b)
	*l = nil
	switch {
	case len(b) == 0:
		return decodeError("there is none")
	case string(b) == "null":
		return nil
	case b[0] == '[':
		return json.Unmarshal(b, (*[]T)(l))
	case b[0] != '{':
		return decodeError("a single value stands in place of a list")
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	_, _ = dec.Token() // {
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return err
		}
		if _, err := strconv.Atoi(key.(string)); err != nil {
			return decodeError("an object stands in place of a list")
		}
		var item T
		if err := dec.Decode(&item); err != nil {
			return err
		}
		*l = append(*l, item)
	}
	return nil
}

// looseSettings is a source's settings: a list of {code, value}, or null.
type looseSettings []Setting

func (s *looseSettings) UnmarshalJSON(b []byte) error {
	var items looseList[struct {
		Code  looseText `json:"code"`
		Value looseText `json:"value"`
	}]
	if err := items.UnmarshalJSON(b); err != nil {
		return decodeError("settings that are not a list of code and value")
	}
	*s = make([]Setting, 0, len(items))
	for _, it := range items {
		*s = append(*s, Setting{string(it.Code), NewSecret(string(it.Value))})
	}
	return nil
}

// looseInt is an integer, a quoted one, or null as zero.
type looseInt int64

func (n *looseInt) UnmarshalJSON(b []byte) error {
	text := strings.Trim(string(b), `"`)
	if text == "null" || text == "" {
		*n = 0
		return nil
	}
	v, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return decodeError("an id is not an integer")
	}
	*n = looseInt(v)
	return nil
}

// looseText is a text; numbers are their digits, null is empty, and booleans
// are what PHP makes of them.
type looseText string

func (t *looseText) UnmarshalJSON(b []byte) error {
	switch {
	case len(b) == 0 || string(b) == "null" || string(b) == "false":
		*t = ""
	case string(b) == "true":
		*t = "1"
	case b[0] == '"':
		return json.Unmarshal(b, (*string)(t))
	case b[0] == '{' || b[0] == '[':
		return decodeError("a map or list stands in place of a text")
	default:
		*t = looseText(b)
	}
	return nil
}

// looseBool is true, "Y", "1" or 1, in any case; all else is false.
type looseBool bool

func (v *looseBool) UnmarshalJSON(b []byte) error {
	var is toldBool
	err := is.UnmarshalJSON(b)
	*v = is == toldTrue
	return err
}

// toldBool is a looseBool that tells a false from what is neither, or absent.
type toldBool int

const (
	untold toldBool = iota
	toldTrue
	toldFalse
)

func (v *toldBool) UnmarshalJSON(b []byte) error {
	switch strings.ToLower(strings.Trim(string(b), `"`)) {
	case "true", "y", "yes", "1":
		*v = toldTrue
	case "false", "n", "no", "0":
		*v = toldFalse
	default:
		*v = untold
	}
	return nil
}
