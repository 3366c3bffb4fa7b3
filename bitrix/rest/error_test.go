package rest

import (
	"errors"
	"fmt"
	"io"
	"testing"
)

// TestReactions fixes what the run does about each documented error.
func TestReactions(t *testing.T) {
	for _, tt := range []struct {
		e    Error
		want Reaction
	}{
		{Error{Code: QueryLimitExceeded, Status: 503}, Throttled},
		{Error{Code: OverloadLimit, Status: 503}, Fatal}, // the same status, another meaning
		{Error{Code: BadAnswer, Status: 503}, NotDelivered},
		{Error{Code: OperationTimeLimit, Status: 429}, Held},
		{Error{Code: OperationTimeLimit}, Held}, // inside a batch
		{Error{Code: "INTERNAL_SERVER_ERROR", Status: 500}, Unknown},
		{Error{Code: "ERROR_UNEXPECTED_ANSWER", Status: 500}, Unknown},
		{Error{Code: BadAnswer, Status: 502}, Unknown},
		{Error{Code: BadAnswer, Status: 504}, Unknown},
		{Error{Code: BadAnswer, Status: 200}, Unknown},
		{Error{Code: BadAnswer, Status: 302}, Fatal},
		{Error{Code: BadAnswer, Status: 404}, Filtered},
		{Error{Code: BadAnswer, Status: 400}, Filtered},
		{Error{Code: BadAnswer, Status: 403}, Filtered},
		{Error{Code: BadAnswer, Status: 405}, Filtered},
		{Error{Code: BadAnswer, Status: 406}, Filtered},
		{Error{Code: BadAnswer, Status: 401}, Fatal},
		{Error{Code: BadAnswer, Status: 413, Method: MethodBatch}, CallAlone},
		{Error{Code: BadAnswer, Status: 413, Method: "biconnector.source.update"}, Rejected},
		{Error{Code: Network}, Unknown},
		{Error{Code: Network, NotSent: true}, NotDelivered},
		{Error{Code: ExpiredToken, Status: 401}, Fatal},
		{Error{Code: ExpiredToken, NotSent: true}, NotDelivered},
		{Error{Code: NoToken, NotSent: true}, Fatal},
		{Error{Code: "NO_AUTH_FOUND", Status: 401}, Fatal},
		{Error{Code: "invalid_token", Status: 200}, Fatal},
		{Error{Code: "INVALID_CREDENTIALS", Status: 403}, Fatal},
		{Error{Code: AccessDenied, Status: 200}, Fatal},
		{Error{Code: "insufficient_scope", Status: 403}, Fatal},
		{Error{Code: "user_access_error", Status: 403}, Fatal},
		{Error{Code: "ERROR_MANIFEST_IS_NOT_AVAILABLE", Status: 404}, Fatal},
		{Error{Code: "INVALID_REQUEST", Status: 400}, Fatal},
		{Error{Code: "PORTAL_DELETED", Status: 500}, Fatal},
		{Error{Code: "PORTAL_DELETED", Status: 403}, Fatal},
		{Error{Code: MethodNotFound, Status: 404}, Fatal},
		{Error{Code: BatchMethodNotAllowed, Status: 405}, CallAlone},
		{Error{Code: "ERROR_BATCH_LENGTH_EXCEEDED", Status: 400}, Rejected},
		{Error{Code: "ERROR_ARGUMENT", Status: 400}, Rejected},
		{Error{Code: SourceNotFound, Status: 200}, Rejected},
		{Error{Code: UpdateConnectionError, Status: 200}, Later},
		{Error{Code: "VALIDATION_INVALID_FIELD_TYPE", Status: 200}, Rejected},
		{Error{Code: PortalError, Status: 200}, Rejected},
		{Error{Code: BadRequest, NotSent: true}, Rejected},
		{Error{Code: CreateConnectionError, Status: 200}, Later},
		{Error{Code: "ERROR_CORE", Status: 500}, Unknown},
		{Error{Code: "NOT_INSTALLED", Status: 403}, Fatal},
		{Error{Code: "METHOD_CONFIRM_WAITING", Status: 401}, Fatal},
		{Error{Code: Proxy, NotSent: true}, NotDelivered},
		{Error{Code: Proxy, NotSent: true, Final: true}, Fatal},
		{Error{Code: "NEW_CODE", Status: 500}, Unknown},
		{Error{Code: "NEW_CODE", Status: 401}, Fatal},
		{Error{Code: "NEW_CODE", Status: 400}, Rejected},
	} {
		if got := tt.e.Reaction(); got != tt.want {
			t.Errorf("%s, status %d, not sent %v: reaction %d, want %d", tt.e.Code, tt.e.Status, tt.e.NotSent, got, tt.want)
		}
		if tt.e.Status < 400 || tt.e.Code == BadAnswer || tt.e.Code == "NEW_CODE" {
			continue
		}
		// A documented code means the same with status 200, and for a command
		// of a batch, which has none.
		for _, status := range []int{200, 0} {
			e := Error{Code: tt.e.Code, Status: status}
			if got := e.Reaction(); got != tt.want {
				t.Errorf("%s, status %d: reaction %d, want %d", e.Code, status, got, tt.want)
			}
		}
	}
}

func TestErrorsCompareByCode(t *testing.T) {
	err := fmt.Errorf("source 4: %w", &Error{Code: SourceNotFound, Message: "Source was not found.", Status: 200, Err: io.EOF})
	if !errors.Is(err, SourceNotFound) || errors.Is(err, AccessDenied) || !errors.Is(err, io.EOF) {
		t.Error("not compared by code and cause")
	}
	for want, e := range map[string]*Error{
		"A: b (HTTP 503)": {Code: "A", Message: "b", Status: 503},
		"A: b":            {Code: "A", Message: "b", Status: 200},
		"A":               {Code: "A"},
	} {
		if e.Error() != want {
			t.Errorf("got %q, want %q", e.Error(), want)
		}
	}
}
