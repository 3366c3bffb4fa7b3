package sandbox

import (
	"iter"
	"maps"
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

// sourceUpdate is biconnector.source.update. The checks come in the order in
// which the server makes them. The connector's check endpoint is called for
// every update, whatever it changes, and takes its time; nothing is changed
// before it has answered. The title is missed only after it.
func (r *run) sourceUpdate(params *php.Array) (any, *apiError) {
	id, err := checkID(params)
	if err != nil {
		return nil, err
	}
	fields, err := r.p.sources.schema.checkFields(params, true)
	if err != nil {
		return nil, err
	}

	p := r.p
	p.mu.Lock()
	src, err := own(r, &p.sources, id)
	if err != nil {
		p.mu.Unlock()
		return nil, err
	}
	c := p.connectors.get(src.connectorID)
	sent := sentSettings(fields, c, false)
	connection := map[string]string{}
	for _, st := range src.settings {
		connection[st.code] = st.value // of codes too that the connector no longer has
	}
	merge(connection, sent)
	cost := p.checkCost(c, src, connection)
	p.mu.Unlock()

	faulty := p.drawFault(faultyCheck, "biconnector.source.update", params, nil) != nil
	if err := r.work(cost); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if src, err = own(r, &p.sources, id); err != nil {
		return nil, err // deleted in the meantime
	}
	c = p.connectors.get(src.connectorID)
	if !p.connect(c, src, connection, faulty) {
		return nil, errUpdateConnection
	}
	if err := checkTitle(fields); err != nil {
		return nil, err
	}
	next := *src
	next.settings = nil
	for _, st := range src.settings { // what the connector no longer has goes
		if _, ok := c.setting(st.code); ok {
			next.settings = append(next.settings, st)
		}
	}
	if err := next.take(p, c, fields, sent); err != nil {
		return nil, err
	}
	next.updated, next.updatedBy = time.Now(), r.auth.user
	p.sources.put(&next)
	p.stats.Updates[id]++
	p.stats.Writes["biconnector.source.update"]++
	return true, nil
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
		sent.Add("code", "rest_"+idText(c.ID))
	}
	for code := range sent.All() {
		if _, ok := c.setting(code); ok {
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
	s.title = p.title(fields.Text("title"))
	if d := fields.Text("description"); fields.Has("description") {
		if len(d) > maxText {
			return errSQL
		}
		d = p.text(d)
		s.description = &d
	}
	if a, ok := fields.Get("active"); ok && p.cfg.HonourActive {
		s.active = a.(bool)
	}
	s.settings = slices.Clone(s.settings)
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
	if s.check != "" {
		key, check = s.id, s.check
	}
	ok := !faulty
	switch check {
	case CheckFail:
		ok = false
	case CheckFailOnce:
		ok = ok && p.failedOnce[key]
		p.failedOnce[key] = true
	}
	p.stats.Checks[s.id]++
	if p.cfg.KeepCalls >= 0 {
		p.checks = append(p.checks, Check{Connector: c.ID, Source: s.id, URL: c.URLCheck, Connection: connection, OK: ok})
		if keep := p.cfg.KeepCalls; keep > 0 && len(p.checks) >= 2*keep {
			p.checks = slices.Clone(p.checks[len(p.checks)-keep:])
		}
	}
	return ok
}

// sourceAdd is biconnector.source.add. It is not idempotent. A source is made
// active, whatever is sent.
func (r *run) sourceAdd(params *php.Array) (any, *apiError) {
	fields, err := r.p.sources.schema.checkFields(params, false)
	if err != nil {
		return nil, err
	}

	p := r.p
	connectorID := fields.Int("connectorId")
	connection := map[string]string{}
	merge(connection, fields.Sub("settings"))
	p.mu.Lock()
	c, err := own(r, &p.connectors, connectorID)
	if err != nil {
		p.mu.Unlock()
		return nil, err
	}
	cost := p.checkCost(c, nil, connection)
	p.mu.Unlock()

	faulty := p.drawFault(faultyCheck, "biconnector.source.add", params, nil) != nil
	if err := r.work(cost); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if c, err = own(r, &p.connectors, connectorID); err != nil {
		return nil, err
	}
	now := time.Now()
	src := &source{
		active: true, connectorID: connectorID, owner: c.Owner,
		created: now, updated: now, createdBy: r.auth.user, updatedBy: r.auth.user,
	}
	if !p.connect(c, src, connection, faulty) {
		return nil, errCreateConnection
	}
	if err := checkTitle(fields); err != nil {
		return nil, err
	}
	if err := src.take(p, c, fields, sentSettings(fields, c, true)); err != nil {
		return nil, err
	}
	src.id = p.sources.last + 1
	p.sources.put(src)
	p.stats.Writes["biconnector.source.add"]++
	return php.Dict("id", src.id), nil
}

func (r *run) sourceDelete(params *php.Array) (any, *apiError) {
	return remove(r, &r.p.sources, params, r.p.tables.children, errSourceUsed)
}

// mapValues yields the values of a map in the order of its keys.
func mapValues(m map[string]string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			if !yield(m[k]) {
				return
			}
		}
	}
}
