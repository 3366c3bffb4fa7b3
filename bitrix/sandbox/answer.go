package sandbox

import (
	"fmt"
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
	code        string // the error code in it, for the log
}

// fate is what happens to an answer on its way.
type fate int

const (
	delivered fate = iota
	dropped        // the connection closes before the first byte
	truncated      // the connection closes in the middle of the body
)

// apiError is an error that the portal reports. Errors of the REST server
// stand at the root of the answer, with a status; those of the biconnector
// methods stand inside result, with status 200.
type apiError struct {
	status int // 0: inside result
	code   string
	desc   string
}

func (e *apiError) inside() bool { return e.status == 0 }

func (e *apiError) array() *php.Array { return php.Dict("error", e.code, "error_description", e.desc) }

// Errors of the REST server, with the texts of its documentation.
var (
	errInternal       = &apiError{http.StatusInternalServerError, "INTERNAL_SERVER_ERROR", "Internal server error"}
	errQueryLimit     = &apiError{http.StatusServiceUnavailable, "QUERY_LIMIT_EXCEEDED", "Too many requests"}
	errOverload       = &apiError{http.StatusServiceUnavailable, "OVERLOAD_LIMIT", "REST API is blocked due to overload"}
	errOperating      = &apiError{http.StatusTooManyRequests, "OPERATION_TIME_LIMIT", "Method is blocked due to operation time limit."}
	errNoAuth         = &apiError{http.StatusUnauthorized, "NO_AUTH_FOUND", "Wrong authorization data"}
	errExpired        = &apiError{http.StatusUnauthorized, "expired_token", "The access token provided has expired."}
	errNoScope        = &apiError{http.StatusForbidden, "insufficient_scope", "The request requires higher privileges than provided by the access token"}
	errNoScopeWebhook = &apiError{http.StatusForbidden, "insufficient_scope", "The request requires higher privileges than provided by the webhook token"}
	errNoMethod       = &apiError{http.StatusNotFound, "ERROR_METHOD_NOT_FOUND", "Method not found!"}
	errNotInBatch     = &apiError{http.StatusMethodNotAllowed, "ERROR_BATCH_METHOD_NOT_ALLOWED", "Method is not allowed for batch usage"}
	errBatchLength    = &apiError{http.StatusBadRequest, "ERROR_BATCH_LENGTH_EXCEEDED", "Max batch length exceeded"}

	// errCut ends the execution of a request that lasts too long. It is an
	// HTML page of the web server in front, and never part of an answer.
	errCut = &apiError{status: http.StatusGatewayTimeout}
	// errGone ends the execution when the portal is closed.
	errGone = &apiError{status: -1}
)

func jsonAnswer(status int, v any) answer {
	return answer{status: status, contentType: contentJSON, body: php.AppendJSON(make([]byte, 0, 512), v)}
}

// rootError is an answer with the error at its root. It carries no time.
func rootError(e *apiError) answer {
	a := jsonAnswer(e.status, e.array())
	a.code = e.code
	return a
}

// gatewayPage is what nginx sends when the server behind it does not answer.
func gatewayPage(status int) answer {
	title := fmt.Sprintf("%d %s", status, map[int]string{
		http.StatusBadGateway:     "Bad Gateway",
		http.StatusGatewayTimeout: "Gateway Time-out",
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

// figures makes a time object, as the server writes it: seconds as floats, dates with
// an offset, operating_reset_at as a whole Unix second.
func (p *Portal) figures(t timing) *php.Array {
	const date = "2006-01-02T15:04:05-07:00"
	a := php.Dict(
		"start", unix(t.start), "finish", unix(t.finish),
		"duration", t.finish.Sub(t.start).Seconds(),
		"processing", t.processing.Seconds(),
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
