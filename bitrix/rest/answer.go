package rest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// Answer is what every method answers with.
type Answer struct {
	Result  json.RawMessage `json:"result"`
	Error   json.RawMessage `json:"error"`
	Text    ErrorText       `json:"error_description"`
	Time    Time            `json:"time"`
	Elapsed time.Duration   `json:"-"`
}

// Parse sorts an answer. It is a result only where it is JSON, has a result,
// and holds an error neither at the root nor inside the result.
func Parse(status int, content []byte, secrets Scrubber) (Answer, *Error) {
	var ans Answer
	content = bytes.TrimPrefix(content, []byte("\xef\xbb\xbf")) // of a PHP file saved with one
	if err := json.Unmarshal(content, &ans); err != nil {
		return Answer{}, &Error{Code: BadAnswer, Message: Describe(ThePortal, status, content), Status: status}
	}
	if e := ShapedError(ans.Error, string(ans.Text), secrets); e != nil {
		e.Status = status
		return ans, e
	}
	if e := ResultError(ans.Result, secrets); e != nil {
		e.Status = status
		return ans, e
	}
	if len(ans.Result) == 0 || status >= 300 {
		return ans, &Error{Code: BadAnswer, Message: Describe(ThePortal, status, content), Status: status}
	}
	return ans, nil
}

// ResultError finds the shape of error that stands inside a result and that
// every biconnector method uses: {"error": {"error": CODE,
// "error_description": TEXT}}, or the same without the outer map.
func ResultError(result json.RawMessage, secrets Scrubber) *Error {
	if trimmed := bytes.TrimSpace(result); len(trimmed) == 0 || trimmed[0] != '{' {
		return nil
	}
	var in struct {
		Error json.RawMessage `json:"error"`
		Text  ErrorText       `json:"error_description"`
	}
	if json.Unmarshal(result, &in) != nil {
		return nil
	}
	return ShapedError(in.Error, string(in.Text), secrets)
}

// ShapedError makes an error of the value of a key "error": a code with its
// description beside it, or a map of both. No key, null and false are none.
func ShapedError(raw json.RawMessage, text string, secrets Scrubber) *Error {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || string(raw) == "null" || string(raw) == "false" || string(raw) == "[]" {
		return nil
	}
	var code ErrorText
	if raw[0] == '{' {
		var in struct {
			Error ErrorText `json:"error"`
			Text  ErrorText `json:"error_description"`
		}
		if json.Unmarshal(raw, &in) == nil {
			code, text = in.Error, string(in.Text)
		}
	} else {
		_ = json.Unmarshal(raw, &code)
	}
	return &Error{Code: secrets.Code(string(code)), Message: secrets.Text(text)}
}

// ErrorText is a text; what is none counts as empty, since an error with an
// odd description is still that error.
type ErrorText string

func (t *ErrorText) UnmarshalJSON(b []byte) error {
	var text Text
	_ = text.UnmarshalJSON(b)
	*t = ErrorText(text)
	return nil
}

// Describe says what came from a server instead of an answer, without
// repeating it.
func Describe(server string, status int, content []byte) string {
	kind := "something that is not JSON"
	switch trimmed := bytes.TrimSpace(content); {
	case len(trimmed) == 0:
		kind = "nothing"
	case trimmed[0] == '<':
		kind = "a web page"
	case trimmed[0] == '{' || trimmed[0] == '[':
		kind = "incomplete or unexpected JSON"
	}
	if text := http.StatusText(status); text != "" {
		return fmt.Sprintf("%s answered %d %s with %s", server, status, text, kind)
	}
	return fmt.Sprintf("%s answered %d with %s", server, status, kind)
}
