package sandbox

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// authorize opens the address that lets the application in.
func authorize(t *testing.T, p *Portal, params ...string) reply {
	t.Helper()
	q := url.Values{}
	for i := 0; i < len(params); i += 2 {
		q.Set(params[i], params[i+1])
	}
	r, _ := http.NewRequest("GET", origin+"/oauth/authorize/?"+q.Encode(), nil)
	out := must(do(p, r))(t)
	return out
}

// token exchanges a grant.
func token(t *testing.T, p *Portal, params ...string) reply {
	t.Helper()
	q := url.Values{"client_id": {ClientID}, "client_secret": {ClientSecret}}
	for i := 0; i < len(params); i += 2 {
		q.Set(params[i], params[i+1])
	}
	r, _ := http.NewRequest("POST", origin+"/oauth/token", strings.NewReader(q.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	out := must(do(p, r))(t)
	return out
}

func renew(t *testing.T, p *Portal, refresh string) reply {
	t.Helper()
	return token(t, p, "grant_type", "refresh_token", "refresh_token", refresh)
}

// whoami says how the portal takes an access token.
func whoami(t *testing.T, p *Portal, access string) reply {
	t.Helper()
	r, _ := http.NewRequest("POST", origin+"/rest/profile", strings.NewReader(`{"auth":"`+access+`"}`))
	r.Header.Set("Content-Type", "application/json")
	out := must(do(p, r))(t)
	return out
}

func TestRenewalReplacesTheRefreshToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPortal(t, ``)
		r := renew(t, p, RefreshToken)
		access, _ := r.at("access_token").(string)
		refresh, _ := r.at("refresh_token").(string)
		if r.status != 200 || access == "" || refresh == "" || refresh == RefreshToken {
			t.Fatalf("%d %s", r.status, r.body)
		}
		for key, want := range map[string]any{
			"expires_in": 3600.0, "expires": float64(time.Now().Unix() + 3600), "client_endpoint": origin + "/rest/",
			"server_endpoint": origin + "/rest/", "domain": "portal.example", "scope": "biconnector,user_brief",
			"status": "L", "user_id": 1.0, "member_id": memberID,
		} {
			if r.at(key) != want {
				t.Errorf("%s is %v, want %v", key, r.at(key), want)
			}
		}
		if r := renew(t, p, RefreshToken); r.status != 400 || r.at("error") != "invalid_grant" {
			t.Errorf("the old refresh token: %d %s", r.status, r.body)
		}
		if r := whoami(t, p, access); r.status != 200 {
			t.Errorf("the new access token: %d %s", r.status, r.body)
		}

		time.Sleep(time.Hour - time.Nanosecond)
		if r := whoami(t, p, access); r.status != 200 {
			t.Errorf("just before its end: %d %s", r.status, r.body)
		}
		time.Sleep(time.Nanosecond)
		if r := whoami(t, p, access); r.status != 401 || r.at("error") != "expired_token" {
			t.Errorf("after an hour: %d %s", r.status, r.body)
		}
		if r := whoami(t, p, AccessToken); r.status != 200 {
			t.Errorf("the first token has no end unless the state gives one: %d %s", r.status, r.body)
		}
		const days = 24 * time.Hour
		time.Sleep(180*days - time.Hour - time.Nanosecond)
		r = renew(t, p, refresh)
		if refresh, _ = r.at("refresh_token").(string); r.status != 200 {
			t.Errorf("a refresh token just before 180 days: %s", r.body)
		}
		time.Sleep(180 * days)
		renew(t, p, refresh).want(t, "invalid_grant", "error") // a refresh token after 180 days
		if s := p.Stats(); s.Renewals != 2 || s.Tokens != 4 || s.Expired != 1 {
			t.Errorf("stats %+v", s)
		}
	})
}

func TestTokenLifetimeCountsFromTheFirstUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPortal(t, `token_lifetime: 10m`)
		time.Sleep(time.Hour)
		if r := whoami(t, p, AccessToken); r.status != 200 {
			t.Errorf("first use: %s", r.body)
		}
		time.Sleep(10 * time.Minute)
		whoami(t, p, AccessToken).want(t, "expired_token", "error") // ten minutes later
		renew(t, p, RefreshToken).want(t, 600.0, "expires_in")
	})
}

func TestExpireTokens(t *testing.T) {
	p := newPortal(t, ``)
	p.ExpireTokens()
	if r := whoami(t, p, AccessToken); r.at("error") != "expired_token" || r.at("error_description") != "The access token provided has expired." {
		t.Errorf("%s", r.body)
	}
	if r := renew(t, p, RefreshToken); r.status != 200 {
		t.Errorf("the refresh token: %s", r.body)
	}
}

// The browser is sent to loopback with a code that is good once, for 30 s.
func TestAuthorize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPortal(t, "redirect: http://127.0.0.1:9000/?a=b\naddress: https://acme.example\n")
		code := func(params ...string) (string, url.Values) {
			r := authorize(t, p, append(params, "client_id", ClientID, "state", "s 1")...)
			to, err := url.Parse(r.header.Get("Location"))
			if r.status != 302 || err != nil {
				t.Fatalf("%d to %v", r.status, to)
			}
			q := to.Query()
			return q.Get("code"), q
		}
		c, q := code()
		if q.Get("a") != "b" || q.Get("state") != "s 1" || q.Get("domain") != "acme.example" || q.Get("member_id") != memberID {
			t.Errorf("query %v", q)
		}
		time.Sleep(30*time.Second - 1)
		token(t, p, "grant_type", "authorization_code", "code", c).want(t, "https://acme.example/rest/", "client_endpoint")
		token(t, p, "grant_type", "authorization_code", "code", c).want(t, "invalid_grant", "error") // the second exchange
		c, _ = code("redirect_uri", "http://localhost:1/")
		time.Sleep(30 * time.Second)
		token(t, p, "grant_type", "authorization_code", "code", c).want(t, "invalid_grant", "error") // after 30 s
		if p.Stats().Renewals != 0 {
			t.Error("an exchange counts as a renewal")
		}
	})
}

func TestAuthorizeWithoutAnAddressShowsTheCode(t *testing.T) {
	p := newPortal(t, ``)
	r := authorize(t, p, "client_id", ClientID)
	if r.status != 200 || !strings.Contains(r.body, "<code>sandbox-code-") {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := authorize(t, p, "client_id", ClientID, "redirect_uri", "https://elsewhere.example/"); r.status != 400 {
		t.Errorf("redirected off the machine: %d %s", r.status, r.body)
	}
}

func TestAuthorizationServerErrors(t *testing.T) {
	p := newPortal(t, "faults: [{kind: error, method: oauth/token, nth: [10], status: 402, code: PAYMENT_REQUIRED, description: Subscription has ended}]")
	for _, c := range []struct {
		params []string
		status int
		code   string
	}{
		{[]string{}, 400, "invalid_request"},
		{[]string{"grant_type", "password"}, 400, "invalid_request"},
		{[]string{"grant_type", "refresh_token"}, 400, "invalid_request"},
		{[]string{"grant_type", "authorization_code"}, 400, "invalid_request"},
		{[]string{"grant_type", "refresh_token", "refresh_token", RefreshToken, "client_id", "local.1"}, 401, "invalid_client"},
		{[]string{"grant_type", "refresh_token", "refresh_token", RefreshToken, "client_secret", "no"}, 401, "invalid_client"},
		{[]string{"grant_type", "refresh_token", "refresh_token", "no"}, 400, "invalid_grant"},
		{[]string{"grant_type", "refresh_token", "refresh_token", RefreshToken, "scope", "biconnector,crm"}, 403, "insufficient_scope"},
		{[]string{"grant_type", "refresh_token", "refresh_token", RefreshToken, "scope", "nosuch"}, 400, "invalid_scope"},
		{[]string{"grant_type", "refresh_token", "refresh_token", RefreshToken}, 402, "PAYMENT_REQUIRED"},
	} {
		if r := token(t, p, c.params...); r.status != c.status || r.at("error") != c.code || r.at("error_description") == nil {
			t.Errorf("%v: %d %s, want %d %s", c.params, r.status, r.body, c.status, c.code)
		}
	}
	authorize(t, p, "client_id", "local.1").want(t, "invalid_client", "error") // authorize for a stranger
	if r := renew(t, p, RefreshToken); r.status != 200 {
		t.Errorf("refused requests cost the refresh token: %s", r.body)
	}
}
