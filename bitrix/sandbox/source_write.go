package sandbox

import (
	"slices"
	"time"
	"unicode/utf8"

	"syncsources/bitrix/sandbox/php"
)

var (
	errSourceNotFound   = &apiError{code: "SOURCE_NOT_FOUND", desc: "Source was not found."}
	errCreateConnection = &apiError{code: "SOURCE_CREATE_CONNECTION_ERROR", desc: "Cannot create connection."}
	errUpdateConnection = &apiError{code: "SOURCE_UPDATE_CONNECTION_ERROR", desc: "Cannot update connection."}
	errSourceUsed       = &apiError{code: "BX_ERROR", desc: "Cannot delete connection. Delete all associated tables first."}
	errAllFields        = &apiError{code: "", desc: "All the fields are required."}
)

const maxTitle = 512

// maxSetting is about how long a setting's value can be, in bytes: the portal
// keeps it encrypted and in base64 in a TEXT column.
const maxSetting = 36 << 10

// sourceUpdate is biconnector.source.update. The connector's check endpoint is
// called for every update, whatever it changes.
func (r *run) sourceUpdate(params *php.Array) (any, *apiError) {
	id, err := checkID(params)
	if err != nil {
		return nil, err
	}
	fields, err := r.p.sources.schema.checkFields(params, true)
	if err != nil {
		return nil, err
	}
	_, err = r.saveSource("update", params, fields, errUpdateConnection, func() (source, *connector, *apiError) {
		src, err := own(r, &r.p.sources, id)
		if err != nil {
			return source{}, nil, err
		}
		return *src, r.p.connectors.get(src.ConnectorID), nil
	})
	if err != nil {
		return nil, err
	}
	return true, nil
}

// sourceAdd is biconnector.source.add. It is not idempotent. A source is made
// active, whatever is sent.
func (r *run) sourceAdd(params *php.Array) (any, *apiError) {
	fields, err := r.p.sources.schema.checkFields(params, false)
	if err != nil {
		return nil, err
	}
	src, err := r.saveSource("add", params, fields, errCreateConnection, func() (source, *connector, *apiError) {
		c, err := own(r, &r.p.connectors, fields.Int("connectorId"))
		if err != nil {
			return source{}, nil, err
		}
		return source{Source: Source{Active: new(true), ConnectorID: c.ID, Owner: c.Owner, CreatedByID: r.auth.user}, created: time.Now()}, c, nil
	})
	if err != nil {
		return nil, err
	}
	return php.Dict("id", src.ID), nil
}

// saveSource makes the checks in the order in which the server makes them, and
// puts the source. Nothing is changed before the connector's check endpoint has
// answered, which takes its time; the title is missed only after it. find
// returns the source to change and its connector, before and after that.
func (r *run) saveSource(verb string, params, fields *php.Array, refused *apiError, find func() (source, *connector, *apiError)) (*source, *apiError) {
	p, method, add := r.p, "biconnector.source."+verb, verb == "add"
	p.mu.Lock()
	src, c, err := find()
	if err != nil {
		p.mu.Unlock()
		return nil, err
	}
	connection := map[string]string{}
	for _, st := range src.settings {
		connection[st.code] = st.value // of codes too that the connector no longer has
	}
	if add {
		merge(connection, fields.Sub("settings"))
	} else {
		merge(connection, sentSettings(fields, c, add))
	}
	cost := p.checkCost(c, &src, connection)
	p.mu.Unlock()

	faulty := p.drawFault(faultyCheck, method, params, nil) != nil
	if err := r.work(cost); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if src, c, err = find(); err != nil {
		return nil, err // deleted in the meantime
	}
	if !p.connect(c, &src, connection, faulty) {
		return nil, refused
	}
	if err := checkTitle(fields); err != nil {
		return nil, err
	}
	src.settings = slices.DeleteFunc(slices.Clone(src.settings), func(st param) bool { return !c.declares(st.code) })
	if err := src.take(p, c, fields, sentSettings(fields, c, add)); err != nil {
		return nil, err
	}
	src.updated, src.updatedBy = time.Now(), r.auth.user
	if add {
		src.ID = p.sources.last + 1
	} else {
		p.stats.Updates[src.ID]++
	}
	p.sources.put(&src)
	p.stats.Writes[method]++
	return &src, nil
}

// sentSettings are the settings that a call carries. Where it carries none,
// the server looks for the declared codes among the fields themselves, and
// takes a setting called title for sent with every title.
func sentSettings(fields *php.Array, c *connector, add bool) *php.Array {
	if sent := fields.Sub("settings"); sent.Len() > 0 {
		return sent
	}
	sent := &php.Array{}
	for _, name := range []string{"title", "description", "active"} {
		if v, ok := fields.Get(name); ok {
			sent.Add(name, v)
		}
	}
	sent.Add("type", "rest")
	sent.Add("connector_id", c.ID)
	if add {
		sent.Add("code", "rest_"+php.String(c.ID))
	}
	for code := range sent.All() {
		if c.declares(code) {
			return sent
		}
	}
	return nil
}

// merge puts what is sent into the connection that the check endpoint gets:
// untrimmed, and codes too that the connector does not have.
func merge(connection map[string]string, sent *php.Array) {
	for code, v := range sent.All() {
		if s, ok := php.Text(v); ok && v != nil {
			connection[code] = s
		}
	}
}

// checkTitle looks at the title once the connection is made. The newest page
// and the server want it in every update, and mean PHP's empty: "0" is none.
func checkTitle(fields *php.Array) *apiError {
	title := fields.Text("title")
	switch {
	case php.Empty(title):
		return errAllFields
	case utf8.RuneCountInString(title) > maxTitle:
		return errTooLong("title", maxTitle)
	}
	return nil
}

// take stores the fields that have been checked, in a source that nobody has
// seen yet. Settings are trimmed; those that the connector does not declare,
// and nulls, are dropped without a word. A code that the connector declares
// twice is stored twice, and updated once. p.mu is held.
func (s *source) take(p *Portal, c *connector, fields, sent *php.Array) *apiError {
	s.Title = p.title(fields.Text("title"))
	if d := fields.Text("description"); fields.Has("description") {
		if len(d) > maxText {
			return errSQL
		}
		s.Description = new(p.text(d))
	}
	if a, ok := fields.Get("active"); ok && p.cfg.HonourActive {
		s.Active = new(a.(bool))
	}
	old := len(s.settings)
	for _, st := range c.Settings {
		v, _ := sent.Get(st.Code)
		if v == nil {
			continue
		}
		value, ok := php.Text(v)
		switch {
		case !ok:
			return errFatal // PHP's trim takes no array
		case len(value) > maxSetting:
			return errSQL
		}
		s.set(p, old, st, p.setting(value))
	}
	return nil
}

// connect is the connection check. p.mu is held.
func (p *Portal) connect(c *connector, s *source, connection map[string]string, faulty bool) bool {
	key, check := -c.ID, c.Check
	if s.Check != "" {
		key, check = s.ID, s.Check
	}
	ok := !faulty
	switch check {
	case CheckFail:
		ok = false
	case CheckFailOnce:
		ok = ok && p.failedOnce[key]
		p.failedOnce[key] = true
	}
	p.stats.Checks[s.ID]++
	if p.cfg.KeepCalls >= 0 {
		p.checks = latest(append(p.checks, Check{Connector: c.ID, Source: s.ID, URL: c.URLCheck, Connection: connection, OK: ok}), p.cfg.KeepCalls)
	}
	return ok
}

func (r *run) sourceDelete(params *php.Array) (any, *apiError) {
	return remove(r, &r.p.sources, params, r.p.tables.children, errSourceUsed)
}
