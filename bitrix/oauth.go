package bitrix

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// DefaultAuthServer issues and renews the tokens of all portals in the cloud.
const DefaultAuthServer = "https://oauth.bitrix.info"

// authTimeout is the time limit of one request to the authorization server.
const authTimeout = 30 * time.Second

// AuthServer is the authorization server that issues an application's tokens.
type AuthServer struct {
	url       *url.URL
	clientID  string
	secret    Secret
	http      *http.Client
	userAgent string
}

// AuthConfig configures an AuthServer.
type AuthConfig struct {
	URL          string // empty means DefaultAuthServer; plain http only for loopback hosts
	ClientID     string // of the application, local.5a4d...
	ClientSecret Secret
	Transport    http.RoundTripper // nil means http.DefaultTransport
	UserAgent    string            // empty means "syncsources"
}

// NewAuthServer returns the server that conf describes. An error says what is
// wrong with its address.
func NewAuthServer(conf AuthConfig) (*AuthServer, error) {
	u, err := hostURL(theAuthServer, cmp.Or(conf.URL, DefaultAuthServer))
	if err != nil {
		return nil, err
	}
	u.Path = "/oauth/token/"
	return &AuthServer{
		url:       u,
		clientID:  conf.ClientID,
		secret:    conf.ClientSecret,
		userAgent: cmp.Or(conf.UserAgent, defaultUserAgent),
		// The address holds the secrets: it is never sent on elsewhere.
		http: &http.Client{Transport: conf.Transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}, nil
}

// AuthorizeURL is the address at which a user lets an application into the
// portal; the browser then goes to the application's handler path with a code.
func AuthorizeURL(portal, clientID, state string) string {
	return strings.TrimRight(portal, "/") + "/oauth/authorize/?" + url.Values{"client_id": {clientID}, "state": {state}}.Encode()
}

// Refresh spends a refresh token for a new pair. From then on the old one is
// worth nothing, so what it returns has to be stored before it is used. Errors
// are *Error, with the reaction Fatal where another attempt would not help.
func (s *AuthServer) Refresh(ctx context.Context, refresh Secret) (Pair, error) {
	return s.token(ctx, "refresh_token", refresh,
		"the refresh token has been used up, is older than 180 days, or the application was installed anew; get a new pair with: syncsources login")
}

// Exchange turns the code of an authorization, which lives for 30 s and is
// good once, into the first pair. Errors are as with Refresh.
func (s *AuthServer) Exchange(ctx context.Context, code Secret) (Pair, error) {
	return s.token(ctx, "code", code, "a code is good once and for 30 s; start again to get a new one")
}

// authHints are the next steps after the authorization server's refusals.
var authHints = map[Code]string{
	"invalid_request":    "check B24_CLIENT_ID, B24_CLIENT_SECRET and B24_OAUTH_URL",
	"invalid_client":     "check B24_CLIENT_ID and B24_CLIENT_SECRET against the application's settings in the portal",
	"insufficient_scope": hints["insufficient_scope"],
	"invalid_scope":      hints["insufficient_scope"],
	"PAYMENT_REQUIRED":   "the portal's subscription has ended or does not include REST; renew it, then run again",
	Network:              "check the network and B24_OAUTH_URL; nothing was changed on the portal",
	BadAnswer:            "check B24_OAUTH_URL; if it is right, try again later",
}

// token sends a grant. The portal documents the request as a GET with all of
// the secrets in its address, which therefore appears in no log and no error.
// spent is the advice where the grant is not taken.
func (s *AuthServer) token(ctx context.Context, kind string, grant Secret, spent string) (Pair, error) {
	grantType := kind
	if kind == "code" {
		grantType = "authorization_code"
	}
	secrets := scrub(nil, s.secret.Plain(), grant.Plain())
	u := *s.url
	u.RawQuery = url.Values{
		"grant_type": {grantType}, "client_id": {s.clientID}, "client_secret": {s.secret.Plain()}, kind: {grant.Plain()},
	}.Encode()
	status, content, err := s.get(ctx, u.String())
	var e *Error
	var p Pair
	if err != nil {
		e = lost(theAuthServer, status, err, secrets)
	} else {
		p, e = parseGrant(status, content, secrets)
	}
	if e == nil {
		return p, nil
	}
	e.Method = "oauth/token"
	if e.Message == "" {
		e.Message = theAuthServer + " gave no reason"
	}
	switch hint, ok := authHints[e.Code]; {
	case e.Code == "invalid_grant":
		e.Hint = spent
	case ok && e.Hint == "":
		e.Hint = hint
	}
	return Pair{}, e
}

func (s *AuthServer) get(ctx context.Context, address string) (status int, content []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, authTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, nil, &noConnection{errors.New("its address cannot be called")}
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", s.userAgent)
	req.Close = true // on a kept connection net/http would repeat a GET by itself, and a grant is good once
	return fetch(s.http, req, maxPair)
}

// parseGrant sorts the authorization server's answer: a pair, or an error.
func parseGrant(status int, content []byte, secrets scrubber) (Pair, *Error) {
	content = bytes.TrimPrefix(content, []byte("\xef\xbb\xbf"))
	var in struct {
		Error json.RawMessage `json:"error"`
		Text  errorText       `json:"error_description"`
	}
	if err := json.Unmarshal(content, &in); err != nil {
		return Pair{}, &Error{Code: BadAnswer, Message: describe(theAuthServer, status, content), Status: status}
	}
	if e := shapedError(in.Error, string(in.Text), secrets); e != nil {
		e.Status = status
		return Pair{}, e
	}
	p, err := parsePair(content, time.Now())
	if err != nil || p.AccessToken.Plain() == "" || p.RefreshToken.Plain() == "" || status != http.StatusOK {
		return Pair{}, &Error{Code: BadAnswer, Message: describe(theAuthServer, status, content), Status: status}
	}
	return p, nil
}
