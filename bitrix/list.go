package bitrix

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"syncsources/bitrix/rest"
)

// Range is a range of ids: From and more, and less than To. A zero To is
// beyond the last id. Whole lists are read by ranges that begin behind the
// last id of the one before: of numbered pages, an object that is deleted
// meanwhile would move another one onto a page that has been read.
type Range struct{ From, To int64 }

// list reads up to PageSize objects by rising id. No fields are selected: the
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
	return Query{method, append(p, rest.Param{Key: "order", Value: rest.Params{{Key: "id", Value: "ASC"}}})}
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
	// They are not among Items. What has no id that could be read stands
	// under 0.
	Broken map[int64]error
	// Count is how many items the list had, broken ones included.
	Count int
}

func (l *List[T]) broken(method string, id rest.Int, why error) {
	if l.Broken == nil {
		l.Broken = make(map[int64]error)
	}
	l.Broken[max(int64(id), 0)] = rest.BadResult(method, why)
}

// item is what a list holds: an object as the wire has it.
type item[T any] interface {
	// read returns the object and its id. An error says why it is broken.
	read() (T, rest.Int, error)
}

// decodeList reads a bare array of items. PHP's habits are tolerated: ids as
// numbers or texts, booleans as true, "Y" or 1, null or [] for an empty map;
// unknown keys are ignored. An object that is listed twice is broken: nobody
// could say which of the two is true. An error means that there is no list at
// all.
func decodeList[I item[T], T any](method string, result json.RawMessage) (List[T], error) {
	var list List[T]
	var items rest.List[I]
	if err := items.UnmarshalJSON(result); err != nil {
		if items, err = decodeEach[I](method, &list, result); err != nil {
			return List[T]{}, rest.BadResult(method, err)
		}
	}
	list.Count += len(items)
	list.Items = make([]T, 0, len(items))
	ids := make([]rest.Int, 0, len(items))
	seen := make(map[rest.Int]bool, len(items))
	for i, it := range items {
		object, id, err := it.read()
		switch {
		case id <= 0:
			err = rest.DecodeError(fmt.Sprintf("item %d has no id", i))
		case seen[id]:
			err = rest.DecodeError(fmt.Sprintf("id %d appears twice", id))
		}
		seen[id] = true
		if err != nil {
			list.broken(method, id, err)
		}
		list.Items, ids = append(list.Items, object), append(ids, id)
	}
	if list.Broken != nil {
		n := 0
		for i, id := range ids {
			if id > 0 && list.Broken[int64(id)] == nil {
				list.Items[n] = list.Items[i]
				n++
			}
		}
		list.Items = slices.Delete(list.Items, n, len(list.Items))
	}
	return list, nil
}

// decodeEach reads a list item by item and sets the broken ones apart.
func decodeEach[I item[T], T any](method string, list *List[T], result json.RawMessage) (rest.List[I], error) {
	var raw rest.List[json.RawMessage]
	if err := raw.UnmarshalJSON(result); err != nil {
		return nil, err
	}
	items := make(rest.List[I], 0, len(raw))
	for _, r := range raw {
		var it I
		err := json.Unmarshal(r, &it)
		if err == nil {
			items = append(items, it)
			continue
		}
		var named struct {
			ID rest.Int `json:"id"`
		}
		if json.Unmarshal(r, &named) != nil {
			named.ID = 0
		}
		list.broken(method, named.ID, err)
		list.Count++
	}
	return items, nil
}

// decodeItem reads the result of a get: {"item": {...}}.
func decodeItem[I item[T], T any](method string, result json.RawMessage) (T, error) {
	var in struct {
		Item *I `json:"item"`
	}
	var none T
	if err := json.Unmarshal(result, &in); err != nil {
		return none, rest.BadResult(method, err)
	}
	if in.Item == nil {
		return none, rest.BadResult(method, rest.DecodeError("it has no item"))
	}
	object, id, err := (*in.Item).read()
	if err == nil && id <= 0 {
		err = rest.DecodeError("the item has no id")
	}
	if err != nil {
		return none, rest.BadResult(method, err)
	}
	return object, nil
}

// DecodeAdded reads the reply to an add: {"id": 12}.
func DecodeAdded(r Reply) (id int64, err error) {
	if r.Err != nil {
		return 0, r.Err
	}
	var in struct {
		ID rest.Int `json:"id"`
	}
	if json.Unmarshal(r.Result, &in) != nil && in.ID.UnmarshalJSON(r.Result) != nil || in.ID <= 0 {
		return 0, &rest.Error{Code: rest.BadAnswer, Message: "the portal's answer does not say which id the new object has"}
	}
	return int64(in.ID), nil
}

// These tell a key that is absent from one that is empty: what an answer does
// not say about a field must not pass for "as declared".
type (
	heldText  = rest.Keyed[rest.Text, *rest.Text]
	heldInt   = rest.Keyed[rest.Int, *rest.Int]
	heldState = rest.Keyed[rest.Tristate, *rest.Tristate]
)

// fields reads the fields of an item and notes the first one that is absent,
// and the paths of texts that cannot be read exactly.
type fields struct {
	absent  string
	unclean []string
}

// has notes an absent key.
func (f *fields) has(key string, held bool) {
	if !held && f.absent == "" {
		f.absent = key
	}
}

func (f *fields) text(key string, t heldText) string {
	f.has(key, t.Held)
	return f.clean(key, string(t.Value))
}

// clean notes a text that holds U+FFFD: what the portal sent was no valid
// UTF-8 or half of a surrogate pair, or is a text that has been spoilt before.
func (f *fields) clean(path, text string) string {
	if strings.ContainsRune(text, '\uFFFD') {
		f.unclean = append(f.unclean, path)
	}
	return text
}

// err reports an absent key.
func (f *fields) err() error {
	if f.absent == "" {
		return nil
	}
	return rest.DecodeError("it says nothing about " + f.absent)
}

// SourcesPage and ConnectorsPage read numbered pages, counted from 1, and go
// with the last caller.
func SourcesPage(n int) Query { return page(MethodSourceList, n) }

// ConnectorsPage is as SourcesPage.
func ConnectorsPage(n int) Query { return page(MethodConnectorList, n) }

func page(method string, n int) Query {
	q := list(method, Range{})
	q.params = append(q.params, rest.Param{Key: "page", Value: int64(n)})
	return q
}
