package bitrix

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"syncsources/bitrix/rest"
	"syncsources/bitrix/secret"
)

func TestWebhook(t *testing.T) {
	for in, portal := range map[string]string{
		"https://portal.example/rest/1/c0de/":                         "https://portal.example",
		"https://portal.example/rest/1/c0de":                          "https://portal.example",
		" https://portal.example:8443/rest/1/c0de/profile.json\n":     "https://portal.example:8443",
		"https://portal.example/rest/1/c0de/biconnector.source.list/": "https://portal.example",
		"https://Portal.EXAMPLE.:443/rest/1/c0de/":                    "https://portal.example",
		"https://портал.рф/rest/1/c0de/":                              "https://xn--80awhdgm.xn--p1ai",
		"http://127.0.0.1:8924/rest/1/c0de/":                          "http://127.0.0.1:8924",
		"http://[::1]:8924/rest/1/c0de/":                              "http://[::1]:8924",
		"http://localhost/rest/1/c0de/":                               "http://localhost",
	} {
		c, err := Webhook(in)
		if err != nil || c.Portal() != portal || c.Key().Plain() != "c0de" {
			t.Errorf("%q: portal %q, error %v", in, c.Portal(), err)
		}
	}
	for in, why := range map[string]string{
		"http://portal.example/rest/1/c0de/":            "plain http",
		"http://127.0.0.1.portal.example/rest/1/c0de/":  "plain http",
		"ftp://portal.example/rest/1/c0de/":             "unknown scheme",
		"portal.example/rest/1/c0de/":                   "write https://portal.example",
		"https://user:c0de@portal.example/rest/1/c0de/": "user name",
		"https://portal.example/rest/1/c0de/?auth=c0de": "query or fragment",
		"https://portal.example/rest/1/c0de/#c0de":      "query or fragment",
		"https://portal.example/rest/x/c0de/":           "no user's number",
		"https://portal.example/rest/c0de/":             "lacks the user's number",
		"https://portal.example/rest/1/c0de/a/c0de":     "more after the code",
		"https://portal.example/":                       "ends after the host",
		"https://portal.example/bitrix/1/c0de":          "does not begin with /rest/",
		"https://portal.example/rest/api/1/c0de/":       "REST 3.0",
		"https://portal.example//rest/1/c0de/":          "doubled slash",
		"https://portal.example/rest/1//c0de/":          "doubled slash",
		`"https://portal.example/rest/1/c0de/"`:         `character "`,
		"“https://portal.example/rest/1/c0de/”":         "character “",
		"<https://portal.example/rest/1/c0de/>":         "character <",
		"https://portal.example/rest/1/\u200bc0de/":     "U+200B",
		"\ufeffhttps://portal.example/rest/1/c0de/":     "U+FEFF",
		"https://portal.example/rest/1/c0 de/":          "blank",
		`https:\\portal.example\rest\1\c0de`:            "backslash",
		"https://:443/rest/1/c0de/":                     "not an address",
		"https://portal.example:65536/rest/1/c0de/":     "invalid port",
		"https://portal.example:0/rest/1/c0de/":         "invalid port",
		"https://portal.example/%zz/c0de":               "not an address",
		"c0de":                                          "not an address",
		"":                                              "not an address",
	} {
		_, err := Webhook(in)
		if err == nil || !strings.Contains(err.Error(), why) || strings.Contains(err.Error(), "c0de") {
			t.Errorf("%q: %v, want %q", in, err, why)
		}
	}
}

func TestApplication(t *testing.T) {
	tokens := oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "canary"})
	for in, ok := range map[string]bool{
		"https://portal.example": true, "https://portal.example/": true, "http://localhost:8924": true,
		"http://portal.example": false, "https://portal.example/rest/1/canary/": false, "https://portal.example?auth=canary": false,
		"portal.example": false, "": false,
	} {
		_, err := Application(in, tokens, secret.New("k"))
		if (err == nil) != ok {
			t.Errorf("%q: %v", in, err)
		}
		if err != nil && strings.Contains(err.Error(), "canary") {
			t.Errorf("the error repeats a secret: %v", err)
		}
	}
}

func TestCredentialsDoNotPrint(t *testing.T) {
	hook, _ := Webhook("https://portal.example/rest/1/canary/")
	app, _ := Application("https://portal.example", oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "canary"}), secret.New("canary"))
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, v := range []any{hook, app, &hook, Config{Credentials: app}, secret.New("canary"), []secret.Text{secret.New("canary")}} {
			if got := fmt.Sprintf(verb, v); strings.Contains(got, "canary") || strings.Contains(got, fmt.Sprintf("%x", "canary")) {
				t.Errorf("%s of %T prints %s", verb, v, got)
			}
		}
	}
}

// renewing is a Renewer that hands out token-1, token-2, ...
type renewing struct{ n, renewals int }

func (r *renewing) token() *oauth2.Token {
	return &oauth2.Token{AccessToken: fmt.Sprintf("token-%d", r.n)}
}
func (r *renewing) Token() (*oauth2.Token, error) { return r.token(), nil }
func (r *renewing) Renew(_ context.Context, rejected *oauth2.Token) (*oauth2.Token, error) {
	if rejected.AccessToken == r.token().AccessToken {
		r.n++
		r.renewals++
	}
	return r.token(), nil
}

// To send again is up to whoever paces the requests.
func TestExpiredTokenIsNotDelivered(t *testing.T) {
	for _, tt := range []struct {
		name string
		body string // of the answer to token-0
	}{
		{"of the request", `{"error":"expired_token"}`},
		{"of a command", `{"result":{"result":[],"result_error":{"c0":{"error":"expired_token"}}}}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			source := &renewing{}
			requests := 0
			creds := must(Application("https://portal.example", source, secret.New("k")))(t)
			c := New(Config{Credentials: creds, Transport: roundTrip(func(req *http.Request) (*http.Response, error) {
				requests++
				s := &scripted{status: 200, body: `{"result":{"result":{"c0":true}}}`}
				resp, err := s.RoundTrip(req)
				if strings.Contains(s.got, "token-0") {
					return (&scripted{status: 200, body: tt.body}).RoundTrip(req)
				}
				return resp, err
			})})
			attempt := func() error {
				resp, err := c.Write(context.Background(), []Write{UpdateSource(4, SourceFields{Title: "t"})})
				if err == nil {
					err = resp.Replies[0].Err
				}
				return err
			}
			var e *rest.Error
			if err := attempt(); !errors.As(err, &e) || e.Code != rest.ExpiredToken || e.Reaction() != rest.NotDelivered {
				t.Errorf("%v", err)
			}
			if source.renewals != 1 || requests != 1 {
				t.Errorf("%d renewals, %d requests", source.renewals, requests)
			}
			if err := attempt(); err != nil || source.renewals != 1 {
				t.Errorf("sent again: %v, %d renewals", err, source.renewals)
			}
		})
	}
}

// Where the token cannot be renewed, the commands that did run keep their
// replies.
func TestFailedRenewalSparesTheOtherReplies(t *testing.T) {
	tokens := &spent{}
	creds := must(Application("https://portal.example", tokens, secret.New("k")))(t)
	c := New(Config{Credentials: creds, Transport: &scripted{status: 200,
		body: `{"result":{"result":{"c0":true},"result_error":{"c1":{"error":"expired_token"},"c2":{"error":"expired_token"}}}}`}})
	resp, err := c.Write(context.Background(), []Write{
		UpdateSource(4, SourceFields{Title: "t"}), UpdateSource(5, SourceFields{Title: "t"}), UpdateSource(6, SourceFields{Title: "t"})})
	if err != nil || len(resp.Replies) != 3 || !resp.Replies[0].True() {
		t.Fatalf("%+v, %v", resp.Replies, err)
	}
	for _, r := range resp.Replies[1:] {
		if e, _ := r.Err.(*rest.Error); e == nil || e.Code != rest.NoToken || e.Reaction() != rest.Fatal {
			t.Errorf("%v", r.Err)
		}
	}
	if tokens.renewals != 1 {
		t.Errorf("%d renewals", tokens.renewals)
	}
}

// spent is a Renewer whose refresh token is worth nothing any more.
type spent struct{ renewals int }

func (*spent) Token() (*oauth2.Token, error) { return &oauth2.Token{AccessToken: "token-0"}, nil }
func (s *spent) Renew(context.Context, *oauth2.Token) (*oauth2.Token, error) {
	s.renewals++
	return nil, &rest.Error{Code: rest.NoToken, Message: "there is no refresh token", NotSent: true}
}
