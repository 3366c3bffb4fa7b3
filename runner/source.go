package runner

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"syncsources/bitrix"
	"syncsources/bitrix/rest"
	"syncsources/bitrix/secret"
	"syncsources/manifest"
)

var sources = define(kind{
	name:     KindSource,
	notFound: Failure{Code: string(rest.SourceNotFound), Message: "Source was not found."},
	below:    tables,
	list:     func(_ bitrix.Family, r bitrix.Range) bitrix.Query { return bitrix.ListSources(r) },
	group:    bitrix.PageSize,
	read:     func(_ bitrix.Family, ids []int64) bitrix.Query { return bitrix.SourcesByID(ids) },
	removing: func(o liveObject, _ bitrix.Family) subject { return &source{live: o.whole.(*bitrix.Source)} },
}, bitrix.DecodeSources, func(l *Live) map[int64]*bitrix.Source { return l.Sources },
	func(s *bitrix.Source) liveObject {
		return liveObject{id: s.ID, title: s.Title, parent: s.ConnectorID, created: s.DateCreate, by: s.CreatedByID}
	})

// source is the subject of a source.
type source struct {
	desired *manifest.Source // nil: only to be removed
	live    *bitrix.Source   // nil: not there
	// parent is its connector where the manifests declare it, connector the
	// live one where they do not; both are nil where it is not known.
	parent    *step
	connector *bitrix.Connector
	along     *string // the live title that updates send, where none is declared
}

func (s *source) take(live any) { s.live, _ = live.(*bitrix.Source) }

// belongsTo is the id of the source's connector, 0 where it is not known.
func (s *source) belongsTo() int64 {
	switch {
	case s.parent != nil:
		return s.parent.id
	case s.connector != nil:
		return s.connector.ID
	case s.live != nil:
		return s.live.ConnectorID
	}
	return 0
}

// settingTypes are the parameters that the connector declares once it is as
// it should be.
func (s *source) settingTypes() []bitrix.SettingType {
	switch {
	case s.parent != nil:
		c := s.parent.subject.(*connector)
		if !s.parent.selected && c.live != nil { // it stays as it is
			return c.live.Settings
		}
		return c.settings()
	case s.connector != nil:
		return s.connector.Settings
	}
	return nil
}

// compare lists title, description, active, settings as declared. A setting
// that the portal does not show is the empty text: the portal keeps no
// difference between the two, nor between a description of null and "".
func (s *source) compare() ([]difference, *Failure) {
	d, live, f := s.desired, s.live, fields{created: s.live == nil}
	if live == nil {
		live = &bitrix.Source{Active: rest.True} // as new ones are
	}
	f.text("title", cmp.Or(d.Title, s.along), live.Title)
	f.text("description", d.Description, live.Description)
	if d.Active != nil && live.Active == rest.Unsaid {
		return nil, failure(&rest.Error{Code: rest.BadAnswer, Method: bitrix.MethodSourceList,
			Message: "the portal does not say whether the source is active"})
	}
	f.boolean("active", d.Active, live.Active == rest.True)
	for i := range d.Settings {
		set := &d.Settings[i]
		from, to := liveSetting(live, set.Code), set.Value.Text().Plain()
		if from != to && from != trim(to) || slices.Contains(live.Unsaid, set.Code) {
			f.add(difference{path: settingPath(set.Code), code: set.Code, sensitive: !set.Reveal, from: textValue(from), to: textValue(trim(to))})
		}
	}
	return f.list, nil
}

func liveSetting(live *bitrix.Source, code string) string {
	for _, s := range live.Settings {
		if s.Code == code {
			return s.Value.Plain()
		}
	}
	return ""
}

// hasValue reports whether a source may have a value of a setting.
func hasValue(live *bitrix.Source, code string) bool {
	return liveSetting(live, code) != "" || slices.Contains(live.Unsaid, code)
}

// trim does to a setting's value what the portal does when it stores it:
// PHP's trim takes blank, tab, line feed, carriage return, NUL and vertical
// tab off both ends, and no other white space.
func trim(s string) string { return strings.Trim(s, " \t\n\r\x00\v") }

// check names all that is wrong with what would be sent. The portal itself
// drops an unknown setting without a word.
func (s *source) check(diffs []difference) *Failure {
	if f := s.checkSettings(diffs); f != nil {
		return f
	}
	title := s.title()
	switch {
	case len(diffs) == 0: // no update, no title
	case title == "" || title == "0":
		return &Failure{
			Code:    string(rest.PortalError),
			Message: "the portal demands a title with every update, and the live one is empty (\"0\" counts as empty)",
			Hint:    "declare a title for this source",
		}
	case s.desired.Title == nil && slices.Contains(s.live.Unclean, "title"):
		return &Failure{
			Code:    CodeUncleanText,
			Message: "the portal shows a title with characters that cannot be read exactly, and every update sends it back",
			Hint:    "declare a title for this source",
		}
	}
	return nil
}

func (s *source) checkSettings(diffs []difference) *Failure {
	if s.parent == nil && (s.connector == nil || len(diffs) == 0) {
		return nil // the connector is not known, or stays as it is
	}
	types := s.settingTypes()
	known := make(map[string]string, len(types))
	var codes []string
	for _, t := range types {
		known[t.Code] = t.Type
		codes = append(codes, t.Code)
	}
	var unknown, wrong, hints []string
	for i := range s.desired.Settings { // as declared now, and gone with the next update
		set := &s.desired.Settings[i]
		if _, ok := known[set.Code]; !ok && s.pruned(set.Code) && find(diffs, settingPath(set.Code)) == nil && set.Value.Text().Plain() != "" {
			unknown = append(unknown, fmt.Sprintf("%q", set.Code))
		}
	}
	for _, d := range diffs {
		if !d.isSetting() {
			continue
		}
		kind, ok := known[d.code]
		switch {
		case !ok && s.live != nil && hasValue(s.live, d.code) && !s.pruned(d.code):
			// The portal shows it, so it exists: the connector's list is old.
		case !ok:
			unknown = append(unknown, fmt.Sprintf("%q", d.code))
			if near := manifest.Nearest(d.code, codes); near != "" {
				hints = append(hints, fmt.Sprintf("did you mean %q instead of %q?", near, d.code))
			}
		case kind == "INT" && !integer(d.to.plain()):
			wrong = append(wrong, fmt.Sprintf("%q", d.code))
		}
	}
	var f Failure
	var parts []string
	if unknown != nil {
		f.Code = CodeUnknownSetting
		if s.parent != nil && !s.parent.selected {
			hints = append(hints, "select the connector too, if its manifest declares more settings")
		}
		parts = append(parts, fmt.Sprintf("%s declares no setting %s", s.connectorName(), strings.Join(unknown, ", ")))
		if codes != nil {
			hints = append(hints, "declared settings: "+strings.Join(codes, ", "))
		} else {
			hints = append(hints, "the connector must declare a setting before its sources can have it")
		}
	}
	if wrong != nil {
		f.Code = "VALIDATION_INVALID_FIELD_TYPE" // as the portal would say first
		parts = append(parts, fmt.Sprintf("%s says that these settings take an integer: %s", s.connectorName(), strings.Join(wrong, ", ")))
		hints = append(hints, "declare a whole number in decimal digits")
	}
	if parts == nil {
		return nil
	}
	f.Message, f.Hint = strings.Join(parts, "; "), strings.Join(hints, "; ")
	return &f
}

// pruned reports whether the run removes a setting from the connector.
func (s *source) pruned(code string) bool {
	if s.parent == nil {
		return false
	}
	live := s.parent.subject.(*connector).live
	return live != nil && slices.ContainsFunc(live.Settings, func(t bitrix.SettingType) bool { return t.Code == code })
}

func (s *source) connectorName() string {
	switch {
	case s.connector != nil:
		return fmt.Sprintf("connector %q (#%d)", s.connector.Title, s.connector.ID)
	case s.parent != nil && s.parent.id != 0:
		return fmt.Sprintf("connector %q (#%d)", s.parent.title, s.parent.id)
	case s.parent != nil:
		return fmt.Sprintf("connector %q", s.parent.title)
	}
	return "the connector"
}

// integer reports whether s is a decimal integer; the empty text is one that
// is not set.
func integer(s string) bool {
	digits := strings.TrimPrefix(s, "-")
	return s == "" || digits != "" && strings.Trim(digits, "0123456789") == ""
}

// title accompanies every update, since the portal demands one: the declared
// one, else the live one.
func (s *source) title() string {
	if s.desired.Title != nil {
		return *s.desired.Title
	}
	return *cmp.Or(s.along, &s.live.Title)
}

func (s *source) create() bitrix.Write {
	f := bitrix.SourceFields{Title: *s.desired.Title, Description: s.desired.Description, ConnectorID: s.belongsTo()}
	for i := range s.desired.Settings {
		set := &s.desired.Settings[i]
		f.Settings = append(f.Settings, bitrix.Setting{Code: set.Code, Value: set.Value.Text()})
	}
	f.Settings = s.guarded(f.Settings, true)
	return bitrix.AddSource(f)
}

// writes are the update of the fields that a batch can carry, and the active
// flag: a boolean, so a call of its own, for which the others do not wait.
func (s *source) writes(diffs []difference) []write {
	f := bitrix.SourceFields{Title: s.title(), ConnectorID: s.live.ConnectorID, Hidden: s.hidden()}
	var sent []string
	active := false
	for _, d := range diffs {
		switch {
		case d.path == "title" && s.desired.Title == nil:
			continue // it only goes along
		case d.path == "active":
			active = true
			continue
		case d.path == "description":
			f.Description = s.desired.Description
		case d.isSetting():
			f.Settings = append(f.Settings, bitrix.Setting{Code: d.code, Value: s.declared(d.code)})
		}
		sent = append(sent, d.path)
	}
	if s.desired.Title == nil && (active || sent != nil) {
		s.along = &f.Title
	}
	var list []write
	if sent != nil {
		f.Settings = s.guarded(f.Settings, false)
		list = append(list, write{command: bitrix.UpdateSource(s.live.ID, f), paths: sent})
	}
	if active {
		flag := bitrix.SourceFields{
			Title: f.Title, ConnectorID: s.live.ConnectorID, Active: s.desired.Active,
			Settings: s.guarded(nil, false), Hidden: f.Hidden,
		}
		list = append(list, write{command: bitrix.UpdateSource(s.live.ID, flag), paths: []string{"active"}, active: true})
	}
	return list
}

// declared is the declared value of a setting, as it is written: the portal
// trims it when it stores it, but the external system gets all of it.
func (s *source) declared(code string) secret.Text {
	for i := range s.desired.Settings {
		if set := &s.desired.Settings[i]; set.Code == code {
			return set.Value.Text()
		}
	}
	return secret.Text{}
}

// unusedCode is a setting that no connector declares. The portal drops it, and
// does not look for settings among the fields.
const unusedCode = "syncsources-none"

// guarded adds a setting where there is none and the connector has one that
// the portal would mistake for a field, or where the portal demands settings
// and a batch could not carry an empty map.
func (s *source) guarded(settings []bitrix.Setting, adding bool) []bitrix.Setting {
	if len(settings) > 0 {
		return settings
	}
	declaring := bitrix.Connector{Settings: s.settingTypes()}
	if !adding && !declaring.MistakesFields() {
		return nil
	}
	return []bitrix.Setting{{Code: unusedCode, Value: secret.New("1")}}
}

// hidden are the live values of settings, without those that the manifest
// reveals: an error of the portal may repeat them.
func (s *source) hidden() []secret.Text {
	var values []secret.Text
	for _, set := range s.live.Settings {
		if !slices.ContainsFunc(s.desired.Settings, func(d manifest.Setting) bool { return d.Code == set.Code && d.Reveal }) {
			values = append(values, set.Value)
		}
	}
	return values
}

func (s *source) remove() bitrix.Write { return bitrix.DeleteSource(s.live.ID) }

func (s *source) lookup() bitrix.Query {
	return bitrix.SourcesTitled(s.belongsTo(), *s.desired.Title)
}

func (s *source) lookupNewer(from int64) (bitrix.Query, bool) {
	return bitrix.SourcesOf(s.belongsTo(), bitrix.Range{From: from}), true
}

// notes say what an update does beside what is declared, and what is known
// not to converge.
func (s *source) notes(diffs []difference) []string {
	var notes []string
	if find(diffs, "active") != nil {
		notes = append(notes, "current portals accept active and ignore it; if this one does, the apply reports NOT_CONVERGED")
	}
	for _, d := range diffs {
		if d.isSetting() && masked(d.from.plain()) {
			notes = append(notes, fmt.Sprintf("the portal shows a mask in place of the setting %q; if it still does after the write, the apply reports NOT_CONVERGED", d.code))
		}
	}
	types := s.settingTypes()
	if s.live == nil || len(types) == 0 || len(diffs) == 0 {
		return notes
	}
	for _, set := range s.live.Settings {
		if !slices.ContainsFunc(types, func(t bitrix.SettingType) bool { return t.Code == set.Code }) {
			notes = append(notes, fmt.Sprintf("the update removes the stored value of the setting %q, which the connector no longer declares", set.Code))
		}
	}
	return notes
}
