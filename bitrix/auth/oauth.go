package auth

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

	"syncsources/bitrix/rest"
	"syncsources/bitrix/secret"
)

// DefaultAuthServer issues and renews the tokens of all portals in the cloud.
const DefaultAuthServer = "https://oauth.bitrix.info"

// theAuthServer is how messages name the server that is called.
const theAuthServer = "the authorization server"

// authTimeout is the time limit of one request to the authorization server.
const authTimeout = 30 * time.Second

// AuthServer is the authorization server that issues an application's tokens.
type AuthServer struct {
	url       *url.URL
	clientID  string
	secret    secret.Text
	http      *http.Client
	userAgent string
}

// AuthConfig configures an AuthServer.
type AuthConfig struct {
	URL          string // empty means DefaultAuthServer; plain http only for loopback hosts
	ClientID     string // of the application, local.5a4d...
	ClientSecret secret.Text
	Transport    http.RoundTripper // nil means http.DefaultTransport
	UserAgent    string            // empty means "syncsources"
}

// NewAuthServer returns the server that conf describes. An error says what is
// wrong with its address.
func NewAuthServer(conf AuthConfig) (*AuthServer, error) {
	u, err := rest.ParseHost(theAuthServer, cmp.Or(conf.URL, DefaultAuthServer))
	if err != nil {
		return nil, err
	}
	u.Path = "/oauth/token/"
	return &AuthServer{
		url:       u,
		clientID:  conf.ClientID,
		secret:    conf.ClientSecret,
		userAgent: cmp.Or(conf.UserAgent, rest.DefaultUserAgent),
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
// are *rest.Error, with the reaction rest.Fatal where another attempt would not help.
func (s *AuthServer) Refresh(ctx context.Context, refresh secret.Text) (Pair, error) {
	return s.token(ctx, "refresh_token", refresh)
}

// Exchange turns the code of an authorization, which lives for 30 s and is
// good once, into the first pair. Errors are as with Refresh.
func (s *AuthServer) Exchange(ctx context.Context, code secret.Text) (Pair, error) {
	p, err := s.token(ctx, "code", code)
	if e := (*rest.Error)(nil); errors.As(err, &e) && e.Code == "invalid_grant" {
		e.Hint = "a code works once, within 30 s; start again to get a new one"
	}
	return p, err
}

// token sends a grant. The portal documents the request as a GET with all of
// the secrets in its address, which therefore appears in no log and no error.
func (s *AuthServer) token(ctx context.Context, kind string, grant secret.Text) (Pair, error) {
	grantType := kind
	if kind == "code" {
		grantType = "authorization_code"
	}
	secrets := rest.Scrub(s.secret.Plain(), grant.Plain())
	u := *s.url
	u.RawQuery = url.Values{
		"grant_type": {grantType}, "client_id": {s.clientID}, "client_secret": {s.secret.Plain()}, kind: {grant.Plain()},
	}.Encode()
	status, content, err := s.get(ctx, u.String())
	var e *rest.Error
	var p Pair
	if err != nil {
		e = rest.Lost(theAuthServer, status, err, secrets)
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
	if e.Code == rest.Network || e.Code == rest.BadAnswer {
		e.Reason = ServerUnanswered
	}
	return Pair{}, e
}

func (s *AuthServer) get(ctx context.Context, address string) (status int, content []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, authTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, nil, rest.NoConnection(errors.New("its address cannot be called"))
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", s.userAgent)
	req.Close = true // on a kept connection net/http would repeat a GET by itself, and a grant is good once
	return rest.Fetch(s.http, req, maxPair)
}

// parseGrant sorts the authorization server's answer: a pair, or an error.
func parseGrant(status int, content []byte, secrets rest.Scrubber) (Pair, *rest.Error) {
	content = bytes.TrimPrefix(content, []byte("\xef\xbb\xbf"))
	var in struct {
		Error json.RawMessage `json:"error"`
		Text  rest.ErrorText  `json:"error_description"`
	}
	if err := json.Unmarshal(content, &in); err != nil {
		return Pair{}, &rest.Error{Code: rest.BadAnswer, Message: rest.Describe(theAuthServer, status, content), Status: status}
	}
	if e := rest.ShapedError(in.Error, string(in.Text), secrets); e != nil {
		e.Status = status
		return Pair{}, e
	}
	p, err := parsePair(content, time.Now())
	if err != nil || p.AccessToken.Plain() == "" || p.RefreshToken.Plain() == "" || status != http.StatusOK {
		return Pair{}, &rest.Error{Code: rest.BadAnswer, Message: rest.Describe(theAuthServer, status, content), Status: status}
	}
	return p, nil
}
