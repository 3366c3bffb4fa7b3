package runner

import (
	"context"
	"fmt"
	"slices"
	"time"

	"syncsources/bitrix"
	"syncsources/bitrix/rest"
)

// readSender sends the requests of a run that only reads.
type readSender struct{ portal Reader }

// Send sends queries. A write is refused: there is no method to send it.
func (s readSender) Send(ctx context.Context, commands []bitrix.Command, alone bool) (*bitrix.Response, error) {
	queries := make([]bitrix.Query, len(commands))
	for i, c := range commands {
		q, ok := c.(bitrix.Query)
		if !ok {
			return &bitrix.Response{}, fmt.Errorf("%s: a plan does not write", c.Method())
		}
		queries[i] = q
	}
	if alone {
		return s.portal.QueryAlone(ctx, queries[0])
	}
	return s.portal.Query(ctx, queries)
}

// writeSender sends the requests of an apply. A request holds queries or
// writes, never both. An add is noted before it is sent.
type writeSender struct {
	portal  Client
	noteAdd func(context.Context, time.Time) error
}

// Send sends queries or writes.
func (s writeSender) Send(ctx context.Context, commands []bitrix.Command, alone bool) (*bitrix.Response, error) {
	if !commands[0].Writes() {
		return readSender{s.portal}.Send(ctx, commands, alone)
	}
	writes := make([]bitrix.Write, len(commands))
	for i, c := range commands {
		writes[i] = c.(bitrix.Write)
	}
	if s.noteAdd != nil && slices.ContainsFunc(writes, bitrix.Write.Creates) {
		if err := s.noteAdd(ctx, time.Now()); err != nil {
			return &bitrix.Response{}, &rest.Error{Code: codeLocked, Method: writes[0].Method(), NotSent: true, Final: true, Err: err,
				Message: "cannot note that a creation is being sent: " + err.Error()}
		}
	}
	if alone {
		return s.portal.WriteAlone(ctx, writes[0])
	}
	return s.portal.Write(ctx, writes)
}

// codeLocked is the code of failures of the lock of applies.
const codeLocked rest.Code = "LOCKED"
