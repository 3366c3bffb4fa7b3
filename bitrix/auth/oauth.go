package auth

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"syncsources/bitrix/rest"
	"syncsources/bitrix/secret"
)

// theAuthServer is how messages name the server that is called.
const theAuthServer = "the authorization server"

// authTimeout is the time limit of one request to the authorization server.
const authTimeout = 30 * time.Second

// AuthServer is the authorization server that issues an application's tokens,
// whichever it is of those that Bitrix24 has.
type AuthServer struct {
	fixed     *url.URL // nil: ServerFor decides
	clientID  string
	secret    secret.Text
	http      *http.Client
	userAgent string
}

// AuthConfig configures an AuthServer.
type AuthConfig struct {
	URL          string // empty means that ServerFor decides; plain http only for loopback hosts
	ClientID     string // of the application, local.5a4d...
	ClientSecret secret.Text
	Transport    http.RoundTripper // nil means rest.NewTransport
	UserAgent    string            // empty means "syncsources"
}

// NewAuthServer returns the server that conf describes. An error says what is
// wrong with its address.
func NewAuthServer(conf AuthConfig) (*AuthServer, error) {
	var fixed *url.URL
	if conf.URL != "" {
		var err error
		if fixed, err = rest.ParseHost(theAuthServer, conf.URL); err != nil {
			return nil, err
		}
	}
	if conf.Transport == nil {
		conf.Transport = rest.NewTransport()
	}
	return &AuthServer{
		fixed:     fixed,
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

// Address is the address of the server that a portal's pair is renewed at,
// without a path.
func (s *AuthServer) Address(portal string, p Pair) string {
	if s.fixed != nil {
		return s.fixed.String()
	}
	return ServerFor(portal, p)
}

// Refresh spends the refresh token of a pair for a new pair. From then on the
// old one is worth nothing, so what it returns must be stored before it is
// used. Errors are *rest.Error, with the reaction rest.Fatal where another
// attempt would not help.
func (s *AuthServer) Refresh(ctx context.Context, portal string, old Pair) (Pair, error) {
	p, err := s.token(ctx, s.Address(portal, old), "refresh_token", old.RefreshToken)
	if err == nil {
		p.keep(old)
	}
	return p, err
}

// Exchange turns the code of an authorization at a portal, which works once,
// within 30 s, into the first pair. Errors are as with Refresh.
func (s *AuthServer) Exchange(ctx context.Context, portal string, code secret.Text) (Pair, error) {
	p, err := s.token(ctx, s.Address(portal, Pair{}), "code", code)
	if e := (*rest.Error)(nil); errors.As(err, &e) && e.Code == "invalid_grant" {
		e.Hint = "a code works once, within 30 s; start again to get a new one"
	}
	return p, err
}

// token sends a grant to a server. The portal documents the request as a GET
// with all of the secrets in its address, which therefore appears in no log and
// no error.
func (s *AuthServer) token(ctx context.Context, address, kind string, grant secret.Text) (Pair, error) {
	grantType := kind
	if kind == "code" {
		grantType = "authorization_code"
	}
	secrets := rest.Scrub(s.secret.Plain(), grant.Plain())
	query := url.Values{
		"grant_type": {grantType}, "client_id": {s.clientID}, "client_secret": {s.secret.Plain()}, kind: {grant.Plain()},
	}
	_, host, _ := strings.Cut(address, "://")
	server := theAuthServer + " " + host
	status, content, err := s.get(ctx, address+"/oauth/token/?"+query.Encode())
	var e *rest.Error
	var p Pair
	if err != nil {
		e = rest.Lost(server, status, err, secrets)
	} else {
		p, e = parseGrant(server, status, content, secrets)
	}
	if e == nil {
		return p, nil
	}
	e.Method = "oauth/token"
	e.Message = cmp.Or(e.Message, server+" gave no reason")
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
func parseGrant(server string, status int, content []byte, secrets rest.Scrubber) (Pair, *rest.Error) {
	content = bytes.TrimPrefix(content, []byte(byteOrderMark))
	var in struct {
		Error json.RawMessage `json:"error"`
		Text  json.RawMessage `json:"error_description"`
	}
	if err := json.Unmarshal(content, &in); err != nil {
		return Pair{}, &rest.Error{Code: rest.BadAnswer, Message: rest.Describe(server, status, content, secrets), Status: status}
	}
	if e := rest.ShapedError(in.Error, in.Text, secrets); e != nil {
		e.Status = status
		return Pair{}, e
	}
	p, err := parsePair(content, time.Now())
	if err != nil || p.AccessToken.Plain() == "" || status != http.StatusOK {
		return Pair{}, &rest.Error{Code: rest.BadAnswer, Message: rest.Describe(server, status, content, secrets), Status: status}
	}
	return p, nil
}

// The authorization servers of Bitrix24. Firewalls in Russia let only the
// second one through.
const (
	ServerWorld = "https://oauth.bitrix.info"
	ServerEast  = "https://oauth.bitrix24.tech"
)

// eastern are the top-level domains whose portals use ServerEast, as the
// documentation lists them; .рф is Russia's as well.
var eastern = []string{"ru", "xn--p1ai", "рф", "by", "kz", "kg", "uz", "am", "az", "ge"}

// ServerFor returns the authorization server of a portal: the one that its
// pair names, if that is one of Bitrix24's, else the one of its domain. A pair
// cannot send the application's secret anywhere else.
func ServerFor(portal string, p Pair) string {
	if u, err := url.Parse(p.Server); err == nil {
		for _, known := range []string{ServerWorld, ServerEast} {
			if strings.EqualFold(u.Hostname(), strings.TrimPrefix(known, "https://")) {
				return known
			}
		}
	}
	u, err := url.Parse(strings.TrimSpace(portal))
	if err != nil {
		return ServerWorld
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if slices.Contains(eastern, host[strings.LastIndex(host, ".")+1:]) {
		return ServerEast
	}
	return ServerWorld
}
