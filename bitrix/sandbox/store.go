package sandbox

import (
	"slices"
	"time"

	"syncsources/bitrix/sandbox/php"
)

// object is what a portal keeps: a connector, a source or a table. Objects are
// replaced and never changed, so that what a read has seen stays what it was.
type object interface {
	comparable
	// key is the object's id, the application that sees it, and the object that
	// it hangs on, 0 for none. None of them ever changes.
	key() (id int64, app string, parent int64)
	// item is the object as the get method shows it.
	item(*Portal) *php.Array
}

// store keeps the objects of one kind. All from last on is guarded by the
// portal's mutex.
type store[T object] struct {
	kind    string // in the names of its methods
	schema  schema[T]
	missing *apiError             // the answer where the client sees no such object
	index   func(o T, there bool) // if not nil, is called for what comes and goes

	last  int64 // the largest id that there ever was
	live  map[int64]T
	apps  map[string][]int64 // the ids of an application's objects, rising
	below map[int64][]int64  // the ids of what hangs on an object, rising
	late  time.Duration      // how much later a write shows
	past  map[int64][]version[T]
}

type version[T object] struct {
	until  time.Time
	object T // nil: not there
}

func newStore[T object](kind string, fields schema[T], missing *apiError, late time.Duration) store[T] {
	return store[T]{
		kind: kind, schema: fields, missing: missing, late: late,
		live: map[int64]T{}, apps: map[string][]int64{}, below: map[int64][]int64{}, past: map[int64][]version[T]{},
	}
}

// own is an object that has been looked for, if it is there and the
// application sees it.
func (s *store[T]) own(app string, o T) (T, *apiError) {
	var none T
	if o != none {
		if _, owner, _ := o.key(); owner == app {
			return o, nil
		}
	}
	return none, s.missing
}

// get finds an object as it is.
func (s *store[T]) get(id int64) T { return s.live[id] }

// shown finds an object as reads show it.
func (s *store[T]) shown(id int64) T {
	if len(s.past) == 0 {
		return s.live[id]
	}
	now := time.Now()
	for _, v := range s.past[id] {
		if now.Before(v.until) {
			return v.object
		}
	}
	delete(s.past, id)
	return s.live[id]
}

// put adds an object or replaces it.
func (s *store[T]) put(o T) {
	var none T
	id, app, parent := o.key()
	old := s.live[id]
	s.remember(id, old)
	if s.index != nil {
		if old != none {
			s.index(old, false)
		}
		s.index(o, true)
	}
	s.live[id] = o
	s.last = max(s.last, id)
	if old == none {
		s.apps[app] = insert(s.apps[app], id)
		s.below[parent] = insert(s.below[parent], id)
	}
}

// drop takes an object away, if it is there. While reads still show it, its id
// stays in the lists of ids.
func (s *store[T]) drop(id int64) {
	o, ok := s.live[id]
	if !ok {
		return
	}
	_, app, parent := o.key()
	s.remember(id, o)
	if s.index != nil {
		s.index(o, false)
	}
	delete(s.live, id)
	if s.late == 0 {
		s.apps[app] = without(s.apps[app], id)
		s.below[parent] = without(s.below[parent], id)
	}
}

func (s *store[T]) remember(id int64, old T) {
	if s.late > 0 {
		s.past[id] = append(s.past[id], version[T]{time.Now().Add(s.late), old})
	}
}

// children counts what hangs on an object.
func (s *store[T]) children(parent int64) int {
	n := 0
	for _, id := range s.below[parent] {
		if _, ok := s.live[id]; ok {
			n++
		}
	}
	return n
}

func insert(ids []int64, id int64) []int64 {
	i, found := slices.BinarySearch(ids, id)
	if found {
		return ids
	}
	return slices.Insert(ids, i, id)
}

func without(ids []int64, id int64) []int64 {
	if i, found := slices.BinarySearch(ids, id); found {
		return slices.Delete(ids, i, i+1)
	}
	return ids
}
