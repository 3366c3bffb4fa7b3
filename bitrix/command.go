package bitrix

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"syncsources/bitrix/rest"
	"syncsources/bitrix/secret"
)

// Methods of the portal that the program calls.
const (
	MethodSourceList    = "biconnector.source.list"
	MethodSourceUpdate  = "biconnector.source.update"
	MethodConnectorList = "biconnector.connector.list"
)

// Limits of the portal's wire format.
const (
	// MaxBatch is the most commands a batch may hold; the portal refuses the
	// 51st (ERROR_BATCH_LENGTH_EXCEEDED).
	MaxBatch = 50
	// PageSize is the length of a page of a list; a shorter one is the last.
	PageSize = 50
)

// Command is a method with its parameters: a Query, which reads, or an
// Update, which writes. It prints as its method alone, because parameters
// hold secrets.
type Command interface {
	// Method is the name of the method called. The portal accounts its
	// operating time by it.
	Method() string
	// Batchable reports whether a batch carries the command unharmed; if not,
	// why says what a batch would do to it.
	Batchable() (ok bool, why string)
	// Writes tells a command that may change the portal from one that reads.
	Writes() bool
	// Class names commands that are expected to cost alike.
	Class() string
	// ReadBack is what it costs to read back what the command changes, in
	// requests: a source is one of fifty in a list, which is one of fifty in
	// a batch.
	ReadBack() float64

	parameters() rest.Params
	// secrets are the values that an answer may repeat and nobody may see.
	secrets() []string
}

// Query is a command that reads. It may be repeated freely.
type Query struct {
	method string
	params rest.Params
}

// Method returns the method's name.
func (q Query) Method() string { return q.method }

// Batchable is always true: queries carry numbers and names of ours only.
func (q Query) Batchable() (bool, string) { return batchable(q.params) }

func (q Query) parameters() rest.Params { return q.params }

func (q Query) secrets() []string { return nil }

// Writes is false.
func (q Query) Writes() bool { return false }

// Class is the method: what is read differs in length, not in kind.
func (q Query) Class() string { return q.method }

// ReadBack is 0.
func (q Query) ReadBack() float64 { return 0 }

// Format prints the method alone.
func (q Query) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, q.method) }

// SourcesByID reads up to PageSize sources by their ids. Sources that do not
// exist, or belong to another application, are missing from the answer.
func SourcesByID(ids []int64) Query {
	list := make([]any, len(ids))
	for i, id := range ids {
		list[i] = id
	}
	return Query{MethodSourceList, rest.Params{{Key: "filter", Value: rest.Params{{Key: "@id", Value: list}}}}}
}

// SourcesPage reads page n, counted from 1, of all sources by rising id. The
// end is a page of fewer than PageSize sources: the portal tells no total.
func SourcesPage(n int) Query {
	return Query{MethodSourceList, rest.Params{{Key: "order", Value: rest.Params{{Key: "id", Value: "ASC"}}}, {Key: "page", Value: int64(n)}}}
}

// ConnectorsPage reads page n, counted from 1, of the connectors with the
// settings that each declares.
func ConnectorsPage(n int) Query {
	return Query{MethodConnectorList, rest.Params{{Key: "page", Value: int64(n)}}}
}

// Fields are the fields of an update; nil ones and settings that are not
// named are left as they are by the portal.
type Fields struct {
	Title       string // required: the portal refuses an update without it, even where it does not change
	Description *string
	Active      *bool
	Settings    []Setting // only rest.Code and Value count
	// Hidden are values that are not sent but that the portal has, and may
	// repeat where it refuses the update.
	Hidden []secret.Text
}

// Update is a command that changes one source.
type Update struct {
	id     int64
	params rest.Params
	hidden []string
}

// UpdateSource changes the source id. Each update makes the portal check the
// connection to the external system, which takes it a second or more.
func UpdateSource(id int64, f Fields) Update {
	fields := rest.Params{{Key: "title", Value: f.Title}}
	if f.Description != nil {
		fields = append(fields, rest.Param{Key: "description", Value: *f.Description})
	}
	if f.Active != nil {
		fields = append(fields, rest.Param{Key: "active", Value: *f.Active})
	}
	var hidden []string
	for _, h := range f.Hidden {
		hidden = append(hidden, h.Plain())
	}
	if len(f.Settings) > 0 {
		settings := make(rest.Params, len(f.Settings))
		for i, s := range f.Settings {
			settings[i] = rest.Param{Key: s.Code, Value: s.Value.Plain()}
			hidden = append(hidden, s.Value.Plain())
		}
		fields = append(fields, rest.Param{Key: "settings", Value: settings})
	}
	return Update{id, rest.Params{{Key: "id", Value: id}, {Key: "fields", Value: fields}}, hidden}
}

// ID is the source that the update changes.
func (u Update) ID() int64 { return u.id }

// Method returns MethodSourceUpdate.
func (u Update) Method() string { return MethodSourceUpdate }

// Batchable reports whether a batch would carry the update unharmed.
func (u Update) Batchable() (bool, string) { return batchable(u.params) }

func (u Update) parameters() rest.Params { return u.params }

func (u Update) secrets() []string { return u.hidden }

// Writes is true.
func (u Update) Writes() bool { return true }

// Creates is false: an update sent twice changes nothing more.
func (u Update) Creates() bool { return false }

// Class is the method.
func (u Update) Class() string { return u.Method() }

// ReadBack is a source's share of a request that reads 2,500.
func (u Update) ReadBack() float64 { return 1.0 / (PageSize * MaxBatch) }

// Format prints the method and the id.
func (u Update) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "%s #%d", u.Method(), u.id) }

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
//   - a value is a boolean: query strings know texts only, and the portal
//     checks types strictly (VALIDATION_INVALID_FIELD_TYPE);
//   - a value or key holds what looks like a reference to another command's
//     result, as in "x$time[1]y": the portal would replace it, silently and
//     whatever its percent-encoding;
//   - a key holds brackets or NUL, is empty, or begins with white space: PHP's
//     parse_str would read another key;
//   - there are more values than PHP takes from a query string.
//
// Such a command goes as a JSON call of its own.
func batchable(p rest.Params) (ok bool, why string) {
	values := 0
	rest.Walk(p, func(key string, value any) {
		text := key
		switch v := value.(type) {
		case nil:
			if key == "" || strings.ContainsAny(key, "[]\x00") || strings.TrimLeft(key, " \t\n\v\f\r") != key || variable.MatchString(key) {
				why = "a query string cannot express the key of a setting"
			}
		case bool:
			values++
			why = "a query string turns a boolean into a text, which the portal refuses"
		case string:
			values++
			text = v
			if !utf8.ValidString(v) {
				why = "the value is not valid UTF-8"
			}
		default:
			values++
		}
		if reference.MatchString(text) {
			why = "the portal would replace a part that looks like a reference to another command's result"
		}
	})
	if values > maxVariables {
		why = "a query string carries at most 1,000 values"
	}
	return why == "", why
}
