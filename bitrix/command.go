package bitrix

import (
	"fmt"
	"io"
	"strings"

	"syncsources/bitrix/rest"
)

// Limits of the portal's wire format.
const (
	// MaxBatch is the maximum number of commands a batch may hold; the portal refuses the
	// 51st (ERROR_BATCH_LENGTH_EXCEEDED).
	MaxBatch = 50
	// PageSize is the length of a page of a list; a shorter one is the last.
	PageSize = 50
)

// What reading an object back costs, in requests: ids are read PageSize at a
// time, MaxBatch times in a request; the columns of a table take a command of
// their own.
const (
	inList = 1.0 / (PageSize * MaxBatch)
	alone  = 1.0 / MaxBatch
)

// Command is a method with its parameters: a Query, which reads, or a Write.
// It prints as its method and subject alone, because parameters hold secrets.
type Command interface {
	// Method is the name of the method called. The portal accounts its
	// operating time by it.
	Method() string
	// Writes reports whether the command is a Write.
	Writes() bool
	// Class names the commands that cost the portal alike: the method, and
	// the connector where the portal asks its external system.
	Class() string
	// ReadBack is what it costs to read back what the command wrote, in
	// requests; 0 for a Query.
	ReadBack() float64
	// Batchable reports whether a batch carries the command unharmed; if not,
	// why says what a batch would do to it.
	Batchable() (ok bool, why string)

	parameters() rest.Params
	// secrets are the values that an answer may repeat and nobody may see.
	secrets() []string
}

// Query is a command that reads. It may be repeated freely.
type Query struct {
	method string
	params rest.Params
}

// These are as of a Command.
func (q Query) Method() string             { return q.method }
func (Query) Writes() bool                 { return false }
func (q Query) Class() string              { return q.method }
func (Query) ReadBack() float64            { return 0 }
func (q Query) Batchable() (bool, string)  { return batchable(q.params) }
func (q Query) parameters() rest.Params    { return q.params }
func (q Query) secrets() []string          { return nil }
func (q Query) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, q.method) }

// Write is a command that adds, changes or deletes one object.
type Write struct {
	method   string
	id       int64 // of the object, 0 for an add
	class    string
	readBack float64
	unsure   bool      // the portal may report an error although it did it
	with     **payload // fmt follows a pointer in an unexported field, but not two
}

type payload struct {
	params rest.Params
	hidden []string // what an answer must not show
}

// newWrite is a command that is done or refused as its answer says, and whose
// object a list shows. hidden is what an answer must not show.
func newWrite(method string, id int64, p rest.Params, hidden ...string) Write {
	with := &payload{p, hidden}
	return Write{method: method, id: id, class: method, readBack: inList, with: &with}
}

// adding is the command that makes an object, updating one that changes it,
// and deleting the one that deletes it.
func adding(method string, fields rest.Params, hidden ...string) Write {
	return newWrite(method, 0, rest.Params{{Key: "fields", Value: fields}}, hidden...)
}

func updating(method string, id int64, fields rest.Params, hidden ...string) Write {
	return newWrite(method, id, byID(id, rest.Param{Key: "fields", Value: fields}), hidden...)
}

func deleting(method string, id int64) Write { return newWrite(method, id, byID(id)) }

// These are as of a Command.
func (w Write) Method() string            { return w.method }
func (Write) Writes() bool                { return true }
func (w Write) Class() string             { return w.class }
func (w Write) ReadBack() float64         { return w.readBack }
func (w Write) Batchable() (bool, string) { return batchable(w.parameters()) }

// ID is the object's, 0 where it is yet to be made.
func (w Write) ID() int64 { return w.id }

// Creates reports whether the command makes an object: sent twice, it makes
// two, but for a table, whose name is unique.
func (w Write) Creates() bool { return w.id == 0 && w.method != "" }

func (w Write) parameters() rest.Params {
	if w.with == nil {
		return nil
	}
	return (*w.with).params
}

func (w Write) secrets() []string {
	if w.with == nil {
		return nil
	}
	return (*w.with).hidden
}

// judge marks an error of the command that leaves open whether it was done.
// Refusals that come before anything is written do not.
func (w Write) judge(e *rest.Error) {
	e.Unsure = w.unsure && !strings.HasPrefix(string(e.Code), "VALIDATION_") && !strings.HasSuffix(string(e.Code), "_NOT_FOUND") && e.Code != "INVALID_METHOD"
}

// Format prints the method and the id.
func (w Write) Format(f fmt.State, _ rune) {
	if w.id == 0 {
		_, _ = io.WriteString(f, w.method)
		return
	}
	_, _ = fmt.Fprintf(f, "%s #%d", w.method, w.id)
}

// optional appends a field that is sent where it is set.
func optional[T string | bool | int64](p rest.Params, key string, value *T) rest.Params {
	if value == nil {
		return p
	}
	return append(p, rest.Param{Key: key, Value: *value})
}

// byID are the parameters of a method that takes an id, and further ones.
func byID(id int64, further ...rest.Param) rest.Params {
	return append(rest.Params{{Key: "id", Value: id}}, further...)
}
