package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"syncsources/bitrix/secret"
)

// Params are the parameters of a method: an ordered map, so that what goes on
// the wire is the same every time. Values are string, bool, int64, []any or
// Params. They hold secrets in plain text, and print as the mask.
type Params []Param

// Param is one of them.
type Param struct {
	Key   string
	Value any
}

// These print the mask; JSON writes the parameters.
func (Params) Format(f fmt.State, _ rune)   { _, _ = io.WriteString(f, secret.Mask) }
func (Params) MarshalJSON() ([]byte, error) { return secret.New("").MarshalJSON() }
func (Params) MarshalYAML() (any, error)    { return secret.Mask, nil }

func (Param) Format(f fmt.State, _ rune)   { _, _ = io.WriteString(f, secret.Mask) }
func (Param) MarshalJSON() ([]byte, error) { return secret.New("").MarshalJSON() }
func (Param) MarshalYAML() (any, error)    { return secret.Mask, nil }

// JSON writes the parameters as an object in their order, and without blanks
// and the escapes for HTML, which would only make the body longer.
func (p Params) JSON() ([]byte, error) {
	var b bytes.Buffer
	if err := writeJSON(&b, p); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func writeJSON(b *bytes.Buffer, v any) error {
	switch v := v.(type) {
	case Params:
		b.WriteByte('{')
		for i, m := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := writeJSON(b, m.Key); err != nil {
				return err
			}
			b.WriteByte(':')
			if err := writeJSON(b, m.Value); err != nil {
				return err
			}
		}
		b.WriteByte('}')
	case []any:
		b.WriteByte('[')
		for i, e := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := writeJSON(b, e); err != nil {
				return err
			}
		}
		b.WriteByte(']')
	case string:
		if !utf8.ValidString(v) {
			return errors.New("a text is not valid UTF-8") // an encoder would change it without a word
		}
		enc := json.NewEncoder(b)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(v); err != nil {
			return err
		}
		b.Truncate(b.Len() - 1) // the encoder ends with a line feed
	case bool:
		b.WriteString(strconv.FormatBool(v))
	default:
		b.WriteString(scalar(v))
	}
	return nil
}

// Query writes the parameters as PHP's http_build_query does: nested keys in
// (encoded) brackets, blanks as "+", booleans as 1 and 0. It is what the
// portal expects behind the question mark of a command in a batch.
func (p Params) Query() string {
	var b strings.Builder
	writeQuery(&b, "", p)
	return b.String()
}

func writeQuery(b *strings.Builder, prefix string, v any) {
	switch v := v.(type) {
	case Params:
		for _, m := range v {
			writeQuery(b, queryKey(prefix, m.Key), m.Value)
		}
	case []any:
		for i, e := range v {
			writeQuery(b, queryKey(prefix, strconv.Itoa(i)), e)
		}
	default:
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString(prefix)
		b.WriteByte('=')
		b.WriteString(urlencode(scalar(v)))
	}
}

func queryKey(prefix, key string) string {
	if prefix == "" {
		return urlencode(key)
	}
	return prefix + "%5B" + urlencode(key) + "%5D"
}

func scalar(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	case bool:
		if v {
			return "1"
		}
		return "0"
	}
	panic("bitrix: a parameter of a type that has no place on the wire")
}

// urlencode is PHP's function of that name: like url.QueryEscape, but "~" is
// encoded too.
func urlencode(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "~", "%7E")
}
