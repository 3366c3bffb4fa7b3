package bitrix

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"syncsources/bitrix/rest"
)

// Reply is the portal's answer to one command.
type Reply struct {
	Result json.RawMessage `json:"-"` // holds what the portal shows, passwords too
	Time   rest.Time
	// Err is nil or an *rest.Error.
	Err error
}

// Format prints the error, or how long the result is, for every verb.
func (r Reply) Format(f fmt.State, _ rune) {
	if r.Err != nil {
		_, _ = fmt.Fprint(f, r.Err)
		return
	}
	_, _ = fmt.Fprintf(f, "a result of %d bytes", len(r.Result))
}

// True reports whether the result is exactly true, which is how an update
// says that it was done.
func (r Reply) True() bool {
	return r.Err == nil && string(bytes.TrimSpace(r.Result)) == "true"
}

// Response is the answer to one request.
type Response struct {
	// Replies has one element for each command, in their order. It is empty
	// where the request as a whole failed.
	Replies []Reply
	// rest.Time is the request's own: of the batch, or of the single call.
	Time rest.Time
	// Elapsed is how long the request took as seen from here.
	Elapsed time.Duration
}

// Query reads: one request, a batch of 1 to MaxBatch queries. An error is an
// *rest.Error and means that the request as a whole failed; the errors of single
// commands are in their replies. The Response is never nil and has its
// Elapsed even on failure.
func (r *Reader) Query(ctx context.Context, queries []Query) (*Response, error) {
	return r.batch(ctx, commandsOf(queries))
}

// Write writes: one request, a batch of 1 to MaxBatch commands, run by the
// portal in this order. All must be Batchable. Errors are as with Query.
func (c *Client) Write(ctx context.Context, writes []Write) (*Response, error) {
	return c.batch(ctx, commandsOf(writes))
}

func commandsOf[T Command](list []T) []Command {
	commands := make([]Command, len(list))
	for i, c := range list {
		commands[i] = c
	}
	return commands
}

// WriteAlone writes with a JSON call of its own, which carries every value
// unharmed. An error of the call is the error, not the reply's.
func (c *Client) WriteAlone(ctx context.Context, w Write) (*Response, error) {
	return c.single(ctx, w)
}

// QueryAlone reads with a call of its own.
func (r *Reader) QueryAlone(ctx context.Context, q Query) (*Response, error) {
	return r.single(ctx, q)
}

func (r *Reader) single(ctx context.Context, command Command) (*Response, error) {
	ans, e := r.call(ctx, command.Method(), command.parameters(), []Command{command})
	resp := &Response{Time: ans.Time, Elapsed: ans.Elapsed}
	if e != nil {
		if w, ok := command.(Write); ok {
			w.judge(e)
		}
		return resp, e
	}
	resp.Replies = []Reply{{Result: ans.Result, Time: ans.Time}}
	return resp, nil
}

// batch sends commands under the keys c0, c1, ... as the method batch with
// halt 0: a failing command does not stop those behind it.
func (r *Reader) batch(ctx context.Context, commands []Command) (*Response, error) {
	if len(commands) == 0 || len(commands) > MaxBatch {
		return &Response{}, &rest.Error{Code: "ERROR_BATCH_LENGTH_EXCEEDED", Method: rest.MethodBatch, NotSent: true,
			Message: fmt.Sprintf("a batch takes 1 to %d commands, not %d", MaxBatch, len(commands))}
	}
	cmd := make(rest.Params, len(commands))
	for i, c := range commands {
		if ok, why := c.Batchable(); !ok {
			return &Response{}, &rest.Error{Code: rest.BatchMethodNotAllowed, Method: c.Method(), NotSent: true, Message: why}
		}
		cmd[i] = rest.Param{Key: batchKey(i), Value: c.Method() + "?" + c.parameters().Query()}
	}
	ans, e := r.call(ctx, rest.MethodBatch, rest.Params{{Key: "halt", Value: int64(0)}, {Key: "cmd", Value: cmd}}, commands)
	resp := &Response{Time: ans.Time, Elapsed: ans.Elapsed}
	if e != nil {
		return resp, e
	}
	replies, err := splitBatch(ans, commands)
	if err != nil {
		return resp, err
	}
	r.renewFor(ctx, ans.token, replies)
	resp.Replies = replies
	return resp, nil
}

func batchKey(i int) string { return "c" + strconv.Itoa(i) }

// splitBatch deals the result of a batch out to its commands. A command that
// is neither among the results nor among the errors was perhaps not run
// at all: that is a BadAnswer, not a success.
func splitBatch(ans answer, commands []Command) ([]Reply, error) {
	results, errs, times := make([]json.RawMessage, len(commands)), make([]json.RawMessage, len(commands)), make([]json.RawMessage, len(commands))
	any := false
	err := rest.Members(ans.Result, func(key, value []byte) (err error) {
		there := false
		switch string(key) {
		case "result":
			there, err = byCommand(value, results)
		case "result_error":
			there, err = byCommand(value, errs)
		case "result_time":
			_, _ = byCommand(value, times) // advice
		}
		any = any || there
		return err
	})
	if err != nil || !any {
		return nil, &rest.Error{Code: rest.BadAnswer, Method: rest.MethodBatch, Message: "the portal's answer to a batch has no results"}
	}
	replies := make([]Reply, len(commands))
	for i, c := range commands {
		reply := &replies[i]
		if times[i] != nil {
			_ = reply.Time.UnmarshalJSON(times[i])
		}
		e := rest.BothError(errs[i], results[i], ans.secrets)
		if e == nil && results[i] == nil {
			e = &rest.Error{Code: rest.BadAnswer, Message: "the portal's answer lacks this command"}
		}
		if e != nil {
			e.Method = c.Method()
			if w, ok := c.(Write); ok {
				w.judge(e)
			}
			reply.Err = e
			continue
		}
		reply.Result = results[i]
	}
	return replies, nil
}

// byCommand sorts the members of one of a batch's maps by their commands, and
// reports whether there is a map. A list is a map with the keys 0, 1, ..., as
// PHP writes it, and holds none of ours.
func byCommand(value []byte, into []json.RawMessage) (there bool, err error) {
	value = bytes.TrimSpace(value)
	if string(value) == "null" {
		return false, nil
	}
	if len(value) > 0 && value[0] == '[' {
		return true, nil
	}
	return true, rest.Members(value, func(key, value []byte) error {
		if i, err := strconv.Atoi(strings.TrimPrefix(string(key), "c")); err == nil && i >= 0 && i < len(into) && batchKey(i) == string(key) {
			into[i] = value
		}
		return nil
	})
}

// renewFor deals with a token that expired while a batch ran, so that only
// commands of it were refused: it renews the token, once, and marks them as not
// delivered. Where it cannot, the reason becomes their error; the others keep
// their replies, for those commands ran.
func (r *Reader) renewFor(ctx context.Context, token *oauth2.Token, replies []Reply) {
	var first *rest.Error
	for i := range replies {
		var e *rest.Error
		if !errors.As(replies[i].Err, &e) || e.Code != rest.ExpiredToken {
			continue
		}
		if first == nil {
			first = r.renewed(ctx, token, e)
		}
		if e.NotSent = first.NotSent; first.Code != rest.ExpiredToken {
			e = first
		}
		replies[i].Err = e
	}
}

// secretsOf are the secrets that the commands name, and further ones.
func secretsOf(commands []Command, further ...string) rest.Scrubber {
	all := further
	for _, c := range commands {
		all = append(all, c.secrets()...)
	}
	return rest.Scrub(all...)
}
