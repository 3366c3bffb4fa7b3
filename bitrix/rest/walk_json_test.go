package rest

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
)

// FuzzWalk compares what is handed out of JSON with what encoding/json reads
// there. Of anything else it is only asked to end.
func FuzzWalk(f *testing.F) {
	for _, s := range []string{
		`{"a":1,"b":[1,{"c":"}"}],"d\"\\":"\\\"","e":null}`, `[1,"a\\",{"b":[]},[],true]`, ` { "a" : -1.5e3 , "a" : 2 } `, `{"1":"x","0":{}}`, `[]`, `{}`, `null`, `"x"`, `4`, ``,
		`{"a":`, `{"a"`, `[1,`, `{"a":1,}`, `{a:1}`, `["`, `["\`, `[{]`, `}`, `[1 2]`, `[1e700]`, "[\"\x00\xff\"]",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		members, items := map[string]any{}, []any{}
		read := func(value []byte) any {
			v, err := numbersAsTheyStand(value)
			if json.Valid(b) && err != nil {
				t.Fatalf("%q of %q is not a value", value, b)
			}
			return v
		}
		membersErr := Members(b, func(key, value []byte) error { members[string(key)] = read(value); return nil })
		itemsErr := Items(b, func(value []byte) error { items = append(items, read(value)); return nil })
		if !json.Valid(b) {
			return
		}
		want, err := numbersAsTheyStand(b)
		if err != nil {
			t.Fatal(err)
		}
		switch want := want.(type) {
		case map[string]any:
			// encoding/json replaces what is not UTF-8 in keys, too.
			if membersErr != nil || !reflect.DeepEqual(members, want) && bytes.Equal(b, bytes.ToValidUTF8(b, nil)) {
				t.Fatalf("members of %q: %v, %v", b, members, membersErr)
			}
		case []any:
			if itemsErr != nil || !reflect.DeepEqual(items, want) || (membersErr == nil) != (len(want) == 0) {
				t.Fatalf("items of %q: %v, %v", b, items, itemsErr)
			}
		case nil:
			if itemsErr != nil || membersErr == nil {
				t.Fatalf("null: %v, %v", itemsErr, membersErr)
			}
		default:
			if itemsErr == nil || membersErr == nil {
				t.Fatalf("%q is neither a list nor an object", b)
			}
		}
	})
}

// numbersAsTheyStand reads a value whose numbers may be beyond those of Go.
func numbersAsTheyStand(b []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	err = d.Decode(&v)
	return v, err
}
