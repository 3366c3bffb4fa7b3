package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

const retitle = `{"id":4,"fields":{"title":"New"}}`

// faultCase is a fault with what a client sees of it.
type faultCase struct {
	fault  string
	status int // 0: no answer
	code   any // in the body; nil where it is no JSON
	broken bool
	ran    bool // whether the update was executed
}

var faultCases = []faultCase{
	{`kind: internal_error`, 500, "INTERNAL_SERVER_ERROR", false, false},
	{`kind: internal_error, ran: true`, 500, "INTERNAL_SERVER_ERROR", false, true},
	{`kind: unexpected`, 500, "ERROR_UNEXPECTED_ANSWER", false, false},
	{`kind: bad_gateway`, 502, nil, false, false},
	{`kind: bad_gateway, ran: true`, 502, nil, false, true},
	{`kind: gateway_timeout, ran: true`, 504, nil, false, true},
	{`kind: query_limit`, 503, "QUERY_LIMIT_EXCEEDED", false, false},
	{`kind: query_limit, ran: true`, 503, "QUERY_LIMIT_EXCEEDED", false, false},
	{`kind: overload`, 503, "OVERLOAD_LIMIT", false, false},
	{`kind: overload, ran: true`, 503, "OVERLOAD_LIMIT", false, false},
	{`kind: dropped`, 0, nil, false, false},
	{`kind: dropped, ran: true`, 0, nil, false, true},
	{`kind: truncated`, 200, nil, true, true},
	{`kind: empty`, 200, nil, false, false},
	{`kind: empty, ran: true`, 200, nil, false, true},
	{`kind: error, status: 403, code: user_access_error, description: The user does not have access to the application`, 403, "user_access_error", false, false},
}

func (c *faultCase) check(t *testing.T, p *Portal, r reply, err error) {
	t.Helper()
	switch {
	case c.status == 0 && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF),
		c.broken && !errors.Is(err, io.ErrUnexpectedEOF),
		c.status > 0 && !c.broken && err != nil,
		r.status != c.status, r.at("error") != c.code, c.code == nil && json.Valid([]byte(r.body)):
		t.Errorf("%s: %d %q, %v", c.fault, r.status, r.body, err)
	}
	s, _ := p.Source(4)
	if ran := s.Title == "New"; ran != c.ran {
		t.Errorf("%s: ran is %v, want %v", c.fault, ran, c.ran)
	}
}

func TestFaultsInProcess(t *testing.T) {
	for _, c := range faultCases {
		p := newPortal(t, smallState+"faults: [{"+c.fault+"}]\n")
		r, err := do(p, jsonRequest("biconnector.source.update", retitle))
		c.check(t, p, r, err)
	}
}

func TestFaultsOnASocket(t *testing.T) {
	for _, c := range faultCases {
		p := newPortal(t, smallState+"faults: [{"+c.fault+"}]\n")
		server := httptest.NewServer(p)
		req := jsonRequest("biconnector.source.update", retitle)
		req.URL.Host = server.Listener.Addr().String()
		req.URL.Scheme = "http"
		r, err := ask(server.Client(), req)
		c.check(t, p, r, err)
		server.Close()
	}
}

func TestSlowAnswer(t *testing.T) {
	for fault, want := range map[string]time.Duration{`kind: slow`: 10 * time.Second, `kind: slow, delay: 90s`: 90 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			p := newPortal(t, smallState+"faults: [{"+fault+"}]\n")
			start := time.Now()
			r := call(t, p, "biconnector.source.update", retitle)
			if r.at("result") != true || r.at("time", "duration") != 0.0 || time.Since(start) != want {
				t.Errorf("%s after %v", r.body, time.Since(start))
			}
		})
	}
}

// A fault of the connection check strikes updates wherever they stand.
func TestConnectionFault(t *testing.T) {
	p := newPortal(t, smallState+"faults: [{kind: connection_error, nth: [1, 3]}]\n")
	r := call(t, p, "batch", batchBody(update4(), update4(), "biconnector.source.get?id=4", update4(), update4()))
	for key, want := range map[string]any{"c00": "SOURCE_UPDATE_CONNECTION_ERROR", "c01": nil, "c02": nil, "c03": "SOURCE_UPDATE_CONNECTION_ERROR", "c04": nil} {
		r.want(t, want, "result", "result", key, "error", "error")
	}
	if s := p.Stats(); s.Updates[4] != 2 || s.Checks[4] != 4 || s.Faults[FaultConnection] != 2 {
		t.Errorf("stats %+v", s)
	}
}

// struck says which of n calls went wrong.
func struck(t *testing.T, state string, n int, method func(i int) string) (out []int) {
	p := newPortal(t, state+"limits: {unlimited: true}\n")
	for i := range n {
		if r := call(t, p, method(i), `{}`); r.status == 500 {
			out = append(out, i+1)
		}
	}
	if got := p.Stats().Faults[FaultInternal]; got != len(out) {
		t.Errorf("%d faults counted, %d seen", got, len(out))
	}
	return out
}

func TestWhenFaultsStrike(t *testing.T) {
	profile := func(int) string { return "profile" }
	mixed := func(i int) string { return []string{"profile", "server.time"}[i%2] }
	for _, c := range []struct {
		fault  string
		method func(int) string
		want   string
	}{
		{`kind: internal_error, nth: [2, 5]`, profile, "[2 5]"},
		{`kind: internal_error, times: 3`, profile, "[1 2 3]"},
		{`kind: internal_error, nth: [1, 2], method: server.time`, mixed, "[2 4]"},
		{`kind: internal_error, nth: [1, 2], method: oauth/token`, mixed, "[]"},
	} {
		if got := fmt.Sprint(struck(t, "faults: [{"+c.fault+"}]\n", 8, c.method)); got != c.want {
			t.Errorf("%s: struck %s, want %s", c.fault, got, c.want)
		}
	}
}

// A rate is met, the seed alone decides which requests it strikes, and another
// seed strikes others.
func TestFaultsBySeed(t *testing.T) {
	profile := func(int) string { return "profile" }
	const state = "faults: [{kind: internal_error, rate: 0.1}]\nseed: "
	first := struck(t, state+"1\n", 1000, profile)
	if n := len(first); n < 70 || n > 130 {
		t.Errorf("%d of 1000 requests struck", n)
	}
	if again := struck(t, state+"1\n", 1000, profile); fmt.Sprint(again) != fmt.Sprint(first) {
		t.Error("the same seed struck other requests")
	}
	if other := struck(t, state+"2\n", 1000, profile); fmt.Sprint(other) == fmt.Sprint(first) {
		t.Error("another seed struck the same requests")
	}
}

// A request refused by the bucket does not reach what is faulty.
func TestFaultsComeBehindTheBucket(t *testing.T) {
	p := newPortal(t, "limits: {level: 51}\nfaults: [{kind: internal_error}]\n")
	if r := call(t, p, "profile", `{}`); r.status != http.StatusServiceUnavailable || p.Stats().Faults[FaultInternal] != 0 {
		t.Errorf("answer %d", r.status)
	}
}
