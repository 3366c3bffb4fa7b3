package php

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxJSONDepth is json_decode's default depth.
const maxJSONDepth = 512

// DecodeJSON is PHP's json_decode(…, true): objects become arrays, whole
// numbers beyond 64 bits become floats, the last of equal keys wins. {} and []
// are the same thing afterwards.
func DecodeJSON(body string) (any, error) {
	if !utf8.ValidString(body) {
		return nil, fmt.Errorf("malformed UTF-8")
	}
	dec := json.NewDecoder(strings.NewReader(body))
	dec.UseNumber()
	v, err := decodeValue(dec, 0)
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, fmt.Errorf("something follows the value")
	}
	return v, nil
}

func decodeValue(dec *json.Decoder, depth int) (any, error) {
	if depth > maxJSONDepth {
		return nil, fmt.Errorf("nested too deep")
	}
	tok, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch tok := tok.(type) {
	case json.Number:
		if n, err := strconv.ParseInt(tok.String(), 10, 64); err == nil {
			return n, nil
		}
		f, err := tok.Float64()
		return f, err
	case json.Delim:
		a := &Array{}
		for dec.More() {
			key := ""
			if tok == '{' {
				k, err := dec.Token()
				if err != nil {
					return nil, err
				}
				key = k.(string)
			}
			v, err := decodeValue(dec, depth+1)
			if err != nil {
				return nil, err
			}
			if tok == '{' {
				a.Set(key, v)
			} else {
				a.Push(v)
			}
		}
		_, err := dec.Token() // the closing bracket
		return a, err
	}
	return tok, nil // string, bool or nil
}

// AppendJSON is PHP's json_encode as the REST server calls it: an array with
// the keys 0..n-1, the empty one included, is a list; slashes are escaped;
// other characters stand as they are.
func AppendJSON(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case bool:
		return strconv.AppendBool(b, v)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case float64:
		return append(b, formatFloat(v, -1, 17, 'e')...)
	case string:
		return appendJSONString(b, v)
	case *Array:
		if v.IsList() {
			b = append(b, '[')
			for i, item := range v.vals {
				if i > 0 {
					b = append(b, ',')
				}
				b = AppendJSON(b, item)
			}
			return append(b, ']')
		}
		b = append(b, '{')
		for i, k := range v.keys {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendJSONString(b, k)
			b = append(b, ':')
			b = AppendJSON(b, v.vals[i])
		}
		return append(b, '}')
	}
	panic(fmt.Sprintf("sandbox: %T in a PHP value", v)) // a bug: only the kinds of array are stored
}

func appendJSONString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			switch {
			case r == utf8.RuneError && n == 1:
				b = append(b, `\ufffd`...)
			case r == '\u2028' || r == '\u2029':
				b = append(b, `\u202`...)
				b = append(b, hex[r&15])
			default:
				b = append(b, s[i:i+n]...)
			}
			i += n
			continue
		}
		switch c {
		case '"', '\\', '/':
			b = append(b, '\\', c)
		case '\b':
			b = append(b, '\\', 'b')
		case '\f':
			b = append(b, '\\', 'f')
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			if c < 0x20 {
				b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
			} else {
				b = append(b, c)
			}
		}
		i++
	}
	return append(b, '"')
}
