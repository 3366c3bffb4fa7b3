package bitrix

import (
	"fmt"
	"strings"

	"syncsources/bitrix/rest"
)

// fields reads the fields of one object. What an answer does not say about a
// field must not pass for "as declared": an absent key is an error, unless the
// field is optional.
type fields struct {
	list    []field
	unclean []string // paths of texts that cannot be read exactly
}

type field struct {
	key      string
	into     any // *string, *int64, *rest.Tristate, or a func([]byte) error
	optional bool
}

func (f *fields) text(key string, into *string)            { f.add(key, into, false) }
func (f *fields) integer(key string, into *int64)          { f.add(key, into, false) }
func (f *fields) each(key string, item func([]byte) error) { f.add(key, item, false) }
func (f *fields) optional(key string, into any)            { f.add(key, into, true) }

func (f *fields) add(key string, into any, optional bool) {
	f.list = append(f.list, field{key, into, optional})
}

func newFields(n int) *fields { return &fields{list: make([]field, 0, n)} }

// read reads the whole object, and returns the first thing that is wrong.
func (f *fields) read(value []byte) error {
	var wrong error
	var seen uint64 // the fields that are there, a bit each
	err := rest.Members(value, func(key, value []byte) error {
		for i := range f.list {
			if f.list[i].key == string(key) {
				seen |= 1 << i
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
	for i, d := range f.list {
		if !d.optional && seen&(1<<i) == 0 {
			return rest.DecodeError("it says nothing about " + d.key)
		}
	}
	return nil
}

func (f *fields) set(d field, value []byte) error {
	switch into := d.into.(type) {
	case *string:
		err := (*rest.Text)(into).UnmarshalJSON(value)
		f.clean("", d.key, *into)
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
// Its path is a name in something.
func (f *fields) clean(in, name string, texts ...string) {
	for _, text := range texts {
		if strings.ContainsRune(text, '\uFFFD') {
			f.unclean = append(f.unclean, in+name)
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
