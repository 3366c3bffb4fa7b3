package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"
)

// Answer is what every method answers with.
type Answer struct {
	// Result is JSON: it has been checked with the answer as a whole.
	Result  json.RawMessage `json:"-"` // holds what the portal shows, passwords too
	Time    Time
	Elapsed time.Duration
}

// Format prints how long the answer is, for every verb.
func (a Answer) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "an answer of %d bytes", len(a.Result))
}

// Parse sorts an answer. It is a result only where it is JSON, has a result,
// and holds an error neither at the root nor inside the result.
func Parse(status int, content []byte, secrets Scrubber) (Answer, *Error) {
	content = bytes.TrimPrefix(content, []byte("\xef\xbb\xbf")) // of a PHP file saved with one
	var ans Answer
	var code, text []byte
	bad := func() *Error {
		e := &Error{Code: BadAnswer, Message: Describe(ThePortal, status, content, secrets), Status: status}
		if e.Reaction() == Filtered {
			e.Reason = FrontPage
		}
		return e
	}
	if !json.Valid(content) || Members(content, func(key, value []byte) error {
		switch string(key) {
		case "result":
			ans.Result = value
		case "error":
			code = value
		case "error_description":
			text = value
		case "time":
			return ans.Time.UnmarshalJSON(value)
		}
		return nil
	}) != nil {
		return Answer{}, bad()
	}
	e := ShapedError(code, text, secrets)
	switch {
	case e != nil && status < 300 && saysSomething(ans.Result):
		e = contradiction(e)
	case e == nil:
		e = ResultError(ans.Result, secrets)
	}
	if e == nil && (len(ans.Result) == 0 || status >= 300) {
		e = bad()
	}
	if e != nil {
		e.Status = status
	}
	return ans, e
}

// contradiction is the error of an answer that holds a result beside an error:
// nobody can say whether the command ran, until it is read back.
func contradiction(e *Error) *Error {
	message := "the portal's answer holds a result and an error, " + e.Error()
	return &Error{Code: BadAnswer, Message: message, Method: e.Method}
}

// saysSomething reports whether a result beside an error says that the command
// ran: not what PHP makes of none at all, nor another error.
func saysSomething(result []byte) bool {
	switch string(bytes.TrimSpace(result)) {
	case "", "null", "false", "[]", "{}", `""`, "0":
		return false
	}
	return ResultError(result, Scrubber{}) == nil
}

// ResultError finds the shape of error inside a result and that
// every biconnector method uses: {"error": {"error": CODE,
// "error_description": TEXT}}, or the same without the outer map.
func ResultError(result []byte, secrets Scrubber) *Error {
	if result = bytes.TrimSpace(result); len(result) == 0 || result[0] != '{' {
		return nil
	}
	var code, text []byte
	if Members(result, func(key, value []byte) error {
		switch string(key) {
		case "error":
			code = value
		case "error_description":
			text = value
		}
		return nil
	}) != nil {
		return nil
	}
	return ShapedError(code, text, secrets)
}

// BothError settles what a batch says about one command: its place among the
// errors, and its result, where it has one.
func BothError(failure, result []byte, secrets Scrubber) *Error {
	e := ShapedError(failure, nil, secrets)
	switch {
	case e == nil:
		return ResultError(result, secrets)
	case saysSomething(result):
		return contradiction(e)
	}
	return e
}

// ShapedError makes an error of the value of a key "error": a code with its
// description beside it, or a map of both, as error and error_description or,
// since REST 3.0, as code and message. No key, null, false and an empty map
// are no error; 0 and "" are one without a code.
func ShapedError(raw, text []byte, secrets Scrubber) *Error {
	raw = bytes.TrimSpace(raw)
	switch string(raw) {
	case "", "null", "false", "[]", "{}":
		return nil
	}
	code := raw
	if raw[0] == '{' {
		code = nil
		_ = Members(raw, func(key, value []byte) error {
			switch string(key) {
			case "error", "code":
				code = value
			case "error_description", "message":
				text = value
			}
			return nil
		})
	}
	return &Error{Code: secrets.Code(lenient(code)), Message: secrets.Text(lenient(text))}
}

// lenient reads a text; anything else counts as empty, since an error with an
// odd description is still that error.
func lenient(b []byte) string {
	var text Text
	_ = text.UnmarshalJSON(b)
	return string(text)
}

// Describe says what came from a server instead of an answer. Of what it sent,
// only the title of a page is repeated.
func Describe(server string, status int, content []byte, secrets Scrubber) string {
	name := ""
	if text := http.StatusText(status); text != "" {
		name = " " + text
	}
	kind := kindOf(content, secrets)
	if kind == "" {
		kind = "JSON that holds no result"
		if status >= 300 {
			kind = "JSON that holds no error"
		}
	}
	return fmt.Sprintf("%s answered %d%s with %s", server, status, name, kind)
}

var pageTitle = regexp.MustCompile(`(?is)<title[^>]*>(.{0,200}?)</title`)

// kindOf says in words what is not an answer; of JSON it says nothing.
func kindOf(content []byte, secrets Scrubber) string {
	content = bytes.TrimSpace(content)
	switch {
	case len(content) == 0:
		return "nothing"
	case jsonBehind(content):
		return "text before the JSON: is display_errors on?"
	case bytes.HasPrefix(content, []byte("<?xml")):
		return "XML"
	case content[0] == '<':
		if m := pageTitle.FindSubmatch(content[:min(len(content), maxSearched)]); m != nil {
			if title := secrets.Text(string(m[1])); title != "" {
				return fmt.Sprintf("a web page (%q)", title)
			}
		}
		return "a web page"
	case content[0] != '{' && content[0] != '[':
		return "something that is not JSON"
	}
	dec := json.NewDecoder(bytes.NewReader(content))
	var value json.RawMessage
	switch err := dec.Decode(&value); {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "JSON that is cut off"
	case err != nil:
		return "malformed JSON"
	case dec.InputOffset() < int64(len(content)):
		return "more after the JSON"
	}
	return ""
}

// jsonBehind reports whether an answer follows other text, as where PHP prints
// a warning first. It is not believed: what it warns of may be why the answer
// is wrong.
func jsonBehind(content []byte) bool {
	if content[0] == '{' || content[0] == '[' {
		return false
	}
	for _, begin := range []string{`{"result"`, `{"error"`} {
		if i := strings.Index(string(content[:min(len(content), 64<<10)]), begin); i > 0 {
			return true
		}
	}
	return false
}
