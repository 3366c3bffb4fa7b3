package main

import (
	"strings"
	"testing"

	"syncsources/bitrix/auth"
	"syncsources/bitrix/rest"
	"syncsources/runner"
)

func TestHints(t *testing.T) {
	for _, tt := range []struct {
		e    rest.Error
		want string // part of it; "" means none at all
	}{
		{rest.Error{Code: "invalid_grant"}, "syncsources login"},
		{rest.Error{Code: "invalid_grant", Hint: "a code works once"}, "a code works once"},
		{rest.Error{Code: "invalid_client"}, "B24_CLIENT_SECRET"},
		{rest.Error{Code: "insufficient_scope"}, "biconnector"},
		{rest.Error{Code: rest.AccessDenied}, "webhook"},
		{rest.Error{Code: rest.AccessDenied}, "syncsources status"},
		{rest.Error{Code: rest.NoToken, Reason: auth.NoPair, Hint: "fix the disk"}, "fix the disk; get a token pair with: syncsources login"},
		{rest.Error{Code: rest.NoToken, Reason: auth.OtherPortal}, "B24_PORTAL_URL"},
		{rest.Error{Code: rest.NoToken, Hint: "run: chmod 600 x"}, "run: chmod 600 x"},
		{rest.Error{Code: rest.BadAnswer, Reason: auth.ServerUnanswered}, "B24_OAUTH_URL"},
		{rest.Error{Code: rest.NoToken}, ""},
		{rest.Error{Code: rest.BadAnswer}, ""},
	} {
		if got := hintOf(&tt.e); !strings.Contains(got, tt.want) || tt.want == "" && got != "" {
			t.Errorf("%v (%s): hint %q, want %q", &tt.e, tt.e.Reason, got, tt.want)
		}
	}
}

// Whatever stops a run says what to do about it, a code too that nobody knows.
func TestEveryStopHasAHint(t *testing.T) {
	unknown := &runner.Report{Outcome: runner.OutcomeStopped, Error: &runner.Failure{Code: "SOMETHING_NEW"}}
	if fillHints(unknown); !strings.Contains(unknown.Error.Hint, "syncsources status") {
		t.Errorf("%+v", unknown.Error)
	}
	for _, code := range []rest.Code{
		rest.OverloadLimit, rest.ExpiredToken, rest.AccessDenied, rest.MethodNotFound, rest.Network, rest.Proxy, rest.Moved, rest.FrontPage,
		"NO_AUTH_FOUND", "WRONG_AUTH_TYPE", "ERROR_OAUTH", "NOT_INSTALLED", "authorization_error", "METHOD_CONFIRM_WAITING", "METHOD_CONFIRM_DENIED",
		"invalid_token", "PAYMENT_REQUIRED", "invalid_grant", "invalid_client", "invalid_request", "invalid_scope", "INVALID_CREDENTIALS",
		"insufficient_scope", "user_access_error", "ERROR_MANIFEST_IS_NOT_AVAILABLE", "INVALID_REQUEST", "PORTAL_DELETED",
	} {
		if hintOf(&rest.Error{Code: code}) == "" {
			t.Errorf("%s has no hint", code)
		}
	}
}
