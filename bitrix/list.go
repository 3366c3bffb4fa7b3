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
	// They are not among Items. What has no id that could be read stands
	// under 0.
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
	list := List[T]{Items: []T{}}
	var ids []int64
	seen := map[int64]bool{}
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

// fields reads the fields of one object. What an answer does not say about a
// field must not pass for "as declared": an absent key is an error, unless the
// field is optional.
type fields struct {
	list    []field
	unclean []string // paths of texts that cannot be read exactly
}

type field struct {
	key  string
	into any // *string, *int64, *rest.Tristate, or a func([]byte) error
	seen bool
}

func (f *fields) text(key string, into *string)            { f.add(field{key: key, into: into}) }
func (f *fields) integer(key string, into *int64)          { f.add(field{key: key, into: into}) }
func (f *fields) each(key string, item func([]byte) error) { f.add(field{key: key, into: item}) }
func (f *fields) optional(key string, into any)            { f.add(field{key: key, into: into, seen: true}) }

func (f *fields) add(d field) {
	f.list = append(f.list, d)
}

// newFields has room for n fields.
func newFields(n int) *fields { return &fields{list: make([]field, 0, n)} }

// read reads the whole object, and returns the first thing that is wrong.
func (f *fields) read(value []byte) error {
	var wrong error
	err := rest.Members(value, func(key, value []byte) error {
		for i := range f.list {
			if f.list[i].key == string(key) {
				f.list[i].seen = true
				if err := f.set(f.list[i], value); err != nil && wrong == nil {
					wrong = rest.DecodeError(fmt.Sprintf("%s: %v", key, err))
				}
				break
			}
		}
		return nil
	})
	if err != nil || wrong != nil {
		if wrong == nil {
			wrong = err
		}
		return wrong
	}
	for i := range f.list {
		if !f.list[i].seen {
			return rest.DecodeError("it says nothing about " + f.list[i].key)
		}
	}
	return nil
}

func (f *fields) set(d field, value []byte) error {
	switch into := d.into.(type) {
	case *string:
		err := (*rest.Text)(into).UnmarshalJSON(value)
		f.clean(d.key, *into)
		return err
	case *int64:
		return (*rest.Int)(into).UnmarshalJSON(value)
	case *rest.Tristate:
		return into.UnmarshalJSON(value)
	case func([]byte) error:
		return rest.Items(value, into)
	}
	return nil
}

// clean notes a text that holds U+FFFD: what the portal sent was no valid
// UTF-8 or half of a surrogate pair, or is a text that has been spoilt before.
func (f *fields) clean(path string, texts ...string) {
	for _, text := range texts {
		if strings.ContainsRune(text, '\uFFFD') {
			f.unclean = append(f.unclean, path)
			return
		}
	}
}

// repeated finds a key that two items share. Lists are short.
func repeated[T any](what string, items []T, key func(*T) string) error {
	for i := range items {
		for j := range i {
			if key(&items[i]) == key(&items[j]) {
				return rest.DecodeError(what + " " + rest.Clean(key(&items[i])) + " appears twice")
			}
		}
	}
	return nil
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
