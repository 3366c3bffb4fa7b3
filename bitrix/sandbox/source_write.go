package sandbox

import (
	"time"

	"syncsources/bitrix/sandbox/php"
)

// sourceUpdate is biconnector.source.update. The checks come in the order in
// which the server makes them. The connector's check endpoint is called for
// every update, whatever it changes, and takes its time; nothing is changed
// before it has answered. The title is missed only after it.
func (r *run) sourceUpdate(params *php.Array) (any, *apiError) {
	id, err := checkID(params)
	if err != nil {
		return nil, err
	}
	fields, err := checkFields(params, true)
	if err != nil {
		return nil, err
	}

	p := r.p
	p.mu.Lock()
	src := r.mine(id)
	var settings []param
	var cost time.Duration
	if src != nil {
		sent, _ := fields.Get("settings")
		settings, err = newSettings(p.connectors[src.connectorID], sent)
		cost = p.updateCost(src)
	}
	p.mu.Unlock()
	switch {
	case src == nil:
		return nil, errSourceNotFound
	case err != nil:
		return nil, err
	}

	faulty := p.strike("biconnector.source.update", true) != nil
	if err := r.work(cost); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.connect(src) || faulty {
		return nil, errUpdateConnection
	}
	if src = r.mine(id); src == nil {
		return nil, errSourceNotFound // deleted in the meantime
	}
	// The newest page and the server want the title in every update, and mean
	// PHP's empty: "0" is none.
	title, _ := fields.Get("title")
	if php.Empty(title) {
		return nil, errAllFields
	}
	src.title = title.(string)
	src.take(p, fields, settings)
	src.updated, src.updatedBy = time.Now(), r.auth.user
	p.stats.Updates[id]++
	return true, nil
}

// take stores the fields that have been checked. p.mu is held.
func (s *source) take(p *Portal, fields *php.Array, settings []param) {
	if d, ok := fields.Get("description"); ok {
		text := d.(string)
		s.description = &text
	}
	if a, ok := fields.Get("active"); ok && p.cfg.HonourActive {
		s.active = a.(bool)
	}
	for _, st := range settings {
		s.set(p, st.code, st.value)
	}
}

// connect is the connection check. p.mu is held.
func (p *Portal) connect(s *source) bool {
	p.stats.Checks[s.id]++
	switch s.check {
	case CheckFail:
		return false
	case CheckFailOnce:
		s.check = CheckOK
		return false
	}
	return true
}

// sourceAdd is biconnector.source.add. It is not idempotent.
func (r *run) sourceAdd(params *php.Array) (any, *apiError) {
	fields, err := checkFields(params, false)
	if err != nil {
		return nil, err
	}

	p := r.p
	v, _ := fields.Get("connectorId")
	connectorID, _ := php.Numeric(v)
	p.mu.Lock()
	c := p.connectors[connectorID]
	p.mu.Unlock()
	if c == nil {
		return nil, errConnectorNotFound
	}
	sent, _ := fields.Get("settings")
	settings, err := newSettings(c, sent)
	if err != nil {
		return nil, err
	}
	faulty := p.strike("biconnector.source.add", true) != nil
	if err := r.work(p.cfg.UpdateCost); err != nil {
		return nil, err
	}
	if faulty {
		return nil, errCreateConnection
	}
	title, _ := fields.Get("title")
	if php.Empty(title) {
		return nil, errAllFields
	}

	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	src := &source{
		id: p.lastID + 1, title: title.(string), active: true, connectorID: connectorID, owner: r.auth.client,
		created: now, updated: now, createdBy: r.auth.user, updatedBy: r.auth.user,
	}
	src.take(p, fields, settings)
	p.insert(src)
	p.stats.Checks[src.id]++
	return php.Dict("id", src.id), nil
}

// sourceDelete is biconnector.source.delete.
func (r *run) sourceDelete(params *php.Array) (any, *apiError) {
	id, err := checkID(params)
	if err != nil {
		return nil, err
	}
	p := r.p
	p.mu.Lock()
	defer p.mu.Unlock()
	src := r.mine(id)
	switch {
	case src == nil:
		return nil, errSourceNotFound
	case src.datasets > 0:
		return nil, errHasDatasets
	}
	p.remove(src)
	return true, nil
}
