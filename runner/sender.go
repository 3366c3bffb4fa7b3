package runner

import (
	"context"
	"fmt"

	"syncsources/bitrix"
)

// readSender sends the requests of a run that only reads.
type readSender struct{ portal Reader }

// Send sends queries. An update is refused: there is no method to send it.
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
// updates, never both.
type writeSender struct{ portal Client }

// Send sends queries or updates.
func (s writeSender) Send(ctx context.Context, commands []bitrix.Command, alone bool) (*bitrix.Response, error) {
	if _, ok := commands[0].(bitrix.Query); ok {
		return readSender{s.portal}.Send(ctx, commands, alone)
	}
	updates := make([]bitrix.Write, len(commands))
	for i, c := range commands {
		updates[i] = c.(bitrix.Write)
	}
	if alone {
		return s.portal.WriteAlone(ctx, updates[0])
	}
	return s.portal.Write(ctx, updates)
}
