package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
)

// BadResult reports a result that is not what the method documents. Only a
// cause of our own is named: those of encoding/json may repeat a value.
func BadResult(method string, err error) *Error {
	why := DecodeError("it holds something of another type than documented")
	_ = errors.As(err, &why)
	return &Error{Code: BadAnswer, Message: "the portal's answer is not as documented: " + string(why), Method: method}
}

// DecodeError says what is wrong with an answer, without repeating it.
type DecodeError string

func (e DecodeError) Error() string { return string(e) }

// Map is a JSON object; "[]" is an empty one, and a list is a map with the
// keys 0, 1, ..., as PHP writes it.
type Map map[string]json.RawMessage

// UnmarshalJSON reads an object or a list.
func (m *Map) UnmarshalJSON(b []byte) error {
	b = bytes.TrimSpace(b)
	if len(b) > 0 && b[0] == '[' {
		var list []json.RawMessage
		if err := json.Unmarshal(b, &list); err != nil {
			return err
		}
		*m = make(Map, len(list))
		for i, v := range list {
			(*m)[strconv.Itoa(i)] = v
		}
		return nil
	}
	return json.Unmarshal(b, (*map[string]json.RawMessage)(m))
}

// List is a JSON array, an object whose keys are numbers and whose values are
// the items (as PHP writes a list with gaps), or null.
type List[T any] []T

// UnmarshalJSON reads any of the three.
func (l *List[T]) UnmarshalJSON(b []byte) error {
	b = bytes.TrimSpace(b)
	*l = nil
	switch {
	case len(b) == 0:
		return DecodeError("there is none")
	case string(b) == "null":
		return nil
	case b[0] == '[':
		return json.Unmarshal(b, (*[]T)(l))
	case b[0] != '{':
		return DecodeError("a single value stands in place of a list")
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	_, _ = dec.Token() // {
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return err
		}
		if _, err := strconv.Atoi(key.(string)); err != nil {
			return DecodeError("an object stands in place of a list")
		}
		var item T
		if err := dec.Decode(&item); err != nil {
			return err
		}
		*l = append(*l, item)
	}
	return nil
}

// Int is an integer, a quoted one, or null as zero.
type Int int64

// UnmarshalJSON reads any of these.
func (n *Int) UnmarshalJSON(b []byte) error {
	text := strings.Trim(string(b), `"`)
	if text == "null" || text == "" {
		*n = 0
		return nil
	}
	v, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return DecodeError("an id is not an integer")
	}
	*n = Int(v)
	return nil
}

// Text is a text; numbers are their digits, null is empty, and booleans
// are what PHP makes of them.
type Text string

// UnmarshalJSON reads any of these.
func (t *Text) UnmarshalJSON(b []byte) error {
	switch {
	case len(b) == 0 || string(b) == "null" || string(b) == "false":
		*t = ""
	case string(b) == "true":
		*t = "1"
	case b[0] == '"':
		return json.Unmarshal(b, (*string)(t))
	case b[0] == '{' || b[0] == '[':
		return DecodeError("expected a string, got an object or array")
	default:
		*t = Text(b)
	}
	return nil
}

// Bool is true, "Y", "1" or 1, in any case; all else is false.
type Bool bool

// UnmarshalJSON accepts anything.
func (v *Bool) UnmarshalJSON(b []byte) error {
	var is Tristate
	err := is.UnmarshalJSON(b)
	*v = is == True
	return err
}

// Tristate is a Bool that tells a false from what is neither, or absent.
type Tristate int

const (
	Unsaid Tristate = iota // absent, null, or neither of the two
	True
	False
)

// Is reports whether the value is said to be b.
func (v Tristate) Is(b bool) bool { return v == True && b || v == False && !b }

// UnmarshalJSON accepts anything.
func (v *Tristate) UnmarshalJSON(b []byte) error {
	switch strings.ToLower(strings.Trim(string(b), `"`)) {
	case "true", "y", "yes", "1":
		*v = True
	case "false", "n", "no", "0":
		*v = False
	default:
		*v = Unsaid
	}
	return nil
}

// Keyed is a value that knows whether its key was there.
type Keyed[T any, P interface {
	*T
	json.Unmarshaler
}] struct {
	Value T
	Held  bool
}

// UnmarshalJSON reads the value.
func (k *Keyed[T, P]) UnmarshalJSON(b []byte) error {
	k.Held = true
	return P(&k.Value).UnmarshalJSON(b)
}
