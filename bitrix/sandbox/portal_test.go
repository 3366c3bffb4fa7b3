package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// origin is the address that tests call; in-process any host will do.
const origin = "https://portal.example"

// newPortal makes a portal from YAML and closes it at the end of the test.
func newPortal(t testing.TB, state string) *Portal {
	t.Helper()
	s := must(ReadState(strings.NewReader(state)))(t)
	return newPortalOf(t, s)
}

func newPortalOf(t testing.TB, s *State) *Portal {
	t.Helper()
	p := must(New(s))(t)
	t.Cleanup(func() { p.Close() })
	return p
}

// smallState has one source of every sort that the tests need.
const smallState = `
connectors:
  - {id: 1, title: SQL, settings: [{code: host}, {code: port, type: INT}, {code: login}, {code: password, name: Password}]}
  - {id: 2, title: API, settings: [{code: token}]}
  - {id: 3, title: Other, settings: [{code: token}], owner: local.other}
sources:
  - {id: 4, title: Old name, connectorId: 1, settings: {login: old_admin, password: old_password}}
  - {id: 5, title: Stock, connectorId: 2, description: Warehouse, settings: {token: t0}}
  - {id: 6, title: Bare, connectorId: 2, active: false}
  - {id: 7, title: Gone away, connectorId: 2, check: fail}
  - {id: 8, title: Foreign, connectorId: 3}
  - {id: 9, title: Used, connectorId: 2}
  - {id: 10, title: Shaky, connectorId: 2, check: fail_once}
tables:
  - {id: 20, name: used, sourceId: 9, externalName: Used, externalCode: used, columns: [{name: ID, type: int, externalCode: id}]}
`

// reply is an answer of the portal, decoded.
type reply struct {
	status int
	header http.Header
	body   string
	value  map[string]any
}

// at walks into the answer: keys of maps and indices of lists.
func (r reply) at(path ...any) any {
	var v any = r.value
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[step]
		case int:
			l, _ := v.([]any)
			if step >= len(l) {
				return nil
			}
			v = l[step]
		}
	}
	return v
}

// want holds the value at a path to another.
func (r reply) want(t testing.TB, want any, path ...any) {
	t.Helper()
	if got := r.at(path...); got != want {
		t.Errorf("%v is %v, want %v: %d %s", path, got, want, r.status, r.body)
	}
}

// equal holds what a test got to what it wants; what says what that is.
func equal[T comparable](t testing.TB, what any, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%v:\ngot  %v\nwant %v", what, got, want)
	}
}

// do sends a request and decodes the answer; a body that is not JSON leaves
// value nil.
func do(p *Portal, r *http.Request) (reply, error) {
	return ask(&http.Client{Transport: p.RoundTripper()}, r)
}

func ask(c *http.Client, r *http.Request) (reply, error) {
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := c.Do(r)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	out := reply{status: resp.StatusCode, header: resp.Header, body: string(b)}
	_ = json.Unmarshal(b, &out.value)
	return out, err
}

func jsonRequest(method, body string) *http.Request {
	r, _ := http.NewRequest("POST", origin+"/rest/"+method, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+AccessToken)
	return r
}

// call makes a JSON call as the application.
func call(t testing.TB, p *Portal, method, body string) reply {
	t.Helper()
	r, err := do(p, jsonRequest(method, body))
	if err != nil {
		t.Fatalf("%s: %v", method, err)
	}
	return r
}

// batchBody writes a batch of commands, keyed c0, c1, ….
func batchBody(commands ...string) string {
	cmd := map[string]string{}
	for i, c := range commands {
		cmd[fmt.Sprintf("c%02d", i)] = c
	}
	b, _ := json.Marshal(map[string]any{"halt": 0, "cmd": cmd})
	return string(b)
}

func TestUpdateChangesOnlyWhatIsPassed(t *testing.T) {
	p := newPortal(t, smallState)
	r := call(t, p, "biconnector.source.update",
		`{"id":4,"fields":{"title":"New","settings":{"password":" new \u00a0\t","nosuch":"x"}}}`)
	if r.at("result") != true || r.status != 200 {
		t.Fatalf("answer %d %s", r.status, r.body)
	}
	s, _ := p.Source(4)
	if s.Title != "New" || s.Description != nil || !*s.Active {
		t.Errorf("source %+v", s)
	}
	want := map[string]string{"login": "old_admin", "password": "new \u00a0"}
	if len(s.Settings) != len(want) || s.Settings["login"] != want["login"] || s.Settings["password"] != want["password"] {
		t.Errorf("settings %q, want %q", s.Settings, want)
	}
	if st := p.Stats(); st.Updates[4] != 1 || st.Checks[4] != 1 || st.Requests != 1 {
		t.Errorf("stats %+v", st)
	}
}

func TestActiveIsIgnoredUnlessHonoured(t *testing.T) {
	const body = `{"id":4,"fields":{"title":"T","active":false}}`
	for _, honoured := range []bool{false, true} {
		p := newPortal(t, smallState+fmt.Sprintf("honour_active: %v\n", honoured))
		if r := call(t, p, "biconnector.source.update", body); r.at("result") != true {
			t.Fatal(r.body)
		}
		if s, _ := p.Source(4); *s.Active == honoured {
			t.Errorf("honour_active %v: active is %v", honoured, *s.Active)
		}
	}
}

// Execution costs virtual time, shows in the figures, and is cut.
func TestTimeOfABatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPortal(t, smallState+"update_cost: 1.5s\nread_cost: 100ms\nlatency: 50ms\nrequest_time: 4s\n")
		start := time.Now()
		r := call(t, p, "batch", batchBody("biconnector.source.update?id=4&fields[title]=A", "biconnector.source.get?id=4"))
		if took := time.Since(start); took != 1650*time.Millisecond {
			t.Errorf("took %v", took)
		}
		r.want(t, 1.5, "result", "result_time", "c00", "processing") // processing of the update
		r.want(t, 1.6, "time", "processing")                         // processing of the batch

		start = time.Now()
		r = call(t, p, "batch", batchBody("biconnector.source.update?id=4&fields[title]=B",
			"biconnector.source.update?id=5&fields[title]=B", "biconnector.source.update?id=6&fields[title]=B"))
		if r.status != 504 || !strings.Contains(r.body, "<h1>504 Gateway Time-out</h1>") {
			t.Errorf("answer %d %s", r.status, r.body)
		}
		if took := time.Since(start); took != 4050*time.Millisecond {
			t.Errorf("cut after %v", took)
		}
		st := p.Stats()
		if st.Cuts != 1 || st.Updates[4] != 2 || st.Updates[5] != 1 || st.Updates[6] != 0 {
			t.Errorf("stats %+v", st)
		}
	})
}

// Without an option a request is cut where the cloud does it: fifty updates
// of the length in the documentation's sample are too many.
func TestCutOfTheCloud(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPortal(t, smallState+"update_cost: 1.35s\n")
		start := time.Now()
		r := call(t, p, "batch", batchBody(slices.Repeat([]string{"biconnector.source.update?id=4&fields[title]=T"}, 50)...))
		if took := time.Since(start); r.status != 504 || took != time.Minute || p.Stats().Updates[4] != 44 {
			t.Errorf("answer %d after %v, %d updates", r.status, took, p.Stats().Updates[4])
		}
	})
}

// What a client gives up on is executed all the same.
func TestClientGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPortal(t, smallState+"update_cost: 3s\n")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		_, err := do(p, jsonRequest("biconnector.source.update", `{"id":4,"fields":{"title":"Late"}}`).WithContext(ctx))
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Fatalf("%v after %v", err, time.Since(start))
		}
		p.Wait()
		if s, _ := p.Source(4); s.Title != "Late" || time.Since(start) != 3*time.Second {
			t.Errorf("title %q after %v", s.Title, time.Since(start))
		}
	})
}

func TestCloseEndsWhatRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPortal(t, smallState+"update_cost: 3s\n")
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := do(p, jsonRequest("biconnector.source.update", `{"id":4,"fields":{"title":"Late"}}`)); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("error %v", err)
			}
		})
		synctest.Wait()
		p.Close()
		wg.Wait()
		if s, _ := p.Source(4); s.Title != "Old name" {
			t.Errorf("title %q", s.Title)
		}
		if _, err := do(p, jsonRequest("profile", `{}`)); err == nil {
			t.Error("a closed portal answers")
		}
	})
}

// The portal serves this many requests at a time; the queue shows in no figure.
func TestWorkersQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPortal(t, smallState+"update_cost: 1s\nworkers: 2\n")
		start := time.Now()
		var wg sync.WaitGroup
		var mu sync.Mutex
		var took []time.Duration
		for range 6 {
			wg.Go(func() {
				r := call(t, p, "biconnector.source.update", `{"id":4,"fields":{"title":"T"}}`)
				mu.Lock()
				defer mu.Unlock()
				took = append(took, time.Since(start))
				if r.at("time", "duration") != 1.0 {
					t.Errorf("duration %v", r.at("time", "duration"))
				}
			})
		}
		wg.Wait()
		want := []time.Duration{1, 1, 2, 2, 3, 3}
		for i, d := range took {
			if d != want[i]*time.Second {
				t.Errorf("answers after %v", took)
				break
			}
		}
	})
}

// A request that is still queued at the cut was never executed.
func TestCutInTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPortal(t, smallState+"update_cost: 3s\nworkers: 1\nrequest_time: 4s\n")
		var wg sync.WaitGroup
		status := make([]int, 3)
		for i := range status {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * time.Millisecond)
				status[i] = call(t, p, "biconnector.source.update", `{"id":4,"fields":{"title":"T"}}`).status
			})
		}
		wg.Wait()
		if fmt.Sprint(status) != "[200 504 504]" {
			t.Errorf("status %v", status)
		}
		if st := p.Stats(); st.Updates[4] != 1 || st.Cuts != 2 {
			t.Errorf("stats %+v", st)
		}
		// The worker is free again.
		if r := call(t, p, "profile", `{}`); r.status != 200 {
			t.Errorf("answer %d", r.status)
		}
	})
}

func TestAccessLogNamesNoSecrets(t *testing.T) {
	p := newPortal(t, smallState)
	var log bytes.Buffer
	p.SetAccessLog(&log)
	call(t, p, "batch", batchBody("biconnector.source.get?id=4"))
	call(t, p, "nosuch", `{}`)
	call(t, p, "%1b[2Jnosuch%0a", `{}`)
	got := log.String()
	if !strings.Contains(got, "POST batch of 1: 200 in ") || !strings.Contains(got, "POST nosuch: 404 ERROR_METHOD_NOT_FOUND in ") {
		t.Errorf("log:\n%s", got)
	}
	if strings.Contains(got, AccessToken) {
		t.Error("the log holds a token")
	}
	if !strings.Contains(got, `POST \x1b[2jnosuch\n: 404`) {
		t.Errorf("a method's name acts on the terminal: %q", got)
	}
}

// must returns a value, and ends the test with the error that came instead.
func must[T any](value T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		check(t, err)
		return value
	}
}

// check ends the test with an error, if there is one.
func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
