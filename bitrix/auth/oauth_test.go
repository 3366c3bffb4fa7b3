package auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"syncsources/bitrix/rest"
	"syncsources/bitrix/sandbox"
	"syncsources/bitrix/secret"
)

// authServer returns a server with canaries for all that is secret.
func authServer(t testing.TB, tr http.RoundTripper) *AuthServer {
	t.Helper()
	s := must(NewAuthServer(AuthConfig{URL: "https://oauth.example", ClientID: "local.1", ClientSecret: secret.New("canary-secret/1"), Transport: tr}))(t)
	return s
}

// pairJSON is an answer of the authorization server.
func pairJSON(n int) string {
	return fmt.Sprintf(`{"access_token":"access-%d","refresh_token":"refresh-%d","expires":4000000000,"expires_in":3600,"client_endpoint":"https://portal.example/rest/",`+
		`"server_endpoint":"https://oauth.example/rest/","domain":"portal.example","member_id":"m","scope":"biconnector,user_brief","status":"L","user_id":1}`, n, n)
}

func TestRequestsToTheAuthorizationServer(t *testing.T) {
	var got *http.Request
	s := authServer(t, roundTrip(func(req *http.Request) (*http.Response, error) {
		got = req
		return (&scripted{status: 200, body: pairJSON(1)}).RoundTrip(req)
	}))
	for name, tt := range map[string]struct {
		call func(context.Context) (Pair, error)
		want url.Values
	}{
		"renewal":  {func(ctx context.Context) (Pair, error) { return s.Refresh(ctx, "", seedPair(secret.New("gr&nt"))) }, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"gr&nt"}}},
		"exchange": {func(ctx context.Context) (Pair, error) { return s.Exchange(ctx, "", secret.New("gr&nt")) }, url.Values{"grant_type": {"authorization_code"}, "code": {"gr&nt"}}},
	} {
		var p Pair
		synctest.Test(t, func(t *testing.T) {
			var err error
			if p, err = tt.call(context.Background()); err != nil {
				t.Fatal(err)
			}
			// The server's clock says another year; ours counts.
			if left := time.Until(p.Expires); left != time.Hour {
				t.Errorf("%s: expires in %v", name, left)
			}
		})
		tt.want.Set("client_id", "local.1")
		tt.want.Set("client_secret", "canary-secret/1")
		if got.Method != "GET" || got.URL.Host != "oauth.example" || got.URL.Path != "/oauth/token/" || got.URL.RawQuery != tt.want.Encode() {
			t.Errorf("%s: %s %s", name, got.Method, got.URL)
		}
		if p.AccessToken.Plain() != "access-1" || p.RefreshToken.Plain() != "refresh-1" || p.Lifetime != time.Hour {
			t.Errorf("%s: %+v", name, p)
		}
	}
	if got, want := AuthorizeURL("https://portal.example/", "local.1", "s&t"), "https://portal.example/oauth/authorize/?client_id=local.1&state=s%26t"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestRefusalsOfTheAuthorizationServer(t *testing.T) {
	for _, tt := range []struct {
		status   int
		body     string
		code     rest.Code
		reason   rest.Code
		reaction rest.Reaction
	}{
		{403, `{"error":"user_access_error","error_description":"the portal says no"}`, "user_access_error", "", rest.Fatal},
		{400, `{"error":"invalid_grant","error_description":"Wrong refresh canary-grant of canary-secret%2F1"}`, "invalid_grant", "", rest.Fatal},
		{400, `{"error":"invalid_request"}`, "invalid_request", "", rest.Fatal},
		{401, `{"error":"invalid_client","error_description":"canary-secret/1 is wrong"}`, "invalid_client", "", rest.Fatal},
		{403, `{"error":"insufficient_scope"}`, "insufficient_scope", "", rest.Fatal},
		{400, `{"error":"invalid_scope"}`, "invalid_scope", "", rest.Fatal},
		{402, `{"error":"PAYMENT_REQUIRED"}`, "PAYMENT_REQUIRED", "", rest.Fatal},
		{200, `{"error":"invalid_client"}`, "invalid_client", "", rest.Fatal},
		{500, `{"error":"INTERNAL_SERVER_ERROR"}`, "INTERNAL_SERVER_ERROR", "", rest.Unknown},
		{502, "<html>canary-grant", rest.BadAnswer, ServerUnanswered, rest.Unknown},
		{404, "<html>", rest.BadAnswer, ServerUnanswered, rest.Filtered},
		{302, "", rest.BadAnswer, ServerUnanswered, rest.Fatal},
		{200, "", rest.BadAnswer, ServerUnanswered, rest.Unknown},
		{200, `{}`, rest.BadAnswer, ServerUnanswered, rest.Unknown},
		{200, `{"access_token":["a"],"refresh_token":{}}`, rest.BadAnswer, ServerUnanswered, rest.Unknown},
		{200, strings.Repeat(" ", maxPair+1), rest.BadAnswer, ServerUnanswered, rest.Unknown},
	} {
		s := authServer(t, roundTrip(func(req *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: tt.status, Header: http.Header{"Location": {"https://elsewhere.example/canary-grant"}}, Body: io.NopCloser(strings.NewReader(tt.body)), Request: req}, nil
		}))
		_, err := s.Refresh(context.Background(), "", seedPair(secret.New("canary-grant")))
		var e *rest.Error
		if !errors.As(err, &e) || e.Code != tt.code || e.Reason != tt.reason || e.Message == "" || e.Reaction() != tt.reaction {
			t.Errorf("%d %.40s: %v, reason %q, reaction %d", tt.status, tt.body, err, e.Reason, e.Reaction())
		}
		if all := fmt.Sprintf("%v %+v %#v %s", e, e, e, e.Hint); strings.Contains(all, "canary") || strings.Contains(all, "the portal answer") {
			t.Errorf("%s", all)
		}
		if strings.Contains(tt.body, "the portal") != strings.Contains(e.Message, "the portal") {
			t.Errorf("the server's own words %s became %q", tt.body, e.Message)
		}
	}
}

func TestUnreachableAuthorizationServer(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	address := srv.URL
	srv.Close()
	s := must(NewAuthServer(AuthConfig{URL: address, ClientID: "local.1", ClientSecret: secret.New("canary-secret")}))(t)
	_, err := s.Exchange(context.Background(), "", secret.New("canary-code"))
	var e *rest.Error
	if !errors.As(err, &e) || e.Code != rest.Network || e.Reaction() != rest.NotDelivered || !strings.Contains(e.Message, " cannot be reached") ||
		strings.Contains(fmt.Sprintf("%v %#v", e, e.Err), "canary") {
		t.Errorf("%v", err)
	}
}

// A request whose answer is lost may have spent its grant. It is not sent
// again unseen, as a transport does with a GET on a connection it has kept.
func TestGrantIsNotSentAgainUnseen(t *testing.T) {
	p, _ := sandboxServer(t, "faults: [{kind: dropped, ran: true, method: oauth/token, nth: [2]}]")
	srv := httptest.NewServer(p)
	defer srv.Close()
	s := must(NewAuthServer(AuthConfig{URL: srv.URL, ClientID: sandbox.ClientID, ClientSecret: secret.New(sandbox.ClientSecret)}))(t)
	pair := must(s.Refresh(context.Background(), "", seedPair(secret.New(sandbox.RefreshToken))))(t)
	_, err := s.Refresh(context.Background(), "", pair)
	if n := p.Stats().Tokens; !errors.Is(err, rest.Network) || n != 2 {
		t.Errorf("%v after %d requests", err, n)
	}
}

func TestAddressOfTheAuthorizationServer(t *testing.T) {
	for in, ok := range map[string]bool{
		"": true, "https://oauth.example": true, "https://oauth.example/": true, "http://127.0.0.1:8924": true,
		"http://oauth.example": false, "https://oauth.example/oauth/token/?client_secret=canary": false, "oauth.example": false, "https://u:canary@oauth.example": false,
	} {
		_, err := NewAuthServer(AuthConfig{URL: in})
		if (err == nil) != ok || err != nil && strings.Contains(err.Error(), "canary") {
			t.Errorf("%q: %v", in, err)
		}
	}
}

func TestParsePair(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	for _, tt := range []struct {
		name, in string
		received time.Time
		expires  int64 // 0: unknown
		lifetime time.Duration
	}{
		{"answer", `{"access_token":"a","refresh_token":"r","expires":1700000000,"expires_in":3600}`, now, 1_800_003_600, time.Hour},
		{"answer with texts", `{"access_token":"a","refresh_token":"r","expires_in":"3600"}`, now, 1_800_003_600, time.Hour},
		{"answer with the lifetime as expires", `{"access_token":"a","refresh_token":"r","expires":3600}`, now, 1_800_003_600, time.Hour},
		{"answer with an absolute expiry alone", `{"access_token":"a","refresh_token":"r","expires":1800001000}`, now, 1_800_001_000, 0},
		{"answer without expiry", `{"access_token":"a","refresh_token":"r"}`, now, 0, 0},
		{"answer that was born expired", `{"access_token":"a","refresh_token":"r","expires":900000000}`, now, 0, 0},
		{"with what helpers add", `{"access_token":"a","refresh_token":"r","version":7,"replaces":6}`, now, 0, 0},
		{"stored", `{"access_token":"a","refresh_token":"r","expires":1800000500,"expires_in":3600}`, time.Time{}, 1_800_000_500, time.Hour},
		{"stored by hand", `{"access_token":"a","refresh_token":"r","expires_in":3600}`, time.Time{}, 0, time.Hour},
		{"odd figures", `{"access_token":"a","refresh_token":"r","expires":-1,"expires_in":[]}`, now, 0, 0},
	} {
		p, err := parsePair([]byte(tt.in), tt.received)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if got := p.Expires; (tt.expires == 0) != got.IsZero() || tt.expires != 0 && got.Unix() != tt.expires || p.Lifetime != tt.lifetime {
			t.Errorf("%s: expires %v, lifetime %v", tt.name, got.Unix(), p.Lifetime)
		}
		again, err := parsePair(p.encode(), time.Time{})
		if err != nil || again.AccessToken != p.AccessToken || again.RefreshToken != p.RefreshToken || tt.received == now && !again.Expires.Equal(p.Expires) {
			t.Errorf("%s: stored and read back: %v, %v", tt.name, again.Expires, err)
		}
		if stored := string(p.encode()); strings.Contains(stored, "version") || strings.Contains(stored, "replaces") {
			t.Errorf("%s: stored is %s", tt.name, stored)
		}
	}
	for _, in := range []string{``, `x`, `[]`, `null`, `{}`, `{"access_token":""}`, `{"access_token":"canary"} canary`, `{"access_token":"canary"`} {
		if _, err := parsePair([]byte(in), now); !errors.Is(err, errBroken) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", in, err)
		}
	}
}

func TestPairIsFreshAndBelongs(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	in := func(d, lifetime time.Duration) Pair {
		return Pair{AccessToken: secret.New("a"), Expires: now.Add(d), Lifetime: lifetime}
	}
	for _, tt := range []struct {
		p    Pair
		want bool
	}{
		{in(2*time.Minute, time.Hour), true}, {in(59*time.Second, time.Hour), false}, {in(-time.Second, 0), false},
		{in(10*time.Second, 30*time.Second), true}, {in(2*time.Second, 30*time.Second), false},
		{Pair{AccessToken: secret.New("a")}, true}, {Pair{RefreshToken: secret.New("r")}, false}, {Pair{}, false},
	} {
		if got := tt.p.fresh(now); got != tt.want {
			t.Errorf("expires %v of %v: fresh %v", tt.p.Expires.Sub(now), tt.p.Lifetime, got)
		}
	}
	for endpoint, ok := range map[string]bool{
		"https://portal.example/rest/": true, "https://PORTAL.example:443/rest/": true, "": true,
		"http://portal.example/rest/": true, "http://portal.example:80/rest/": true, "https://portal.example./rest/": true,
		"https://other.example/rest/": false, "https://portal.example:8443/rest/": false, "%zz": false, "portal.example": false,
	} {
		if got := (Pair{Endpoint: endpoint}).BelongsTo("https://portal.example"); got != ok {
			t.Errorf("%q: %v", endpoint, got)
		}
	}
	if got := fmt.Sprintf("%v %+v %#v %s", in(0, 0), []Pair{seedPair(secret.New("canary"))}, seedPair(secret.New("canary")), ptr(seedPair(secret.New("canary")))); strings.Contains(got, "canary") {
		t.Error(got)
	}
}
