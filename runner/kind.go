package runner

import (
	"encoding/json"
	"maps"
	"slices"

	"syncsources/bitrix"
)

// subject is one object as declared and as the portal shows it. It is what the
// kinds of objects differ in; all else of a run is the same for all.
type subject interface {
	// compare lists how the live object differs from its declaration; where
	// there is none, what creating it sets. The failure says that the portal
	// does not show what would have to be compared.
	compare() ([]difference, *Failure)
	// check says why the differences cannot be written, nil if they can.
	check(diffs []difference) *Failure
	// create is the command that makes the object. What it depends on is there.
	create() bitrix.Write
	// lookup is the query that finds an object that an add whose answer was
	// lost may have made.
	lookup() bitrix.Query
	// lookupNewer is the query for what has an id from one on, among which it
	// may be under a title that the portal stores otherwise; false where that
	// cannot be.
	lookupNewer(from int64) (bitrix.Query, bool)
	// writes are the commands that remove the differences, in their order.
	writes(diffs []difference) []write
	// remove is the command that deletes the object.
	remove() bitrix.Write
	// take replaces the live object by what was read; nil: it is gone.
	take(live any)
	// belongsTo is the id of what the object is created under; 0: it has none
	// yet, or there is nothing.
	belongsTo() int64
	// notes are remarks for whoever reads the plan.
	notes(diffs []difference) []string
}

// write is one command of an update.
type write struct {
	command bitrix.Write
	paths   []string // of the differences that it removes
	active  bool     // it sets the active flag of a source: see active.go
	// fresh demands that the object is read right before: the command names
	// parts of it by ids that would hit somebody else's if they were wrong.
	fresh bool
}

// kind is what a run must know about a kind of objects beside its subjects.
type kind struct {
	name     Kind
	notFound Failure // the portal's answer about an object that is not there
	below    *kind   // of what belongs to such objects; nil for tables
	list     func(f bitrix.Family, r bitrix.Range) bitrix.Query
	// group is how many objects one command reads back; read makes it.
	group int
	read  func(f bitrix.Family, ids []int64) bitrix.Query
	// decode returns what the answer to read shows, by id, and why objects
	// cannot be read; under 0 is why one of them cannot, nobody knows which.
	decode func(ids []int64, answer json.RawMessage) (found map[int64]any, broken map[int64]error, err error)
	// removing is the subject of a live object that is only to be removed.
	removing func(o liveObject, f bitrix.Family) subject

	// What follows is the same for all kinds but for the type: see define.

	// listed is what the answer to a list shows.
	listed func(answer json.RawMessage) (bitrix.List[liveObject], error)
	// keep adds an object to what is live, unless it is there; find finds one,
	// and live are all, by rising id.
	keep func(*Live, liveObject)
	find func(l *Live, id int64) (o liveObject, there bool)
	live func(*Live) []liveObject
}

// liveObject is a live object of whatever kind.
type liveObject struct {
	id      int64
	title   string // of a table its name
	parent  int64  // what it belongs to
	created string // when; empty where plans do not say
	by      int64  // the user who made it
	whole   any    // *bitrix.Connector, *bitrix.Source or *bitrix.Table
}

// kinds are the kinds of objects in the order in which they are created. Each
// may refer to those before it.
var kinds = []*kind{connectors, sources, tables}

// define completes a kind whose objects have the type T.
func define[T any](k kind, decode func(json.RawMessage) (bitrix.List[T], error), in func(*Live) map[int64]*T, of func(*T) liveObject) *kind {
	whole := func(t *T) liveObject {
		o := of(t)
		o.whole = t
		return o
	}
	k.listed = func(answer json.RawMessage) (bitrix.List[liveObject], error) {
		list, err := decode(answer)
		all := bitrix.List[liveObject]{Items: make([]liveObject, 0, len(list.Items)), Broken: list.Broken, Count: list.Count}
		for i := range list.Items {
			all.Items = append(all.Items, whole(&list.Items[i]))
		}
		return all, err
	}
	k.keep = func(l *Live, o liveObject) {
		if _, there := in(l)[o.id]; !there {
			in(l)[o.id] = o.whole.(*T)
		}
	}
	k.find = func(l *Live, id int64) (o liveObject, there bool) {
		t, there := in(l)[id]
		if there {
			o = whole(t)
		}
		return o, there
	}
	k.live = func(l *Live) []liveObject {
		all := make([]liveObject, 0, len(in(l)))
		for _, id := range slices.Sorted(maps.Keys(in(l))) {
			all = append(all, whole(in(l)[id]))
		}
		return all
	}
	if k.decode == nil { // a list reads back
		k.decode = func(_ []int64, answer json.RawMessage) (map[int64]any, map[int64]error, error) {
			list, err := k.listed(answer)
			found := make(map[int64]any, len(list.Items))
			for _, o := range list.Items {
				found[o.id] = o.whole
			}
			return found, list.Broken, err
		}
	}
	return &k
}
