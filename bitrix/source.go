package bitrix

import (
	"encoding/json"
	"strconv"

	"syncsources/bitrix/rest"
	"syncsources/bitrix/secret"
)

// Methods of sources.
const (
	MethodSourceList   = "biconnector.source.list"
	MethodSourceAdd    = "biconnector.source.add"
	MethodSourceUpdate = "biconnector.source.update"
	MethodSourceDelete = "biconnector.source.delete"
)

// Source is a BIconnector source as the portal shows it.
type Source struct {
	ID          int64
	Title       string
	Description string        // a null of the portal is the empty text
	Active      rest.Tristate // rest.Unsaid where the portal does not say
	ConnectorID int64
	Settings    []Setting // in the portal's order; a null value is the empty text
	CreatedByID int64     // the user
	DateCreate  string    // 2025-03-20 14:50:06, without a zone
	// Unclean holds the paths (title, settings.CODE) of texts that are not as
	// the portal has them: they held bytes that are not UTF-8.
	Unclean []string
	Unsaid  []string // codes of settings that the portal names without their values
}

// Setting is one authorization setting of a source. The portal returns values
// in clear text, passwords too.
type Setting struct {
	Code  string
	Value secret.Text
}

// ListSources reads up to PageSize sources by rising id.
func ListSources(r Range) Query { return list(MethodSourceList, r) }

// SourcesByID reads up to PageSize sources by their ids. Sources that do not
// exist, or belong to another application, are missing from the answer.
func SourcesByID(ids []int64) Query { return listByID(MethodSourceList, ids) }

// SourcesOf reads up to PageSize sources of a connector by rising id.
func SourcesOf(connector int64, r Range) Query {
	return list(MethodSourceList, r, rest.Param{Key: "connectorId", Value: connector})
}

// SourcesTitled finds the sources of a connector with this title, up to
// PageSize. The portal's database may compare without regard to case.
func SourcesTitled(connector int64, title string) Query {
	return list(MethodSourceList, Range{}, rest.Param{Key: "connectorId", Value: connector}, rest.Param{Key: "=title", Value: title})
}

// SourceFields are the fields of an add or update; of an update, nil ones and
// settings that are not named are left as they are by the portal.
type SourceFields struct {
	ConnectorID int64  // of an add; an update cannot change it, there it says which updates cost alike
	Title       string // required: the portal refuses an update without it, even where it does not change
	Description *string
	Active      *bool // of an update; the portal accepts and ignores it in an add
	Settings    []Setting
	// Hidden are values that are not sent but that the portal has, and may
	// repeat where it refuses the update.
	Hidden []secret.Text
}

// AddSource makes a source. The portal asks the connector's external system
// first, and makes nothing where that does not answer.
func AddSource(f SourceFields) Write {
	p := rest.Params{{Key: "title", Value: f.Title}, {Key: "connectorId", Value: f.ConnectorID}, {Key: "settings", Value: settingsMap(f.Settings)}}
	p = optional(p, "description", f.Description)
	return f.costing(adding(MethodSourceAdd, p, hiddenIn(f)...))
}

// UpdateSource changes the source id. Each update makes the portal check the
// connection to the external system, which takes it a second or more.
func UpdateSource(id int64, f SourceFields) Write {
	p := optional(rest.Params{{Key: "title", Value: f.Title}}, "description", f.Description)
	p = optional(p, "active", f.Active)
	if len(f.Settings) > 0 {
		p = append(p, rest.Param{Key: "settings", Value: settingsMap(f.Settings)})
	}
	return f.costing(updating(MethodSourceUpdate, id, p, hiddenIn(f)...))
}

// DeleteSource deletes the source id. The portal refuses it (BX_ERROR) while
// the source has tables.
func DeleteSource(id int64) Write { return deleting(MethodSourceDelete, id) }

// costing puts a command into the class of those whose connector's external
// system is asked.
func (f SourceFields) costing(w Write) Write {
	if f.ConnectorID != 0 {
		w.class = w.method + " of connector " + strconv.FormatInt(f.ConnectorID, 10)
	}
	return w
}

func settingsMap(settings []Setting) rest.Params {
	p := make(rest.Params, len(settings))
	for i, s := range settings {
		p[i] = rest.Param{Key: s.Code, Value: s.Value.Plain()}
	}
	return p
}

// hiddenIn are the values that an answer to the command must not show.
func hiddenIn(f SourceFields) []string {
	all := make([]string, 0, len(f.Settings)+len(f.Hidden))
	for _, s := range f.Settings {
		all = append(all, s.Value.Plain())
	}
	for _, h := range f.Hidden {
		all = append(all, h.Plain())
	}
	return all
}

// DecodeSources reads the result of a list of sources. An error means that
// there is no list at all, and is a *rest.Error of code BadAnswer.
func DecodeSources(result json.RawMessage) (List[Source], error) {
	return decodeList(MethodSourceList, result, sourceReader())
}

// sourceReader returns what reads one source after the other.
func sourceReader() func(value []byte) (Source, int64, error) {
	var s Source
	f := newFields(9)
	f.optional("id", &s.ID)
	f.text("title", &s.Title)
	f.text("description", &s.Description)
	f.optional("active", &s.Active)
	f.integer("connectorId", &s.ConnectorID)
	var code, text string
	set := newFields(2)
	set.text("code", &code)
	set.optional("value", &text)
	f.each("settings", func(value []byte) error {
		const unsaid = "\xff" // is in no text of an answer
		code, text = "", unsaid
		err := set.read(value)
		if text == unsaid {
			s.Unsaid, text = append(s.Unsaid, code), ""
		}
		s.Settings = append(s.Settings, Setting{code, secret.New(text)})
		f.clean("settings.", code, code, text)
		return err
	})
	f.optional("createdById", &s.CreatedByID)
	f.optional("dateCreate", &s.DateCreate)
	return func(value []byte) (Source, int64, error) {
		s, f.unclean = Source{Settings: make([]Setting, 0, 4)}, nil
		err := f.read(value)
		if err == nil {
			err = repeated("the setting", s.Settings, func(s *Setting) string { return s.Code })
		}
		s.Unclean = f.unclean
		return s, s.ID, err
	}
}
