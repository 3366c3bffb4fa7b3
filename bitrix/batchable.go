package bitrix

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"syncsources/bitrix/rest"
)

// reference matches what the portal replaces inside a command of a batch. Its
// own pattern is narrower (a closing bracket before white space); matching
// more only costs a request, matching less would cost a password.
var reference = regexp.MustCompile(`(?i)\$(result|next|total|time|error)\S*\[`)

// variable matches what begins such a reference. Behind it in a key, the
// bracket may be one that the query string adds.
var variable = regexp.MustCompile(`(?i)\$(result|next|total|time|error)`)

// maxVariables is how many values a query string may carry: PHP drops those
// beyond max_input_vars, 1,000 unless configured, without a word.
const maxVariables = 900

// batchable decides whether a command survives the query string of a batch.
// It does not where
//   - a value is a boolean: query strings know texts only; the portal checks
//     the type strictly (active, supportMapping: VALIDATION_INVALID_FIELD_TYPE)
//     or takes "false" for true (visible of a column);
//   - a list or map is empty: a query string cannot say that it is there;
//   - a value or key holds what looks like a reference to another command's
//     result, as in "x$time[1]y": the portal would replace it, silently and
//     whatever its percent-encoding;
//   - a key holds brackets or NUL, is empty, or begins with white space: PHP's
//     parse_str would read another key;
//   - there are more values than PHP takes from a query string.
//
// Such a command goes as a JSON call of its own.
func batchable(p rest.Params) (ok bool, why string) {
	j := judge{}
	j.value(p)
	if j.values > maxVariables {
		j.why = "a query string carries at most 1,000 values"
	}
	return j.why == "", j.why
}

// judge looks through the parameters of a command for what spoils it.
type judge struct {
	values int
	why    string
}

func (j *judge) value(v any) {
	switch v := v.(type) {
	case rest.Params:
		if len(v) == 0 {
			j.why = "a query string cannot express an empty map"
		}
		for _, m := range v {
			j.key(m.Key)
			j.value(m.Value)
		}
		return
	case []any:
		if len(v) == 0 {
			j.why = "a query string cannot express an empty list"
		}
		for _, e := range v {
			j.value(e)
		}
		return
	case bool:
		j.why = "a query string turns a boolean into a text, which the portal refuses or misreads"
	case string:
		if !utf8.ValidString(v) {
			j.why = "the value is not valid UTF-8"
		}
		if reference.MatchString(v) {
			j.why = "the portal would replace a part that looks like a reference to another command's result"
		}
	}
	j.values++
}

func (j *judge) key(key string) {
	if key == "" || strings.ContainsAny(key, "[]\x00") || strings.TrimLeft(key, " \t\n\v\f\r") != key || variable.MatchString(key) {
		j.why = "a query string cannot express the key of a setting"
	}
}
