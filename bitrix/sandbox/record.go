package sandbox

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"syncsources/bitrix/sandbox/php"
)

// Call is a call of a method that the portal received: a request of its own,
// a batch, or a command of one.
type Call struct {
	Request int       // the number of the HTTP request, from 1
	Host    string    // that it was sent to
	At      time.Time // when it was over
	Method  string    // in lower case
	Key     string    // of a command in its batch; empty otherwise
	Code    string    // of the error it was answered with; see Failed
	Failed  bool      // the code of a failure can be empty
	params  *php.Array
}

// Params returns the parameters as ordinary values: map[string]any, []any,
// string, int64, float64, bool, nil; in the parameters of a batch the commands
// are texts. Credentials are not among them.
func (c Call) Params() any { return php.Plain(c.params) }

// ID returns the parameter id of the call, or 0.
func (c Call) ID() int64 { return c.params.Int("id") }

// Stats counts what the portal has seen and done.
type Stats struct {
	Requests int            // REST requests received, refused ones included
	Refused  int            // of them refused with QUERY_LIMIT_EXCEEDED by the bucket
	Cuts     int            // requests cut for taking too long
	Commands map[string]int // calls by method that were let through to it, commands of batches included
	Blocked  map[string]int // calls refused with OPERATION_TIME_LIMIT, by method
	Faults   map[string]int // faults that struck, by kind
	Updates  map[int64]int  // successful updates by source
	Writes   map[string]int // successful writes by method, those of dataset.* as of table.*
	Checks   map[int64]int  // connection checks by source, failed ones included; of adds under 0
	Expired  int            // requests refused with expired_token
	Renewals int            // token pairs issued for a refresh token
	Tokens   int            // token requests, refused ones included
	// TokenHosts counts them by the host that was asked.
	TokenHosts map[string]int
}

func newStats() Stats {
	return Stats{
		Commands: map[string]int{}, Blocked: map[string]int{}, Faults: map[string]int{},
		Updates: map[int64]int{}, Checks: map[int64]int{}, Writes: map[string]int{}, TokenHosts: map[string]int{},
	}
}

// Stats returns the counts so far, as a copy.
func (p *Portal) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.stats
	s.Commands, s.Blocked, s.Faults = maps.Clone(s.Commands), maps.Clone(s.Blocked), maps.Clone(s.Faults)
	s.Updates, s.Checks = maps.Clone(s.Updates), maps.Clone(s.Checks)
	s.Writes, s.TokenHosts = maps.Clone(s.Writes), maps.Clone(s.TokenHosts)
	return s
}

// Calls returns the calls so far in the order they were over, a batch before
// its commands. See [State.KeepCalls].
func (p *Portal) Calls() []Call {
	p.mu.Lock()
	defer p.mu.Unlock()
	calls := p.calls
	if keep := p.cfg.KeepCalls; keep > 0 && len(calls) > keep {
		calls = calls[len(calls)-keep:]
	}
	return slices.Clone(calls)
}

// record notes a call and its outcome.
func (p *Portal) record(r *run, method, key string, params *php.Array, out outcome) {
	c := Call{Request: r.n, Host: r.host, At: time.Now(), Method: method, Key: key, params: params, Code: out.inside, Failed: out.failed}
	switch out.err {
	case nil:
	case errCut:
		c.Code, c.Failed = "504", true
	case errGone:
		return
	default:
		c.Code, c.Failed = out.err.code, true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if out.err == errOperating {
		p.stats.Blocked[method]++
	} else {
		p.stats.Commands[method]++
	}
	keep := p.cfg.KeepCalls
	if keep < 0 {
		return
	}
	p.calls = latest(append(p.calls, c), keep)
}

// latest drops all but the last of a list that is twice as long as it need be.
func latest[T any](list []T, keep int) []T {
	if keep > 0 && len(list) >= 2*keep {
		return slices.Clone(list[len(list)-keep:])
	}
	return list
}

// SetAccessLog makes the portal write a line for each request: when, what, and
// how it was answered. Credentials and parameters are not in it. The
// writer is used by one goroutine at a time; nil switches the log off.
func (p *Portal) SetAccessLog(w io.Writer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.accessLog = w
}

// logAccess writes a line about a request that arrived at a time.
func (p *Portal) logAccess(arrived time.Time, req request, method string, a answer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.accessLog == nil {
		return
	}
	what := strings.Trim(strconv.Quote(method), `"`) // from the address: it may hold anything
	switch method {
	case "":
		what = "unknown address"
	case methodBatch:
		what = fmt.Sprintf("batch of %d", req.params.Sub("cmd").Len())
	}
	how := fmt.Sprint(a.status)
	switch a.fate {
	case dropped:
		how = "connection dropped"
	case truncated:
		how += " truncated"
	}
	if a.code != "" {
		how += " " + a.code
	}
	fmt.Fprintf(p.accessLog, "%s %s %s: %s in %s\n", arrived.Format("15:04:05.000"), req.verb, what, how, time.Since(arrived).Round(time.Millisecond))
}
