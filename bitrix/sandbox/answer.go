package sandbox

import (
	"fmt"
	"math"
	"net/http"
	"time"

	"syncsources/bitrix/sandbox/php"
)

const contentJSON = "application/json; charset=utf-8"

// answer is a complete answer to an HTTP request, and what becomes of it.
type answer struct {
	status      int
	contentType string
	location    string // where a redirect goes
	body        []byte
	fate        fate
	drip        time.Duration // between two bytes of the body
	code        string        // the error code in it, for the log
}

// fate is what happens to an answer on its way.
type fate int

const (
	delivered fate = iota
	dropped        // the connection closes before the first byte
	truncated      // the connection closes in the middle of the body
)

// apiError is an error that the portal reports. Errors of the REST server
// are at the root of the answer, with a status; those of the biconnector
// methods are inside result, with status 200.
type apiError struct {
	status int    // 0: inside result
	code   string // empty: none
	desc   string
	fatal  bool // of PHP itself: it ends a batch, and every answer
}

func (e *apiError) inside() bool { return e.status == 0 }

// errorArray is an error as it appears in an answer. One without a code has the
// number 0 in its place.
func (p *Portal) errorArray(e *apiError) *php.Array {
	var code any = e.code
	if e.code == "" {
		switch p.cfg.NoCode {
		case NoCodeText:
			code = "0"
		case NoCodeEmpty:
		default:
			code = int64(0)
		}
	}
	return php.Dict("error", code, "error_description", e.desc)
}

// Errors of the REST server, with the texts of its documentation.
var (
	errInternal       = &apiError{status: http.StatusInternalServerError, code: "INTERNAL_SERVER_ERROR", desc: "Internal server error"}
	errQueryLimit     = &apiError{status: http.StatusServiceUnavailable, code: "QUERY_LIMIT_EXCEEDED", desc: "Too many requests"}
	errOverload       = &apiError{status: http.StatusServiceUnavailable, code: "OVERLOAD_LIMIT", desc: "REST API is blocked due to overload"}
	errOperating      = &apiError{status: http.StatusTooManyRequests, code: "OPERATION_TIME_LIMIT", desc: "Method is blocked due to operation time limit."}
	errNoAuth         = &apiError{status: http.StatusUnauthorized, code: "NO_AUTH_FOUND", desc: "Wrong authorization data"}
	errExpired        = &apiError{status: http.StatusUnauthorized, code: "expired_token", desc: "The access token provided has expired."}
	errNoScope        = &apiError{status: http.StatusForbidden, code: "insufficient_scope", desc: "The request requires higher privileges than provided by the access token"}
	errNoScopeWebhook = &apiError{status: http.StatusForbidden, code: "insufficient_scope", desc: "The request requires higher privileges than provided by the webhook token"}
	errNoMethod       = &apiError{status: http.StatusNotFound, code: "ERROR_METHOD_NOT_FOUND", desc: "Method not found!"}
	errNotInBatch     = &apiError{status: http.StatusMethodNotAllowed, code: "ERROR_BATCH_METHOD_NOT_ALLOWED", desc: "Method is not allowed for batch usage"}
	errBatchLength    = &apiError{status: http.StatusBadRequest, code: "ERROR_BATCH_LENGTH_EXCEEDED", desc: "Max batch length exceeded"}

	// errFatal is an uncaught error of PHP.
	errFatal = &apiError{status: http.StatusInternalServerError, code: "INTERNAL_SERVER_ERROR", desc: "Internal server error", fatal: true}

	// errCut ends the execution of a request that lasts too long. It is an
	// HTML page of the web server in front, and never part of an answer.
	errCut = &apiError{status: http.StatusGatewayTimeout}
	// errGone ends the execution when the portal is closed.
	errGone = &apiError{status: -1}
)

func (p *Portal) jsonAnswer(status int, v any) answer {
	json := php.JSON{RawBytes: p.cfg.RawBytes}
	return answer{status: status, contentType: contentJSON, body: json.Append(make([]byte, 0, 512), v)}
}

// rootError is an answer with the error at its root. It carries no time.
func (p *Portal) rootError(e *apiError) answer {
	var a answer
	switch {
	case e.fatal && p.cfg.Fatal == FatalEmpty:
		a = answer{status: e.status, contentType: "text/html; charset=UTF-8"}
	case e.fatal && p.cfg.Fatal == FatalPage:
		a = gatewayPage(e.status)
	case p.cfg.REST3Errors:
		a = p.jsonAnswer(e.status, php.Dict("error", php.Dict("code", e.code, "message", e.desc)))
	default:
		a = p.jsonAnswer(e.status, p.errorArray(e))
	}
	a.code = e.code
	return a
}

// gatewayPage is what nginx sends when the server behind it does not answer.
func gatewayPage(status int) answer {
	title := fmt.Sprintf("%d %s", status, map[int]string{
		http.StatusInternalServerError: "Internal Server Error",
		http.StatusBadGateway:          "Bad Gateway",
		http.StatusGatewayTimeout:      "Gateway Time-out",
	}[status])
	return answer{status: status, contentType: "text/html", body: fmt.Appendf(nil,
		"<html>\r\n<head><title>%s</title></head>\r\n<body>\r\n<center><h1>%[1]s</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n", title)}
}

// timing is the figures of a time object.
type timing struct {
	start, finish time.Time
	processing    time.Duration
	operating     time.Duration
	resetAt       time.Time
}

// timeObject makes a time object, as the server writes it: seconds as floats, dates with
// an offset, operating_reset_at as a whole Unix second. Since rest 25.700 the
// stamps at the start and around the execution are floored to seconds each.
func (p *Portal) timeObject(t timing) *php.Array {
	const date = "2006-01-02T15:04:05-07:00"
	start, finish := unix(t.start), unix(t.finish)
	duration, processing := t.finish.Sub(t.start).Seconds(), t.processing.Seconds()
	if p.cfg.WholeSeconds {
		processing = math.Floor(start+processing) - math.Floor(start)
		start = math.Floor(start)
		duration = finish - start
	}
	a := php.Dict(
		"start", start, "finish", finish, "duration", duration, "processing", processing,
		"date_start", t.start.UTC().Format(date), "date_finish", t.finish.UTC().Format(date),
	)
	if !p.cfg.HideOperating {
		a.Add("operating_reset_at", t.resetAt.Unix())
		a.Add("operating", t.operating.Seconds())
	}
	return a
}

// unix is a time in seconds with the microseconds that PHP's clock has.
func unix(t time.Time) float64 { return float64(t.UnixMicro()) / 1e6 }
