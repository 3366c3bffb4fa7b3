package sandbox

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"syncsources/bitrix/sandbox/php"
)

// Fault makes requests go wrong. It strikes the requests of Nth, or each with
// the probability Rate, or, if neither is given, every one that it looks at.
type Fault struct {
	// Kind is what happens, one of the Fault constants.
	Kind string `yaml:"kind"`
	// At is what the fault looks at: "request", the default, or "command",
	// each command of a batch and each call of its own. What strikes a
	// command ends the whole batch there: what ran before it stays done, what
	// comes after it does not run. Only FaultError, FaultFalse and
	// FaultContradiction are then answers to the one command, and FaultSlow
	// delays it.
	At string `yaml:"at"`
	// Method makes the fault look only at requests for this method: "batch",
	// a single call, or "oauth/token" for the authorization server; or at
	// commands of it. Empty means every REST request.
	Method string `yaml:"method"`
	// ID makes it look only at commands for the object of this id.
	ID int64 `yaml:"id"`
	// Contains makes it look only at what holds this text, in the body as it
	// was sent or anywhere in the parameters.
	Contains string `yaml:"contains"`
	// Rate is a probability, up to 1. Which requests it strikes follows from
	// the state's Seed.
	Rate float64 `yaml:"rate"`
	// Nth lists the requests to strike, counted from 1 among those that the
	// fault looks at.
	Nth []int `yaml:"nth"`
	// Times bounds how often the fault strikes. 0 means no bound.
	Times int `yaml:"times"`
	// Ran is whether the request is executed before it goes wrong: no client
	// can notice. Some kinds always run and some never, whatever is said here.
	Ran bool `yaml:"ran"`
	// Delay is how much later FaultSlow answers, 10 s if 0, and how long each
	// byte of FaultDrip takes, 1 s if 0.
	Delay time.Duration `yaml:"delay"`
	// Status, Code and Description are the answer of FaultError; Status is
	// that of FaultPage, 403 if 0. A FaultError of a command with the status
	// 200 is inside its result.
	Status      int    `yaml:"status"`
	Code        string `yaml:"code"`
	Description string `yaml:"description"`
	// Text is what FaultBefore, FaultAfter and FaultPage say; empty means
	// something of their kind.
	Text string `yaml:"text"`
}

// Kinds of faults.
const (
	FaultInternal      = "internal_error"   // 500 INTERNAL_SERVER_ERROR as JSON
	FaultUnexpected    = "unexpected"       // 500 ERROR_UNEXPECTED_ANSWER as JSON
	FaultDead          = "dead"             // 500 with an empty body: PHP died
	FaultBadGateway    = "bad_gateway"      // 502, an HTML page
	FaultTimeout       = "gateway_timeout"  // 504, an HTML page
	FaultQueryLimit    = "query_limit"      // 503 QUERY_LIMIT_EXCEEDED; never runs
	FaultOverload      = "overload"         // 503 OVERLOAD_LIMIT; never runs
	FaultDropped       = "dropped"          // the connection closes without an answer
	FaultTruncated     = "truncated"        // the connection closes in the middle of the answer; always runs
	FaultEmpty         = "empty"            // 200 with an empty body
	FaultSlow          = "slow"             // the answer is Delay late; always runs
	FaultDrip          = "drip"             // the body comes byte by byte; always runs
	FaultError         = "error"            // Status, Code and Description as JSON
	FaultPage          = "page"             // Status and a page: a firewall, a proxy, maintenance
	FaultBefore        = "text_before"      // Text is before the JSON; always runs
	FaultAfter         = "text_after"       // Text is after the JSON; always runs
	FaultFalse         = "false"            // the result is false
	FaultContradiction = "contradiction"    // an error is beside the result; always runs
	FaultConnection    = "connection_error" // looks at updates and adds of sources, in a batch or not: their connection check fails
	FaultSync          = "sync_error"       // looks at calls of fields.update: their changes are applied, and an error is reported
)

var faultKinds = []string{
	FaultInternal, FaultUnexpected, FaultDead, FaultBadGateway, FaultTimeout, FaultQueryLimit, FaultOverload, FaultDropped,
	FaultTruncated, FaultEmpty, FaultSlow, FaultDrip, FaultError, FaultPage, FaultBefore, FaultAfter, FaultFalse,
	FaultContradiction, FaultConnection, FaultSync,
}

// AtCommand makes a fault look at commands.
const AtCommand = "command"

func (f *Fault) check() error {
	switch {
	case !slices.Contains(faultKinds, f.Kind):
		return fmt.Errorf("unknown kind %q of fault: %s", f.Kind, strings.Join(faultKinds, ", "))
	case f.At != "" && f.At != "request" && f.At != AtCommand:
		return fmt.Errorf("unknown value %q of at: request or command", f.At)
	case f.ID != 0 && f.level() == aRequest:
		return fmt.Errorf("a fault with an id looks at commands: at: command")
	case f.Rate < 0 || f.Rate > 1:
		return fmt.Errorf("the rate of a fault must be a probability from 0 to 1")
	case f.Kind == FaultError && (f.Status < 200 || f.Status > 599 || f.Code == ""):
		return fmt.Errorf("a fault of kind error needs a status and a code")
	case f.Status != 0 && (f.Status < 200 || f.Status > 599):
		return fmt.Errorf("the status of a fault must be from 200 to 599")
	case f.Delay < 0 || f.Times < 0:
		return fmt.Errorf("delay and times of a fault must not be negative")
	}
	for _, n := range f.Nth {
		if n < 1 {
			return fmt.Errorf("nth must count requests from 1")
		}
	}
	return nil
}

// level is what a fault looks at.
type level int

const (
	aRequest level = iota
	aCommand
	faultyCheck // connection checks
	faultySync  // what BI Builder is notified of
)

func (f *Fault) level() level {
	switch {
	case f.Kind == FaultConnection:
		return faultyCheck
	case f.Kind == FaultSync:
		return faultySync
	case f.At == AtCommand:
		return aCommand
	}
	return aRequest
}

// looks reports whether the fault looks at a request or a command.
func (f *Fault) looks(method string, params *php.Array, body []byte) bool {
	switch {
	case f.Method == "" && method == methodToken:
		return false
	case f.Method != "" && !strings.EqualFold(f.Method, method):
		return false
	case f.ID != 0:
		v, _ := params.Get("id")
		if id, ok := php.Numeric(v); !ok || id != f.ID {
			return false
		}
	}
	return f.Contains == "" || strings.Contains(string(body), f.Contains) || contains(params, f.Contains)
}

// contains reports whether a text is anywhere in a value: in the texts of
// arrays, and in commands of a batch as they are meant.
func contains(v any, text string) bool {
	switch v := v.(type) {
	case string:
		return strings.Contains(v, text) || strings.Contains(php.URLDecode(v), text)
	case *php.Array:
		for _, v := range v.All() {
			if contains(v, text) {
				return true
			}
		}
	}
	return false
}

// faultCount is how often a fault has looked and struck.
type faultCount struct{ seen, struck int }

// drawFault draws whether a request or command goes wrong, and how.
func (p *Portal) drawFault(at level, method string, params *php.Array, body []byte) *Fault {
	if len(p.cfg.Faults) == 0 {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var hit *Fault
	for i := range p.cfg.Faults {
		f, c := &p.cfg.Faults[i], &p.faults[i]
		if f.level() != at || !f.looks(method, params, body) {
			continue
		}
		c.seen++
		if hit != nil || f.Times > 0 && c.struck >= f.Times {
			continue
		}
		switch {
		case slices.Contains(f.Nth, c.seen):
		case f.Rate > 0 && draw(p.cfg.Seed, uint64(i), uint64(c.seen)) < f.Rate:
		case len(f.Nth) == 0 && f.Rate == 0:
		default:
			continue
		}
		c.struck++
		p.stats.Faults[f.Kind]++
		hit = f
	}
	return hit
}

// draw is a number from [0, 1) that depends on nothing but its arguments, so
// that the fate of the n-th request does not hang on the order of others
// (splitmix64).
func draw(seed, fault, n uint64) float64 {
	mix := func(x uint64) uint64 {
		x += 0x9e3779b97f4a7c15
		x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
		x = (x ^ x>>27) * 0x94d049bb133111eb
		return x ^ x>>31
	}
	return float64(mix(mix(mix(seed)^fault)^n)>>11) / (1 << 53)
}

// runs reports whether the request is executed although it goes wrong.
func (f *Fault) runs() bool {
	switch f.Kind {
	case FaultTruncated, FaultSlow, FaultDrip, FaultBefore, FaultAfter, FaultContradiction:
		return true
	case FaultQueryLimit, FaultOverload:
		return false
	}
	return f.Ran
}

func (f *Fault) delay(otherwise time.Duration) time.Duration { return cmp.Or(f.Delay, otherwise) }

// phpWarning is what a server says that has display_errors on.
const phpWarning = "<br />\n<b>Warning</b>:  Undefined array key \"a\" in <b>/home/bitrix/www/bitrix/php_interface/init.php</b> on line <b>12</b><br />\n"

// answer is what a fault sends instead of the real answer, or makes of it.
func (f *Fault) answer(p *Portal, real answer) answer {
	text := func(otherwise string) string { return cmp.Or(f.Text, otherwise) }
	switch f.Kind {
	case FaultInternal:
		return p.rootError(errInternal)
	case FaultUnexpected:
		return p.rootError(&apiError{status: http.StatusInternalServerError, code: "ERROR_UNEXPECTED_ANSWER", desc: "Server returned an unexpected response"})
	case FaultDead:
		return answer{status: http.StatusInternalServerError, contentType: "text/html; charset=UTF-8"}
	case FaultBadGateway:
		return gatewayPage(http.StatusBadGateway)
	case FaultTimeout:
		return gatewayPage(http.StatusGatewayTimeout)
	case FaultQueryLimit:
		return p.rootError(errQueryLimit)
	case FaultOverload:
		return p.rootError(errOverload)
	case FaultError:
		return p.rootError(&apiError{status: f.Status, code: f.Code, desc: f.Description})
	case FaultDropped:
		return answer{fate: dropped}
	case FaultTruncated:
		real.fate = truncated
	case FaultDrip:
		real.drip = f.delay(time.Second)
	case FaultEmpty:
		return answer{status: http.StatusOK, contentType: contentJSON}
	case FaultPage:
		status := cmp.Or(f.Status, http.StatusForbidden)
		return answer{status: status, contentType: "text/html", body: []byte(text(fmt.Sprintf(
			"<!DOCTYPE html>\n<html><head><title>%d %s</title></head><body><h1>The request was blocked.</h1><p>Incident 7F3A-22</p></body></html>\n", status, http.StatusText(status))))}
	case FaultBefore:
		real.body = append([]byte(text(phpWarning)), real.body...)
	case FaultAfter:
		real.body = append(real.body, text("\n<!-- Page generated in 0.21 s -->\n")...)
	case FaultFalse:
		return p.jsonAnswer(http.StatusOK, php.Dict("result", false, "time", p.timeObject(timing{start: time.Now(), finish: time.Now()})))
	case FaultContradiction:
		// The keys of an error come first, as in an answer that was begun anew.
		if body := strings.TrimPrefix(string(real.body), "{"); body != string(real.body) {
			real.body = []byte(`{"error":"INTERNAL_SERVER_ERROR","error_description":"Internal server error",` + body)
		}
	}
	return real
}
