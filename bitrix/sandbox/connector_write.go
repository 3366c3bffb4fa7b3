package sandbox

import (
	"net/http"
	"time"
	"unicode/utf8"

	"syncsources/bitrix/sandbox/php"
)

var (
	errConnectorNotFound = &apiError{code: "CONNECTOR_NOT_FOUND", desc: "Connector was not found."}
	errConnectorUsed     = &apiError{code: "CONNECTOR_DELETE_RESTRICTED", desc: "Connector cannot be removed. Remove the connections related to the connector first."}
	// errSQL is what the database says of a text that does not fit into its
	// column, and of a second object of a name.
	errSQL = &apiError{status: http.StatusInternalServerError, code: "ERROR_CORE", desc: "SQL query error!"}
)

// maxText is MySQL's TEXT, in bytes.
const maxText = 65535

// connectorAdd is biconnector.connector.add. It is not idempotent, and calls
// none of the endpoints.
func (r *run) connectorAdd(params *php.Array) (any, *apiError) {
	fields, err := r.p.connectors.schema.checkFields(params, false)
	if err != nil {
		return nil, err
	}
	c := &connector{Connector{Sort: 100, Owner: r.auth.client}, time.Now()}
	if err := c.take(r.p, fields); err != nil {
		return nil, err
	}
	if err := r.work(r.p.cfg.WriteCost); err != nil {
		return nil, err
	}
	p := r.p
	p.mu.Lock()
	defer p.mu.Unlock()
	c.ID, c.created = p.connectors.last+1, time.Now()
	p.connectors.put(c)
	p.stats.Writes["biconnector.connector.add"]++
	return php.Dict("id", c.ID), nil
}

// connectorUpdate is biconnector.connector.update. Of the settings it takes
// the whole list; what sources have stored stays as it is.
func (r *run) connectorUpdate(params *php.Array) (any, *apiError) {
	return update(r, &r.p.connectors, params, func(old *connector, fields *php.Array) (*connector, *apiError) {
		c := *old
		return &c, c.take(r.p, fields)
	})
}

// take stores fields whose types have been checked: the settings are looked
// at first, then the texts by their lengths.
func (c *connector) take(p *Portal, fields *php.Array) *apiError {
	if sent := fields.Sub("settings"); sent != nil {
		settings, err := settingTypes(sent)
		if err != nil {
			return err
		}
		c.Settings = settings
	}
	for _, f := range []struct {
		name  string
		to    *string
		limit int // in characters; 0: that of the column
		store func(string) string
	}{
		{"title", &c.Title, 512, p.title}, {"logo", &c.Logo, 0, nil}, {"urlCheck", &c.URLCheck, 2048, nil}, {"urlData", &c.URLData, 2048, nil},
		{"urlTableList", &c.URLTableList, 2048, nil}, {"urlTableDescription", &c.URLTableDescription, 2048, nil},
		{"description", &c.Description, 0, p.text}, {"sourceCode", &c.SourceCode, 64, nil},
	} {
		s := fields.Text(f.name)
		switch {
		case !fields.Has(f.name):
			continue
		case s == "" && f.name != "description" && f.name != "sourceCode":
			return errRequired(f.name)
		case f.limit > 0 && utf8.RuneCountInString(s) > f.limit:
			return errTooLong(f.name, f.limit)
		case len(s) > maxText:
			return errSQL
		}
		if f.store != nil {
			s = f.store(s)
		}
		*f.to = s
	}
	if fields.Has("sort") {
		c.Sort = fields.Int("sort")
	}
	if v, ok := fields.Get("supportMapping"); ok {
		c.SupportMapping = v.(bool)
	}
	return nil
}

// settingTypes reads a connector's list of settings. The first bad item is
// the answer; keys that nobody knows are dropped, and a code that is there
// twice is not noticed.
func settingTypes(sent *php.Array) ([]SettingType, *apiError) {
	types := []SettingType{}
	for _, v := range sent.All() {
		item, _ := v.(*php.Array)
		st := SettingType{item.Text("code"), item.Text("name"), item.Text("type")}
		switch {
		case !item.IsSet("code") || !item.IsSet("name") || !item.IsSet("type"):
			return nil, errValidation("SETTINGS_MISSING_REQUIRED_FIELDS", `Settings must include "type", "name" and "code" fields.`)
		case utf8.RuneCountInString(st.Name) > 512:
			return nil, errValidation("SETTINGS_NAME_TOO_LONG", `Parameter "name" must be less than 512 characters.`)
		case utf8.RuneCountInString(st.Code) > 512:
			return nil, errValidation("SETTINGS_CODE_TOO_LONG", `Parameter "code" must be less than 512 characters.`)
		case st.Type != "STRING" && st.Type != "INT":
			return nil, errValidation("SETTINGS_INVALID_TYPE", `Parameter "type" is not correct.`)
		}
		types = append(types, st)
	}
	return types, nil
}

func (r *run) connectorDelete(params *php.Array) (any, *apiError) {
	return remove(r, &r.p.connectors, params, r.p.sources.children, errConnectorUsed)
}
