package bitrix

import (
	"context"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"syncsources/bitrix/secret"
)

// scripted answers every request with the same status and body and keeps the
// last request's.
type scripted struct {
	status     int
	body, path string
	got        string
}

func (s *scripted) RoundTrip(req *http.Request) (*http.Response, error) {
	var b []byte
	if req.Body != nil {
		b, _ = io.ReadAll(req.Body)
	}
	s.got, s.path = string(b), req.URL.Path
	return &http.Response{StatusCode: s.status, Body: io.NopCloser(strings.NewReader(s.body)), Request: req, Header: http.Header{}}, nil
}

func testClient(t testing.TB, tr http.RoundTripper) *Client {
	t.Helper()
	creds := must(Webhook("https://portal.example/rest/1/c0de/"))(t)
	return New(Config{Credentials: creds, Transport: tr})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func TestCounters(t *testing.T) {
	tr := &scripted{status: 503, body: `{"error":"QUERY_LIMIT_EXCEEDED"}`}
	c := testClient(t, tr)
	_, _ = c.Write(context.Background(), []Write{UpdateSource(4, SourceFields{Title: "t"}), UpdateSource(5, SourceFields{Title: "t"})})
	tr.body = "<html>" // of a server in front of the portal
	_, _ = c.WriteAlone(context.Background(), UpdateSource(4, SourceFields{Title: "t"}))
	tr.status, tr.body = 200, `{"result":true}`
	_, _ = c.WriteAlone(context.Background(), UpdateSource(4, SourceFields{Title: "t"}))
	if got, want := c.Counters(), (Counters{HTTP: 3, Batches: 1, Commands: 4, Throttled: 2}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// What is not sent does not count.
func TestCountersCountWhatIsSent(t *testing.T) {
	creds, _ := Application("https://portal.example", &renewing{}, secret.New("k"))
	c := New(Config{Credentials: creds, Transport: &scripted{status: 401, body: `{"error":"expired_token"}`}})
	two := []Write{UpdateSource(4, SourceFields{Title: "t"}), UpdateSource(5, SourceFields{Title: "t"})}
	ctx, cancel := context.WithCancel(context.Background())
	_, _ = c.Write(ctx, two)
	want := Counters{HTTP: 1, Batches: 1, Commands: 2}
	if got := c.Counters(); got != want {
		t.Errorf("with an expired token: got %+v, want %+v", got, want)
	}
	cancel()
	_, _ = c.Write(ctx, two)
	if got := c.Counters(); got != want {
		t.Errorf("after cancel: got %+v, want %+v", got, want)
	}
}

func TestMain(m *testing.M) {
	// A proxy of the machine has no say in tests on loopback.
	for _, v := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"} {
		_ = os.Unsetenv(v)
	}
	os.Exit(m.Run())
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
