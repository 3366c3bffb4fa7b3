package bitrix

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"syncsources/bitrix/rest"
)

// ScopeBIConnector is the scope that the methods of sources and connectors
// need.
const ScopeBIConnector = "biconnector"

// Identity is whom a portal takes the credentials for.
type Identity struct {
	UserID int64
	Name   string   // of the user, fit to print; may be empty
	Admin  bool     // the user administers the portal
	Scope  []string // sorted
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
	var scope rest.List[rest.Text]
	if scope.UnmarshalJSON(resp.Replies[0].Result) != nil {
		return id, &rest.Error{Code: rest.BadAnswer, Method: "scope", Message: "the portal's list of scopes cannot be read"}
	}
	for _, s := range scope {
		id.Scope = append(id.Scope, rest.Clean(string(s)))
	}
	slices.Sort(id.Scope)

	resp, err = r.ask(ctx, "profile")
	if err != nil {
		return id, err
	}
	var profile struct {
		ID       rest.Int  `json:"ID"`
		Admin    rest.Bool `json:"ADMIN"`
		Name     rest.Text `json:"NAME"`
		LastName rest.Text `json:"LAST_NAME"`
	}
	if json.Unmarshal(resp.Replies[0].Result, &profile) != nil {
		return id, &rest.Error{Code: rest.BadAnswer, Method: "profile", Message: "the portal's profile of the user cannot be read"}
	}
	id.UserID, id.Admin = int64(profile.ID), bool(profile.Admin)
	id.Name = rest.Clean(strings.TrimSpace(string(profile.Name) + " " + string(profile.LastName)))
	return id, nil
}

// ask calls a method without parameters, and again with a new token where the
// first had expired.
func (r *Reader) ask(ctx context.Context, method string) (*Response, error) {
	resp, err := r.QueryAlone(ctx, Query{method: method})
	var e *rest.Error
	if errors.As(err, &e) && e.Code == rest.ExpiredToken && e.NotSent {
		return r.QueryAlone(ctx, Query{method: method})
	}
	return resp, err
}
