package bitrix

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"syncsources/bitrix/rest"
)

// ScopeBIConnector is the scope that the methods of sources and connectors
// need.
const ScopeBIConnector = "biconnector"

// Identity is whom a portal takes the credentials for.
type Identity struct {
	UserID int64
	Name   string   // of the user, fit to print; may be empty
	Scope  []string // sorted
	// Finished is when the portal answered, by its own clock; zero: unknown.
	Finished time.Time
}

// User names the user: Jo Doe (user 7).
func (id Identity) User() string {
	user := fmt.Sprintf("user %d", id.UserID)
	if id.Name != "" {
		user = fmt.Sprintf("%s (%s)", id.Name, user)
	}
	return user
}

// Identify asks the portal what the credentials are good for, by two calls
// that any credentials may make and that change nothing: scope and profile.
// Errors are *rest.Error.
func (r *Reader) Identify(ctx context.Context) (Identity, error) {
	var id Identity
	resp, err := r.ask(ctx, "scope")
	if err != nil {
		return id, err
	}
	err = rest.Items(resp.Replies[0].Result, func(value []byte) error {
		var scope rest.Text
		err := scope.UnmarshalJSON(value)
		id.Scope = append(id.Scope, rest.Clean(string(scope)))
		return err
	})
	if err != nil {
		return id, &rest.Error{Code: rest.BadAnswer, Method: "scope", Message: "the portal's list of scopes cannot be read"}
	}
	slices.Sort(id.Scope)

	resp, err = r.ask(ctx, "profile")
	if err != nil {
		return id, err
	}
	var f fields
	var first, last string
	f.integer("ID", &id.UserID)
	f.optional("NAME", &first)
	f.optional("LAST_NAME", &last)
	if f.read(resp.Replies[0].Result) != nil {
		return id, &rest.Error{Code: rest.BadAnswer, Method: "profile", Message: "the portal's profile of the user cannot be read"}
	}
	id.Finished = resp.Time.Finished
	id.Name = rest.Clean(strings.TrimSpace(first + " " + last))
	return id, nil
}

// ask calls a method without parameters, and again with a new token where the
// first had expired.
func (r *Reader) ask(ctx context.Context, method string) (*Response, error) {
	resp, err := r.QueryAlone(ctx, Query{method: method})
	if e, ok := errors.AsType[*rest.Error](err); ok && e.Code == rest.ExpiredToken && e.NotSent {
		return r.QueryAlone(ctx, Query{method: method})
	}
	return resp, err
}
