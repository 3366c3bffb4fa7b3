package runner_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/oauth2"

	"syncsources/bitrix"
	"syncsources/bitrix/sandbox"
	"syncsources/bitrix/secret"
	"syncsources/manifest"
	"syncsources/runner"
)

// bench is a portal with what a test asks of it.
type bench struct {
	*sandbox.Portal
	creds  bitrix.Credentials
	client *bitrix.Client
	killed sync.WaitGroup // runs that were killed, and have yet to find out
}

// onPortal runs f against a sandbox in virtual time.
func onPortal(t *testing.T, state sandbox.State, f func(t *testing.T, b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := must(sandbox.New(&state))(t)
		defer func() { _ = p.Close() }()
		creds, err := bitrix.Application("https://portal.example",
			oauth2.StaticTokenSource(&oauth2.Token{AccessToken: sandbox.AccessToken}), secret.New(sandbox.ClientSecret))
		check(t, err)
		b := &bench{Portal: p, creds: creds, client: bitrix.New(bitrix.Config{Credentials: creds, Transport: p.RoundTripper()})}
		f(t, b)
		b.killed.Wait()
	})
}

// through is a client that reaches the portal by another transport.
func (b *bench) through(transport http.RoundTripper) *bitrix.Client {
	return bitrix.New(bitrix.Config{Credentials: b.creds, Transport: transport})
}

// roundTrip makes a transport of a function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// rewritten lies between the client and a portal and changes its answers.
func rewritten(portal http.RoundTripper, change func([]byte) []byte) http.RoundTripper {
	return roundTrip(func(req *http.Request) (*http.Response, error) {
		resp, err := portal.RoundTrip(req)
		if err != nil {
			return nil, err
		}
		content, err := io.ReadAll(resp.Body)
		content = change(content)
		resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(content)), int64(len(content))
		return resp, err
	})
}

// item is an object in an answer, or all of it.
type item = map[string]any

// edited is as rewritten, for answers in JSON.
func edited(portal http.RoundTripper, edit func(root item)) http.RoundTripper {
	return rewritten(portal, func(content []byte) []byte {
		var root item
		if json.Unmarshal(content, &root) == nil {
			edit(root)
			content, _ = json.Marshal(root)
		}
		return content
	})
}

func (b *bench) apply(o runner.Options) *runner.Report {
	return runner.Apply(context.Background(), b.client, o)
}

// sqlState is a portal with n sources of one connector, titled "old".
func sqlState(n int) sandbox.State {
	s := sandbox.State{Connectors: []sandbox.Connector{{ID: 1, Title: "SQL", Settings: []sandbox.SettingType{
		{Code: "host"}, {Code: "login"}, {Code: "password"}, {Code: "port", Type: "INT"}}}}}
	for id := range int64(n) {
		s.Sources = append(s.Sources, sandbox.Source{ID: id + 1, Title: "old", ConnectorID: 1,
			Settings: map[string]string{"login": "admin", "password": "old-password"}})
	}
	return s
}

// retitled declares the title "new" for the sources 1 to n.
func retitled(n int) []manifest.Source {
	var list []manifest.Source
	for id := range int64(n) {
		list = append(list, manifest.Source{Object: manifest.Object{ID: id + 1, Name: "s"}, Title: ptr("new")})
	}
	return list
}

// declares is a set of these sources.
func declares(list ...manifest.Source) *manifest.Set { return &manifest.Set{Sources: list} }

func ptr[T any](v T) *T { return &v }

// statuses counts the sources by status and code.
func statuses(r *runner.Report) map[string]int {
	m := make(map[string]int)
	for _, s := range r.Objects {
		key := string(s.Status)
		if s.Error != nil {
			key += " " + s.Error.Code
		}
		m[key]++
	}
	return m
}

// counts holds a report to the numbers of its statuses.
func counts(t *testing.T, r *runner.Report, want map[string]int) {
	t.Helper()
	if diff := cmp.Diff(want, statuses(r)); diff != "" {
		t.Errorf("%s\n%v", diff, r.Err())
	}
}

// patience makes the client give a request up after some time; the portal goes
// on with it.
func (b *bench) patience(d time.Duration) {
	b.client = bitrix.New(bitrix.Config{Credentials: b.creds, Transport: b.RoundTripper(), Timeout: d})
}

// killAfter starts an apply and kills it, as far as the portal can see: from
// then on it sends nothing, hears nothing, and notes nothing.
func (b *bench) killAfter(d time.Duration, o runner.Options) {
	ctx, kill := context.WithCancel(context.Background())
	noteAdd, settled := o.NoteAdd, o.AddsSettled
	o.NoteAdd = func(_ context.Context, at time.Time) error {
		if ctx.Err() == nil {
			return noteAdd(ctx, at)
		}
		return ctx.Err()
	}
	o.AddsSettled = func() {
		if ctx.Err() == nil {
			settled()
		}
	}
	client := b.through(mortal{ctx, b.RoundTripper()})
	b.killed.Go(func() { runner.Apply(ctx, client, o) })
	time.Sleep(d)
	kill()
	synctest.Wait()
}

// mortal carries requests as long as its context lives.
type mortal struct {
	life   context.Context
	portal http.RoundTripper
}

func (m mortal) RoundTrip(req *http.Request) (*http.Response, error) {
	if m.life.Err() != nil {
		return nil, m.life.Err()
	}
	ctx, cancel := context.WithCancelCause(req.Context())
	stop := context.AfterFunc(m.life, func() { cancel(m.life.Err()) })
	defer stop()
	resp, err := m.portal.RoundTrip(req.WithContext(ctx))
	if m.life.Err() != nil {
		return nil, m.life.Err()
	}
	return resp, err
}

// note is what the lock of an apply remembers of adds.
type note struct {
	mu   sync.Mutex
	last time.Time
}

func (n *note) set(at time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.last = at
}

func (n *note) get() time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.last
}
