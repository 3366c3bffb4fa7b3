package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"
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

// Int is an integer, a quoted one, or null as zero.
type Int int64

// UnmarshalJSON reads any of these.
func (n *Int) UnmarshalJSON(b []byte) error {
	text := string(bytes.Trim(b, `"`))
	if text == "null" || text == "" {
		*n = 0
		return nil
	}
	v, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return DecodeError("expected an integer")
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
		if bytes.IndexByte(b, '\\') < 0 && utf8.Valid(b) && len(b) > 1 {
			*t = Text(b[1 : len(b)-1])
			return nil
		}
		return json.Unmarshal(b, (*string)(t)) // what is not valid UTF-8 becomes U+FFFD
	case b[0] == '{' || b[0] == '[':
		return DecodeError("expected a string, got an object or array")
	default:
		*t = Text(b)
	}
	return nil
}

// Tristate is true ("Y", "1" or 1, in any case), false, or neither.
type Tristate int

// The values of a Tristate.
const (
	Unsaid Tristate = iota // absent, null, or neither of the two
	True
	False
)

// UnmarshalJSON accepts anything.
func (v *Tristate) UnmarshalJSON(b []byte) error {
	switch strings.ToLower(string(bytes.Trim(b, `"`))) {
	case "true", "y", "yes", "1":
		*v = True
	case "false", "n", "no", "0":
		*v = False
	default:
		*v = Unsaid
	}
	return nil
}
