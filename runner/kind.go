package runner

import (
	"encoding/json"

	"syncsources/bitrix"
	"syncsources/bitrix/rest"
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
	// lost may have made, and made returns the ids that its answer shows.
	lookup() bitrix.Query
	made(answer json.RawMessage) ([]int64, error)
	// lookupNewer is the query for what has an id from one on, among which it
	// may be under a title that the portal stores otherwise; false where that
	// cannot be. stored returns the ids of such, and where to go on; 0: nowhere.
	lookupNewer(from int64) (bitrix.Query, bool)
	stored(answer json.RawMessage) (ids []int64, next int64, err error)
	// writes are the commands that remove the differences, in their order.
	writes(diffs []difference) []write
	// remove is the command that deletes the object.
	remove() bitrix.Write
	// take replaces the live object by what was read; nil: it is gone.
	take(live any)
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

// kind is what a run has to know about a kind of objects beside its subjects.
type kind struct {
	name     Kind
	notFound rest.Code // the portal's code of an object that is not there
	// group is how many objects one command reads back; read makes it.
	group int
	read  func(f bitrix.Family, ids []int64) bitrix.Query
	// decode returns what the answer shows, by id, and why objects cannot be
	// read; under 0 stands why one of them cannot, nobody knows which.
	decode func(ids []int64, answer json.RawMessage) (found map[int64]any, broken map[int64]error, err error)
}

// kinds are the kinds of objects in the order in which they are created. Each
// may refer to those before it.
var kinds = []*kind{connectors, sources, tables}

// index keys a list's items by their ids, for decode.
func index[T any](list bitrix.List[T], err error, id func(*T) int64) (map[int64]any, map[int64]error, error) {
	if err != nil {
		return nil, nil, err
	}
	found := make(map[int64]any, len(list.Items))
	for i := range list.Items {
		item := &list.Items[i]
		found[id(item)] = item
	}
	return found, list.Broken, nil
}

// storedAs returns the objects of a list whose title is the stored form of
// one, and the id from which on the list goes on.
func storedAs[T any](list bitrix.List[T], err error, title string, of func(*T) (id int64, title string)) (ids []int64, next int64, failed error) {
	if err != nil {
		return nil, 0, err
	}
	for i := range list.Items {
		id, live := of(&list.Items[i])
		if _, is := storedForm(title, live); is {
			ids = append(ids, id)
		}
		if list.Count >= bitrix.PageSize {
			next = max(next, id+1)
		}
	}
	return ids, next, list.Broken[0]
}
