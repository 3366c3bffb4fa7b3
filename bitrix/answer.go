package bitrix

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/oauth2"
)

// answer is what every method answers with.
type answer struct {
	Result  json.RawMessage `json:"result"`
	Error   json.RawMessage `json:"error"`
	Text    errorText       `json:"error_description"`
	Time    Time            `json:"time"`
	Elapsed time.Duration   `json:"-"`

	token   *oauth2.Token // that it was called with, nil for a webhook
	secrets scrubber      // of the request
}

// parse sorts an answer. It is a result only where it is JSON, has a result,
// and holds an error neither at the root nor inside the result.
func parse(status int, content []byte, secrets scrubber) (answer, *Error) {
	var ans answer
	content = bytes.TrimPrefix(content, []byte("\xef\xbb\xbf")) // of a PHP file saved with one
	if err := json.Unmarshal(content, &ans); err != nil {
		return answer{}, &Error{Code: BadAnswer, Message: describe(thePortal, status, content), Status: status}
	}
	if e := shapedError(ans.Error, string(ans.Text), secrets); e != nil {
		e.Status = status
		return ans, e
	}
	if e := resultError(ans.Result, secrets); e != nil {
		e.Status = status
		return ans, e
	}
	if len(ans.Result) == 0 || status >= 300 {
		return ans, &Error{Code: BadAnswer, Message: describe(thePortal, status, content), Status: status}
	}
	return ans, nil
}

// resultError finds the shape of error that stands inside a result and that
// every biconnector method uses: {"error": {"error": CODE,
// "error_description": TEXT}}, or the same without the outer map.
func resultError(result json.RawMessage, secrets scrubber) *Error {
	if trimmed := bytes.TrimSpace(result); len(trimmed) == 0 || trimmed[0] != '{' {
		return nil
	}
	var in struct {
		Error json.RawMessage `json:"error"`
		Text  errorText       `json:"error_description"`
	}
	if json.Unmarshal(result, &in) != nil {
		return nil
	}
	return shapedError(in.Error, string(in.Text), secrets)
}

// shapedError makes an error of the value of a key "error": a code with its
// description beside it, or a map of both. No key, null and false are none.
func shapedError(raw json.RawMessage, text string, secrets scrubber) *Error {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || string(raw) == "null" || string(raw) == "false" || string(raw) == "[]" {
		return nil
	}
	var code errorText
	if raw[0] == '{' {
		var in struct {
			Error errorText `json:"error"`
			Text  errorText `json:"error_description"`
		}
		if json.Unmarshal(raw, &in) == nil {
			code, text = in.Error, string(in.Text)
		}
	} else {
		_ = json.Unmarshal(raw, &code)
	}
	return &Error{Code: secrets.code(string(code)), Message: secrets.text(text)}
}

// errorText is a text; what is none counts as empty, since an error with an
// odd description is still that error.
type errorText string

func (t *errorText) UnmarshalJSON(b []byte) error {
	var text looseText
	_ = text.UnmarshalJSON(b)
	*t = errorText(text)
	return nil
}

// describe says what came from a server instead of an answer, without
// repeating it.
func describe(server string, status int, content []byte) string {
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
