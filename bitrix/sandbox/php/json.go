package php

import (
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
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
	switch {
	case !utf8.ValidString(body):
		return nil, fmt.Errorf("malformed UTF-8")
	case unpaired(body):
		return nil, fmt.Errorf("a single unpaired surrogate")
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

// escapes are those of JSON texts: a pair of surrogates first, so that what is
// found of one alone is alone.
var escapes = regexp.MustCompile(`(?i)\\\\|\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}|\\ud[89a-f][0-9a-f]{2}`)

// unpaired reports whether a JSON text writes half of a character, which PHP
// refuses.
func unpaired(body string) bool {
	if !strings.Contains(body, `\u`) {
		return false
	}
	return slices.ContainsFunc(escapes.FindAllString(body, -1), func(e string) bool { return len(e) == len(`\ud800`) })
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

// Object is a PHP object without public properties, a date for example: {}.
type Object struct{}

// JSON is how json_encode is called.
type JSON struct {
	// RawBytes lets what is not valid UTF-8 out as it is; PHP itself would
	// refuse, or write \ufffd for it, which is done without RawBytes.
	RawBytes bool
}

// Append is PHP's json_encode as the REST server calls it: an array with the
// keys 0..n-1, the empty one included, is a list; slashes are escaped; other
// characters stay as they are. A surrogate that a text holds as its three
// bytes (WTF-8) is written as \udXXX, as programs in other languages do.
func (j JSON) Append(b []byte, v any) []byte {
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
		return j.appendString(b, v)
	case Object:
		return append(b, "{}"...)
	case *Array:
		if v.IsList() {
			b = append(b, '[')
			for i, item := range v.vals {
				if i > 0 {
					b = append(b, ',')
				}
				b = j.Append(b, item)
			}
			return append(b, ']')
		}
		b = append(b, '{')
		for i, k := range v.keys {
			if i > 0 {
				b = append(b, ',')
			}
			b = j.appendString(b, k)
			b = append(b, ':')
			b = j.Append(b, v.vals[i])
		}
		return append(b, '}')
	}
	panic(fmt.Sprintf("sandbox: %T in a PHP value", v)) // a bug: only the kinds of Array are stored
}

const hex = "0123456789abcdef"

func (j JSON) appendString(b []byte, s string) []byte {
	b = append(b, '"')
	for i := 0; i < len(s); {
		c, n := s[i], 1
		if c >= utf8.RuneSelf {
			b, n = j.appendRune(b, s[i:])
		} else if c >= 0x20 && c != '"' && c != '\\' && c != '/' {
			b = append(b, c)
		} else if at := strings.IndexByte("\"\\/\b\f\n\r\t", c); at >= 0 {
			b = append(b, '\\', `"\/bfnrt`[at])
		} else {
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		i += n
	}
	return append(b, '"')
}

// appendRune writes the first character of a text beyond ASCII, and returns
// how many bytes it had.
func (j JSON) appendRune(b []byte, s string) ([]byte, int) {
	r, n := utf8.DecodeRuneInString(s)
	switch {
	case r == utf8.RuneError && n == 1 && isSurrogate(s):
		return append(b, '\\', 'u', 'd', hex[s[1]>>2&15], hex[(s[1]&3)<<2|s[2]>>4&3], hex[s[2]&15]), 3
	case r == utf8.RuneError && n == 1 && j.RawBytes:
		return append(b, s[0]), 1
	case r == utf8.RuneError && n == 1:
		return append(b, `\ufffd`...), 1
	case r == '\u2028' || r == '\u2029':
		return append(append(b, `\u202`...), hex[r&15]), n
	}
	return append(b, s[:n]...), n
}

// isSurrogate reports whether a text begins with a surrogate in three bytes.
func isSurrogate(s string) bool {
	return len(s) >= 3 && s[0] == 0xed && s[1]&0xe0 == 0xa0 && s[2]&0xc0 == 0x80
}
