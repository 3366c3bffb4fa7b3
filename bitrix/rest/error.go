package rest

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// Code is the portal's code of an error, or one of ours below. It is an error
// so that errors.Is(err, Code("...")) compares by code.
type Code string

func (c Code) Error() string { return string(c) }

// MethodBatch is the method that carries other commands.
const MethodBatch = "batch"

// Codes of the portal that the program reacts to by name.
const (
	QueryLimitExceeded    Code = "QUERY_LIMIT_EXCEEDED"
	OperationTimeLimit    Code = "OPERATION_TIME_LIMIT"
	OverloadLimit         Code = "OVERLOAD_LIMIT"
	ExpiredToken          Code = "expired_token"
	AccessDenied          Code = "ACCESS_DENIED"
	MethodNotFound        Code = "ERROR_METHOD_NOT_FOUND"
	BatchMethodNotAllowed Code = "ERROR_BATCH_METHOD_NOT_ALLOWED"
	SourceNotFound        Code = "SOURCE_NOT_FOUND"
	UpdateConnectionError Code = "SOURCE_UPDATE_CONNECTION_ERROR"
	CreateConnectionError Code = "SOURCE_CREATE_CONNECTION_ERROR"
)

// Codes of our own, where the portal gives none.
const (
	// PortalError replaces the portal's missing code (0 or empty).
	PortalError Code = "PORTAL_ERROR"
	// Network: the request or its answer was lost on the way.
	Network Code = "NETWORK"
	// BadAnswer: an answer came that is not what the method documents.
	BadAnswer Code = "BAD_ANSWER"
	// BadRequest: the command cannot be written down for the portal.
	BadRequest Code = "BAD_REQUEST"
	// Proxy: the proxy between us and the server failed or refused.
	Proxy Code = "PROXY"
	// NoToken: there is no access token to call with, and none can be had.
	NoToken Code = "NO_TOKEN"
	// Internal: a mistake in this program, a panic.
	Internal Code = "INTERNAL"
)

// Reasons of an error.
const (
	// Moved: the server's address redirects to another host.
	Moved Code = "MOVED"
	// FrontPage: a page came, with a status like 403 or 404, that is not from
	// the REST interface but from a server in front of it.
	FrontPage Code = "FRONT_PAGE"
)

// Error is any failure of a call: refused by the portal, lost on the way, or
// answered by something that is not an answer.
type Error struct {
	Code    Code
	Message string // the portal's description, cleaned of control characters; or ours
	Status  int    // HTTP status, 0 where no answer came
	Method  string // the method called, "batch" for a batch as a whole
	Hint    string // what to do, where that follows from the data at hand; may be empty
	Reason  Code   // the finer cause, for whoever advises, where Code has several; may be empty
	NotSent bool   // the request certainly did not reach the portal
	Unsure  bool   // refused, and may have been done all the same
	Err     error  // the cause, free of addresses and secrets; may be nil

	Final bool // without this call's outcome no other can be made: Fatal
}

// Error returns "CODE: message", with the HTTP status where it says more.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(string(e.Code))
	if e.Message != "" {
		b.WriteString(": ")
		b.WriteString(e.Message)
	}
	if e.Status >= 300 {
		fmt.Fprintf(&b, " (HTTP %d)", e.Status)
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is this error's Code.
func (e *Error) Is(target error) bool {
	c, ok := target.(Code)
	return ok && c == e.Code
}

// Reaction says what an error means for the command that met it, and so what
// to do next.
type Reaction int

const (
	// Rejected: the portal looked at this command and said no. It changed
	// nothing, and repeating it would not help.
	Rejected Reaction = iota
	// Throttled: refused before execution because requests come too fast.
	// Everybody slows down, then it is sent again.
	Throttled
	// Held: refused before execution because this method used up its
	// operating time. Other methods continue.
	Held
	// Unknown: it may have run or not. Reads are repeated; writes are settled
	// by reading back.
	Unknown
	// NotDelivered: the portal was not reached, or let nobody in, so nothing
	// ran. It is sent again.
	NotDelivered
	// CallAlone: not allowed in a batch; send it as a call of its own.
	CallAlone
	// Later: refused by the external system behind the source, perhaps for a
	// moment. One later attempt is worth it.
	Later
	// Fatal: every other call would fail as well. The run stops.
	Fatal
	// Filtered: a server in front of the portal answered with a page of its
	// own and let nothing through, perhaps because of one object's text: a
	// firewall looks into bodies. Where other requests get through, a batch is
	// split until the object is found; where none does, it is Fatal.
	Filtered
)

// reactions holds the codes whose meaning does not depend on the HTTP status
// (503 is both a rate limit and a manual block, so codes are compared).
// Origin: the portal's table of system errors and the observed behaviour of
// the biconnector methods.
var reactions = map[Code]Reaction{
	QueryLimitExceeded:                Throttled,
	OperationTimeLimit:                Held,
	BatchMethodNotAllowed:             CallAlone,
	UpdateConnectionError:             Later,
	CreateConnectionError:             Later,
	OverloadLimit:                     Fatal,
	ExpiredToken:                      Fatal, // the token cannot be renewed
	NoToken:                           Fatal,
	AccessDenied:                      Fatal,
	MethodNotFound:                    Fatal,
	"NO_AUTH_FOUND":                   Fatal,
	"WRONG_AUTH_TYPE":                 Fatal,
	"ERROR_OAUTH":                     Fatal,
	"NOT_INSTALLED":                   Fatal,
	"authorization_error":             Fatal,
	"METHOD_CONFIRM_WAITING":          Fatal,
	"METHOD_CONFIRM_DENIED":           Fatal,
	"invalid_token":                   Fatal,
	"PAYMENT_REQUIRED":                Fatal,
	"invalid_grant":                   Fatal, // these four are the authorization server's
	"invalid_client":                  Fatal,
	"invalid_request":                 Fatal,
	"invalid_scope":                   Fatal,
	"INVALID_CREDENTIALS":             Fatal,
	"insufficient_scope":              Fatal,
	"user_access_error":               Fatal,
	"ERROR_MANIFEST_IS_NOT_AVAILABLE": Fatal,
	"INVALID_REQUEST":                 Fatal,
	"PORTAL_DELETED":                  Fatal,
	"INTERNAL_SERVER_ERROR":           Unknown,
	"ERROR_UNEXPECTED_ANSWER":         Unknown,
	"ERROR_CORE":                      Unknown, // of the database
	BadAnswer:                         Unknown,
	Internal:                          Unknown,
}

// documented are further codes of the methods called and of the REST
// interface as a whole.
var documented = map[Code]bool{
	SourceNotFound: true, "BX_ERROR": true, "BX_INVALID_VALUE": true, "BX_EMPTY_REQUIRED": true,
	"CONNECTOR_NOT_FOUND": true, "CONNECTOR_DELETE_RESTRICTED": true, "DATASET_NOT_FOUND": true, "DATASET_UPDATE_ERROR": true,
	"NAME_EXISTS": true, "DATASET_ALREADY_EXIST": true, "DUPLICATE_FIELDS": true, "FIELDS_EMPTY": true, "INVALID_METHOD": true,
	"VALIDATION_ID_NOT_PROVIDED": true, "VALIDATION_INVALID_ID_FORMAT": true, "VALIDATION_FIELDS_NOT_PROVIDED": true,
	"VALIDATION_UNKNOWN_PARAMETERS": true, "VALIDATION_REQUIRED_FIELD_MISSING": true, "VALIDATION_READ_ONLY_FIELD": true,
	"VALIDATION_IMMUTABLE_FIELD": true, "VALIDATION_INVALID_FIELD_TYPE": true,
	"ERROR_BATCH_LENGTH_EXCEEDED": true, "ERROR_ARGUMENT": true,
}

// Reaction classifies the error.
func (e *Error) Reaction() Reaction {
	if e.Final {
		return Fatal
	}
	if e.Code == Proxy {
		return NotDelivered
	}
	if e.Code == Network {
		if errors.As(e.Err, new(*tls.CertificateVerificationError)) {
			return Fatal
		}
		if e.NotSent {
			return NotDelivered
		}
		return Unknown
	}
	if e.Code == ExpiredToken && e.NotSent {
		return NotDelivered // the client has renewed the token since
	}
	if e.Code == BadAnswer && e.Status >= 300 {
		return reactToPage(e)
	}
	if r, ok := reactions[e.Code]; ok {
		return r
	}
	if e.Unsure {
		return Unknown
	}
	switch {
	case e.Status == http.StatusUnauthorized, e.Status == http.StatusForbidden:
		return Fatal
	case e.Status >= 500:
		return Unknown
	}
	return Rejected
}

// reactToPage classifies an answer of status 300 and more that does not come
// from the REST interface but from a server in front of it.
func reactToPage(e *Error) Reaction {
	switch e.Status {
	case http.StatusTooManyRequests:
		return Throttled
	case http.StatusRequestTimeout:
		return Unknown
	case http.StatusRequestEntityTooLarge:
		if e.Method == MethodBatch {
			return CallAlone
		}
		return Rejected
	case http.StatusServiceUnavailable:
		return NotDelivered // nobody was let through
	}
	switch {
	case e.Status >= 500:
		return Unknown
	case e.Status >= 400 && e.Status != http.StatusUnauthorized:
		return Filtered
	}
	return Fatal // a redirect elsewhere
}
