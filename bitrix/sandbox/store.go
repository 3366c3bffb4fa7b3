package sandbox

import (
	"maps"
	"slices"
	"time"
)

// object is what a portal keeps: a connector, a source or a table. Objects are
// replaced and never changed, so that what a read has seen stays what it was.
type object interface {
	comparable
	// key is the object's id, the application that sees it, and the object that
	// it hangs on, 0 for none. None of them ever changes.
	key() (id int64, app string, parent int64)
}

// store keeps the objects of one kind. Its fields are guarded by the portal's
// mutex.
type store[T object] struct {
	last  int64 // the largest id that there ever was
	live  map[int64]T
	apps  map[string][]int64 // the ids of an application's objects, rising
	below map[int64][]int64  // the ids of what hangs on an object, rising
	late  time.Duration      // how much later a write shows
	past  map[int64][]version[T]
}

// version is what reads still show of an object.
type version[T object] struct {
	until  time.Time
	object T // nil: not there
}

func newStore[T object](late time.Duration) store[T] {
	return store[T]{live: map[int64]T{}, apps: map[string][]int64{}, below: map[int64][]int64{}, late: late, past: map[int64][]version[T]{}}
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
	s.live[id] = o
	s.last = max(s.last, id)
	if old == none {
		s.apps[app] = insert(s.apps[app], id)
		s.below[parent] = insert(s.below[parent], id)
	}
}

// remove takes an object away. While reads still show it, its id stays in the
// indexes.
func (s *store[T]) remove(o T) {
	id, app, parent := o.key()
	s.remember(id, o)
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

// all yields the objects by rising id.
func (s *store[T]) all() []T {
	out := make([]T, 0, len(s.live))
	for _, id := range slices.Sorted(maps.Keys(s.live)) {
		out = append(out, s.live[id])
	}
	return out
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
