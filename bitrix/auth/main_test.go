package auth

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"syncsources/bitrix"
	"syncsources/bitrix/rest"
)

// scripted answers every request with the same status and body.
type scripted struct {
	status int
	body   string
}

func (s *scripted) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: s.status, Body: io.NopCloser(strings.NewReader(s.body)), Request: req, Header: http.Header{}}, nil
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// read calls the portal as the program does: what was not delivered because
// the token had expired is sent again.
func read(c interface {
	QueryAlone(context.Context, bitrix.Query) (*bitrix.Response, error)
}) error {
	for {
		_, err := c.QueryAlone(context.Background(), bitrix.ListSources(bitrix.Range{}))
		var e *rest.Error
		if !errors.As(err, &e) || e.Code != rest.ExpiredToken || e.Reaction() != rest.NotDelivered {
			return err
		}
	}
}

func ptr[T any](v T) *T { return &v }

func TestMain(m *testing.M) {
	// A proxy of the machine has no say in tests on loopback.
	for _, v := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"} {
		_ = os.Unsetenv(v)
	}
	// With the race detector a process, a helper too, sleeps for a second before it ends.
	_ = os.Setenv("GORACE", "atexit_sleep_ms=0")
	if file := os.Getenv("HELPER_FILE"); file != "" && len(os.Args) == 2 {
		os.Exit(helperMain(file, os.Args[1]))
	}
	if file := os.Getenv("HELPER_VAULT"); file != "" && len(os.Args) == 2 {
		os.Exit(vaultMain(file, os.Args[1]))
	}
	if config := os.Getenv("AUTH_WORKER"); config != "" {
		os.Exit(workerMain(config))
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
