package rest

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// An answer is checked to be JSON once, as a whole. These functions walk over
// it afterwards and hand out parts of it in place, so that nothing is decoded
// twice. Given a text that is not JSON, they report an error or hand out
// something odd, but always end.

const notJSON = DecodeError("it is not JSON")

// Members calls f with the members of a JSON object, in their order. What PHP
// writes for an empty map, [], is an object without any.
func Members(b []byte, f func(key, value []byte) error) error {
	b = bytes.TrimSpace(b)
	switch {
	case len(b) == 0 || b[0] != '{' && b[0] != '[':
		return DecodeError("expected an object")
	case b[0] == '[':
		if i := space(b, 1); i < len(b) && b[i] == ']' {
			return nil
		}
		return DecodeError("expected an object, got a list")
	}
	return walk(b, func(key, value []byte) error {
		if bytes.IndexByte(key, '\\') >= 0 {
			var text string
			if json.Unmarshal(key, &text) != nil {
				return notJSON
			}
			return f([]byte(text), value)
		}
		return f(key[1:len(key)-1], value)
	})
}

// Items calls f with the items of a list: a JSON array, an object whose keys
// are numbers and whose values are the items (as PHP writes a list with gaps),
// or null, which is an empty one.
func Items(b []byte, f func(value []byte) error) error {
	b = bytes.TrimSpace(b)
	switch {
	case len(b) == 0:
		return DecodeError("it is missing")
	case string(b) == "null":
		return nil
	case b[0] == '[':
		return walk(b, func(_, value []byte) error { return f(value) })
	case b[0] != '{':
		return DecodeError("expected a list, got a single value")
	}
	return walk(b, func(key, value []byte) error {
		if _, err := strconv.Atoi(string(key[1 : len(key)-1])); err != nil {
			return DecodeError("expected a list, got an object")
		}
		return f(value)
	})
}

// walk calls f with what a JSON object or array holds. A key has its quotes;
// in an array it is nil.
func walk(b []byte, f func(key, value []byte) error) error {
	object := b[0] == '{'
	i := space(b, 1)
	if i < len(b) && (b[i] == '}' && object || b[i] == ']' && !object) {
		return nil
	}
	for {
		var key []byte
		if object {
			end := skip(b, i)
			if end <= i+1 || b[i] != '"' {
				return notJSON
			}
			key = b[i:end]
			if i = space(b, end); i >= len(b) || b[i] != ':' {
				return notJSON
			}
			i = space(b, i+1)
		}
		end := skip(b, i)
		if end <= i {
			return notJSON
		}
		if err := f(key, b[i:end]); err != nil {
			return err
		}
		if i = space(b, end); i >= len(b) || b[i] != ',' {
			if i < len(b) && (b[i] == '}' && object || b[i] == ']' && !object) {
				return nil
			}
			return notJSON
		}
		i = space(b, i+1)
	}
}

// space returns the first place from i on that holds no white space.
func space(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t') {
		i++
	}
	return i
}

// skip returns the end of the value that begins at i, or -1 where it has none.
func skip(b []byte, i int) int {
	depth := 0
	for ; i < len(b); i++ {
		switch b[i] {
		case '"':
			if i = endOfText(b, i); i < 0 {
				return -1
			}
			if depth == 0 {
				return i + 1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
			if depth < 0 {
				return i // of a number or a word in front of it
			}
		case ',', ' ', '\n', '\r', '\t', ':':
			if depth == 0 {
				return i
			}
		}
	}
	if depth > 0 {
		return -1
	}
	return i
}

// endOfText returns the place of the quote that ends the text begun at i, or -1.
func endOfText(b []byte, i int) int {
	for i++; i < len(b); i++ {
		switch b[i] {
		case '"':
			return i
		case '\\':
			i++
		}
	}
	return -1
}
