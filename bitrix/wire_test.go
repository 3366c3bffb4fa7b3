package bitrix

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"syncsources/bitrix/secret"
)

var update = flag.Bool("update", false, "write the golden requests anew")

// recorder writes down each request as it would stand on the wire.
type recorder struct{ wire bytes.Buffer }

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(req.Body)
	fmt.Fprintf(&r.wire, "%s %s://%s%s\n", req.Method, req.URL.Scheme, req.Host, req.URL.RequestURI())
	for _, h := range []string{"Accept", "Content-Type", "Authorization", "User-Agent"} {
		if v := req.Header.Get(h); v != "" {
			fmt.Fprintf(&r.wire, "%s: %s\n", h, v)
		}
	}
	fmt.Fprintf(&r.wire, "\n%s\n", body)
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(`{"result":{"result":[]}}`)), Request: req}, nil
}

// TestRequestsOnTheWire compares whole requests with testdata/wire. Run it
// with -update after a change that is meant.
func TestRequestsOnTheWire(t *testing.T) {
	hook, err := Webhook("https://portal.example/rest/1/c0de/")
	if err != nil {
		t.Fatal(err)
	}
	app, err := Application("https://portal.example", oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "an-access-token"}), secret.New("k"))
	if err != nil {
		t.Fatal(err)
	}
	// The portal documentation's own example.
	example := Fields{Title: "New source name", Description: ptr("Updated source description"),
		Settings: []Setting{{"login", secret.New("new_admin")}, {"password", secret.New("new_password")}}}
	withActive := example
	withActive.Active = ptr(false)
	ctx := context.Background()
	for name, run := range map[string]func(hook, app *Client){
		"update-alone":         func(_, app *Client) { _, _ = app.UpdateAlone(ctx, UpdateSource(4, withActive)) },
		"update-alone-webhook": func(hook, _ *Client) { _, _ = hook.UpdateAlone(ctx, UpdateSource(4, withActive)) },
		"update-batch": func(_, app *Client) {
			_, _ = app.Update(ctx, []Update{UpdateSource(4, example), UpdateSource(6, Fields{Title: "~ и+[$]\"\\/", Settings: []Setting{{"port", secret.New("5432")}}})})
		},
		"read-batch-webhook": func(hook, _ *Client) {
			_, _ = hook.Query(ctx, []Query{SourcesByID([]int64{4, 6}), SourcesByID([]int64{7}), ConnectorsPage(1)})
		},
		"read-alone": func(_, app *Client) { _, _ = app.QueryAlone(ctx, SourcesPage(2)) },
	} {
		t.Run(name, func(t *testing.T) {
			rec := &recorder{}
			run(New(Config{Credentials: hook, Transport: rec}), New(Config{Credentials: app, Transport: rec, UserAgent: "syncsources/test"}))
			file := filepath.Join("testdata", "wire", name+".txt")
			if *update {
				if err := os.WriteFile(file, rec.wire.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got := rec.wire.String(); got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}
