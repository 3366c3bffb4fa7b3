package bitrix

import (
	"encoding/json"
	"fmt"
	"slices"

	"syncsources/bitrix/rest"
)

// Range is a range of ids: From and more, and less than To. A zero To is
// beyond the last id. Whole lists are read by ranges that begin behind the
// last id of the one before: of numbered pages, an object that is deleted
// meanwhile would move another one onto a page that has been read.
type Range struct {
	From, To int64
	Newest   bool // by falling id instead of rising
}

// list reads up to PageSize objects by rising or falling id. No fields are selected: the
// portal spoils dates that are, and leaves ids out.
func list(method string, r Range, further ...rest.Param) Query {
	filter := rest.Params(further)
	if r.From > 0 {
		filter = append(filter, rest.Param{Key: ">=id", Value: r.From})
	}
	if r.To > 0 {
		filter = append(filter, rest.Param{Key: "<id", Value: r.To})
	}
	var p rest.Params
	if len(filter) > 0 {
		p = rest.Params{{Key: "filter", Value: filter}}
	}
	direction := "ASC"
	if r.Newest {
		direction = "DESC"
	}
	return Query{method, append(p, rest.Param{Key: "order", Value: rest.Params{{Key: "id", Value: direction}}})}
}

// listByID reads up to PageSize objects by their ids. Those that do not exist,
// or belong to another application, are missing from the answer.
func listByID(method string, ids []int64) Query {
	values := make([]any, len(ids), len(ids)+1)
	for i, id := range ids {
		values[i] = id
	}
	if len(values) == 0 {
		values = append(values, int64(0)) // the portal drops a filter by an empty list, and would show all
	}
	return Query{method, rest.Params{{Key: "filter", Value: rest.Params{{Key: "@id", Value: values}}}, {Key: "order", Value: rest.Params{{Key: "id", Value: "ASC"}}}}}
}

// List is the result of a list.
type List[T any] struct {
	Items []T
	// Broken holds, by id, the objects about which the answer is not what the
	// method documents, each with the reason, a *rest.Error of code BadAnswer.
	// They are not among Items. Those without a readable id are under 0.
	Broken map[int64]error
	// Count is how many items the list had, broken ones included.
	Count int
}

// decodeList reads a bare array of items, each by read, which returns the
// object and its id, and why it is broken. PHP's habits are tolerated: ids as
// numbers or texts, booleans as true, "Y" or 1, null or [] for an empty map;
// unknown keys are ignored. An object that is listed twice is broken: nobody
// could say which of the two is true. An error means that there is no list at
// all.
func decodeList[T any](method string, result json.RawMessage, read func([]byte) (T, int64, error)) (List[T], error) {
	list := List[T]{Items: make([]T, 0, PageSize)}
	ids, seen := make([]int64, 0, PageSize), make(map[int64]bool, PageSize)
	err := rest.Items(result, func(value []byte) error {
		object, id, err := read(value)
		switch {
		case id <= 0 && err == nil:
			err = rest.DecodeError(fmt.Sprintf("item %d has no id", list.Count))
		case seen[id]:
			err = rest.DecodeError(fmt.Sprintf("id %d appears twice", id))
		}
		list.Count++
		seen[id] = true
		if err != nil {
			if list.Broken == nil {
				list.Broken = make(map[int64]error)
			}
			list.Broken[max(id, 0)] = rest.BadResult(method, err)
			return nil
		}
		list.Items, ids = append(list.Items, object), append(ids, id)
		return nil
	})
	if err != nil {
		return List[T]{}, rest.BadResult(method, err)
	}
	if list.Broken != nil { // one that appeared before its repetition
		n := 0
		for i, id := range ids {
			if list.Broken[id] == nil {
				list.Items[n] = list.Items[i]
				n++
			}
		}
		list.Items = slices.Delete(list.Items, n, len(list.Items))
	}
	return list, nil
}

// DecodeAdded reads the reply to an add: {"id": 12}.
func DecodeAdded(r Reply) (int64, error) {
	if r.Err != nil {
		return 0, r.Err
	}
	var f fields
	var id rest.Int
	f.integer("id", (*int64)(&id))
	if f.read(r.Result) != nil {
		_ = id.UnmarshalJSON(r.Result) // a bare number
	}
	if id <= 0 {
		return 0, &rest.Error{Code: rest.BadAnswer, Message: "the portal's answer does not say which id the new object has"}
	}
	return int64(id), nil
}
