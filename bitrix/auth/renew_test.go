package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"syncsources/bitrix/rest"
	"syncsources/bitrix/secret"
)

// answering is an authorization server that answers with what f makes of the
// number of the request.
func answering(t *testing.T, n *int, f func(n int) string) *AuthServer {
	return authServer(t, roundTrip(func(req *http.Request) (*http.Response, error) {
		*n++
		return (&scripted{status: 200, body: f(*n)}).RoundTrip(req)
	}))
}

// A portal that calls every token expired gets no renewal within seconds of
// the one before, and not many at all.
func TestTokenThatIsExpiredForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, start, last := 0, time.Now(), time.Time{}
		s := answering(t, &n, func(n int) string {
			if since := time.Since(last); since < renewalGap {
				t.Errorf("renewed again after %v", since)
			}
			last = time.Now()
			return pairJSON(n)
		})
		source := tokenSource(t, s, tokenFile(t, writePair(t, "")), "")
		token, err := source.Token()
		for err == nil {
			token, err = source.Renew(context.Background(), token)
		}
		var e *rest.Error
		if !errors.As(err, &e) || e.Reaction() != rest.Fatal || e.Reason != NewTokenRejected || n != maxYoung || time.Since(start) > 2*renewalGap {
			t.Errorf("%v after %d renewals and %v", err, n, time.Since(start))
		}
	})
}

// Rejections of tokens that have had their time are nothing special, and end a
// row of those that have not.
func TestRejectionsFarApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		source := tokenSource(t, answering(t, &n, pairJSON), tokenFile(t, writePair(t, "")), "")
		token, err := source.Token()
		check(t, err)
		for range 10 {
			for range maxYoung - 1 {
				if token, err = source.Renew(context.Background(), token); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(renewalGap)
		}
	})
}

// A token that lives for less than the time between two renewals is renewed
// when its life is over.
func TestTokenOfTwoSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		s := answering(t, &n, func(n int) string {
			return fmt.Sprintf(`{"access_token":"access-%d","refresh_token":"refresh-%d","expires_in":2}`, n, n)
		})
		source := tokenSource(t, s, tokenFile(t, writePair(t, `,"expires":900000001`)), "")
		for range 10 {
			asked := time.Now()
			if _, err := source.Token(); err != nil || time.Since(asked) > 0 {
				t.Errorf("%v after %v", err, time.Since(asked))
			}
			time.Sleep(2 * time.Second)
		}
		if n != 10 {
			t.Errorf("%d renewals in 20 s", n)
		}
	})
}

// Who asks for a token whose expiry is unknown or already over when it is
// issued gets it, and the portal says.
func TestTokenBornExpired(t *testing.T) {
	for name, expiry := range map[string]string{"expired": `"expires":900000000`, "no life": `"expires_in":0,"expires":0`, "a second": `"expires_in":1`, "unknown": `"scope":""`} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := 0
				s := answering(t, &n, func(n int) string {
					return fmt.Sprintf(`{"access_token":"access-%d","refresh_token":"refresh-%d",%s}`, n, n, expiry)
				})
				path := writePair(t, `,"expires":900000001`)
				source := tokenSource(t, s, tokenFile(t, path), "")
				for range 100 {
					must(source.Token())(t)
					time.Sleep(5 * time.Millisecond)
				}
				if n != 1 {
					t.Errorf("%d renewals in half a second", n)
				}
			})
		})
	}
}

// An answer without a refresh token leaves the old one valid (RFC 6749,
// section 6), and what the old pair says about the portal as well.
func TestAnswerWithoutARefreshToken(t *testing.T) {
	var sent []string
	s := authServer(t, roundTrip(func(req *http.Request) (*http.Response, error) {
		sent = append(sent, req.URL.Query().Get("refresh_token"))
		return (&scripted{status: 200, body: fmt.Sprintf(`{"access_token":"access-%d"}`, len(sent))}).RoundTrip(req)
	}))
	path := writePair(t, `,"refresh_token":"kept","member_id":"m","server_endpoint":"https://oauth.bitrix24.tech/rest/"`)
	for range 2 {
		must(tokenSource(t, s, tokenFile(t, path), "").Renew(context.Background(), &oauth2.Token{AccessToken: mustLoad(t, path).AccessToken.Plain()}))(t)
	}
	p := mustLoad(t, path)
	if strings.Join(sent, " ") != "kept kept" || p.RefreshToken.Plain() != "kept" || p.Member != "m" || p.Server == "" {
		t.Errorf("sent %q; stored %s", sent, p.encode())
	}
}

func mustLoad(t *testing.T, path string) Pair {
	t.Helper()
	p := must(tokenFile(t, path).Load(context.Background()))(t)
	return p
}

// Portals renew at the server that their pair names, if it is one of
// Bitrix24's, else at that of their domain; never anywhere else.
func TestServerOfAPortal(t *testing.T) {
	for _, tt := range []struct{ portal, endpoint, want string }{
		{"https://acme.bitrix24.com", "", ServerWorld},
		{"https://acme.bitrix24.ru", "", ServerEast},
		{"https://ACME.BITRIX24.KZ.", "", ServerEast},
		{"https://acme.bitrix24.by:443/", "", ServerEast},
		{"https://xn--80awhdgmm.xn--p1ai", "", ServerEast},
		{"https://bx.example.ge", "", ServerEast},
		{"https://ru.example.com", "", ServerWorld},
		{"https://acme.bitrix24.ru", "https://oauth.bitrix.info/rest/", ServerWorld},
		{"https://acme.bitrix24.com", "http://OAUTH.bitrix24.tech/rest/", ServerEast},
		{"https://acme.bitrix24.com", "https://oauth.bitrix24.tech.evil.example/rest/", ServerWorld},
		{"https://acme.bitrix24.ru", "https://evil.example/oauth.bitrix.info", ServerEast},
		{"https://acme.bitrix24.ru", "%zz", ServerEast},
	} {
		var got string
		s, err := NewAuthServer(AuthConfig{ClientID: "local.1", Transport: roundTrip(func(req *http.Request) (*http.Response, error) {
			got = req.URL.Scheme + "://" + req.URL.Host
			return (&scripted{status: 400, body: `{"error":"invalid_grant"}`}).RoundTrip(req)
		})})
		check(t, err)
		_, err = s.Refresh(context.Background(), tt.portal, Pair{RefreshToken: secret.New("r"), Server: tt.endpoint})
		if got != tt.want || !strings.Contains(err.Error(), strings.TrimPrefix(tt.want, "https://")) {
			t.Errorf("%s with %q: asked %s (%v), want %s", tt.portal, tt.endpoint, got, err, tt.want)
		}
	}
	fixed := authServer(t, nil)
	if got := fixed.Address("https://acme.bitrix24.ru", Pair{Server: ServerWorld}); got != "https://oauth.example" {
		t.Errorf("a server that was set: %s", got)
	}
}

// A portal that was renamed keeps its member_id, so that its pair is renewed
// for the new address. That of another portal is not.
func TestRenamedPortal(t *testing.T) {
	for name, tt := range map[string]struct {
		stored, answer string // client_endpoint and member_id
		requests       int
		fails          bool
	}{
		"renamed":             {`,"client_endpoint":"https://old.example/rest/","member_id":"m"`, `"client_endpoint":"https://portal.example/rest/","member_id":"m"`, 1, false},
		"another portal":      {`,"client_endpoint":"https://old.example/rest/","member_id":"m"`, `"client_endpoint":"https://old.example/rest/","member_id":"m"`, 1, true},
		"another member":      {`,"client_endpoint":"https://old.example/rest/","member_id":"m"`, `"client_endpoint":"https://portal.example/rest/","member_id":"other"`, 1, true},
		"member is not known": {`,"client_endpoint":"https://old.example/rest/"`, `"client_endpoint":"https://portal.example/rest/","member_id":"m"`, 0, true},
		"another form of it":  {`,"client_endpoint":"http://PORTAL.example:80/rest/"`, ``, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			n := 0
			s := answering(t, &n, func(n int) string {
				return `{"access_token":"access-1","refresh_token":"refresh-1","expires_in":3600,` + tt.answer + `}`
			})
			path := writePair(t, tt.stored)
			source := tokenSource(t, s, tokenFile(t, path), "")
			token, err := source.Token()
			var e *rest.Error
			if (err != nil) != tt.fails || n != tt.requests || err != nil && (!errors.As(err, &e) || e.Reason != OtherPortal || !strings.Contains(e.Message, "portal.example")) {
				t.Errorf("%v after %d requests", err, n)
			}
			if err == nil && n > 0 && token.AccessToken != "access-1" {
				t.Errorf("got %s", token.AccessToken)
			}
			if n > 0 && mustLoad(t, path).RefreshToken.Plain() != "refresh-1" {
				t.Error("the new pair is not stored, and the old one is no longer valid")
			}
		})
	}
}

// A run that was killed in the middle of a renewal is named when its pair
// turns out to be spent.
func TestCutOffRenewalOfAFileIsNamed(t *testing.T) {
	path := writePair(t, "")
	locked := must(tokenFile(t, path).Lock(context.Background()))(t)
	check(t, locked.Prepare(context.Background(), mustLoad(t, path)))
	locked.Unlock() // and nothing else: it was killed
	s := authServer(t, &scripted{status: 400, body: `{"error":"invalid_grant"}`})
	_, err := tokenSource(t, s, tokenFile(t, path), "").Renew(context.Background(), &oauth2.Token{AccessToken: mustLoad(t, path).AccessToken.Plain()})
	if err == nil || !strings.Contains(err.Error(), "a run began to renew it at ") || !strings.Contains(err.Error(), "was cut off") {
		t.Errorf("%v", err)
	}
	if names := dir(t, path); names != "token.json token.json.lock" {
		t.Errorf("the directory holds %s", names)
	}
}

func TestByteOrderMark(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token.json")
	check(t, os.WriteFile(path, []byte("\xef\xbb\xbf"+pairJSON(1)), 0o600))
	if p := mustLoad(t, path); p.AccessToken.Plain() != "access-1" || strings.HasPrefix(string(p.encode()), "\xef") {
		t.Errorf("%s", p.encode())
	}
}

// A pair that another run has stored is used only as long as it is fresh;
// otherwise it is the one to renew.
func TestAnotherRunsExpiredPair(t *testing.T) {
	var sent []string
	s := authServer(t, roundTrip(func(req *http.Request) (*http.Response, error) {
		sent = append(sent, req.URL.Query().Get("refresh_token"))
		return (&scripted{status: 200, body: pairJSON(9)}).RoundTrip(req)
	}))
	path := writePair(t, "")
	source := tokenSource(t, s, tokenFile(t, path), "")
	old := must(source.Token())(t)
	check(t, os.WriteFile(path, []byte(`{"access_token":"theirs","refresh_token":"theirs-r","expires":1700000000}`), 0o600))
	token, err := source.Renew(context.Background(), old)
	if err != nil || token.AccessToken != "access-9" || strings.Join(sent, " ") != "theirs-r" {
		t.Errorf("%v, %v, spent %q", token, err, sent)
	}
}
