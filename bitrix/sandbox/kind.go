package sandbox

import (
	"strings"
	"time"

	"syncsources/bitrix/sandbox/php"
)

// family adds the methods of a kind: those that read, which all kinds have
// alike, and the ones given.
func family[T object](all map[string]method, prefix string, s *store[T], writes calls) {
	reads := calls{
		"list":   func(r *run, params *php.Array) (any, *apiError) { return list(r, s, params) },
		"get":    func(r *run, params *php.Array) (any, *apiError) { return get(r, s, params) },
		"fields": func(*run, *php.Array) (any, *apiError) { return s.schema.describe(), nil },
	}
	for _, methods := range []calls{reads, writes} {
		for name, call := range methods {
			all[prefix+"."+name] = method{call, "biconnector", !strings.HasSuffix(name, "fields")}
		}
	}
}

// own finds an object of the run's client, as it is. p.mu is held.
func own[T object](r *run, s *store[T], id int64) (T, *apiError) {
	return s.own(r.auth.client, s.get(id))
}

// one does something with the object whose id the parameters hold, after the
// time that it takes. p.mu is held while it is found and while do runs.
func one[T object](r *run, s *store[T], params *php.Array, cost time.Duration, find func(id int64) T, do func(id int64, o T) (any, *apiError)) (any, *apiError) {
	id, err := checkID(params)
	if err != nil {
		return nil, err
	}
	if err := r.work(cost); err != nil {
		return nil, err
	}
	r.p.mu.Lock()
	defer r.p.mu.Unlock()
	o, err := s.own(r.auth.client, find(id))
	if err != nil {
		return nil, err
	}
	return do(id, o)
}

func get[T object](r *run, s *store[T], params *php.Array) (any, *apiError) {
	return one(r, s, params, r.p.cfg.ReadCost, s.shown, func(_ int64, o T) (any, *apiError) { return php.Dict("item", o.item(r.p)), nil })
}

// update is the update methods of what no endpoint is called for.
func update[T object](r *run, s *store[T], params *php.Array, change func(old T, fields *php.Array) (T, *apiError)) (any, *apiError) {
	id, err := checkID(params)
	if err != nil {
		return nil, err
	}
	fields, err := s.schema.checkFields(params, true)
	if err != nil {
		return nil, err
	}
	p := r.p
	if err := r.work(p.cfg.WriteCost); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	o, err := own(r, s, id)
	if err != nil {
		return nil, err
	}
	if o, err = change(o, fields); err != nil {
		return nil, err
	}
	s.put(o)
	p.stats.Writes["biconnector."+s.kind+".update"]++
	return true, nil
}

// remove is the delete methods. An object that others hang on stays, and used
// is the answer.
func remove[T object](r *run, s *store[T], params *php.Array, children func(id int64) int, used *apiError) (any, *apiError) {
	return one(r, s, params, r.p.cfg.WriteCost, s.get, func(id int64, _ T) (any, *apiError) {
		if children(id) > 0 {
			return nil, used
		}
		s.drop(id)
		r.p.stats.Writes["biconnector."+s.kind+".delete"]++
		return true, nil
	})
}
