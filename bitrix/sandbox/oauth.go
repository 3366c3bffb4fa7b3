package sandbox

import (
	"cmp"
	"fmt"
	"html"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"syncsources/bitrix/sandbox/php"
)

// Lifetimes of what the authorization server issues.
const (
	codeLifetime    = 30 * time.Second
	accessLifetime  = time.Hour // unless the state says otherwise
	refreshLifetime = 180 * 24 * time.Hour
)

// memberID identifies the portal, whatever its address.
const memberID = "a223c6b3710f85df22e9377d6c4f7553"

// scopes are scopes that the REST API knows, so that a wrong one can be recognized
// from one that the application lacks.
var scopes = []string{
	"basic", "biconnector", "bizproc", "calendar", "catalog", "crm", "department", "disk", "entity", "im", "imbot",
	"landing", "lists", "log", "mailservice", "placement", "sale", "task", "tasks", "telephony", "user", "user_basic",
	"user_brief", "user.userfield", "userconsent",
}

// authorize answers the address that a user opens to authorize the application.
// The real portal asks the user to log in, and then sends the browser to the
// address that the application is registered with; the sandbox sends it there
// at once. That address is the parameter redirect_uri, or the state's
// Redirect, and must be on loopback. Without any the code is shown on a page.
func (r *run) authorize(req request) answer {
	clientID, _ := req.params.Get("client_id")
	p := r.p
	if clientID != ClientID {
		return p.tokenError(http.StatusUnauthorized, "invalid_client", "Application not found")
	}
	p.mu.Lock()
	p.tokens.issued++
	code := fmt.Sprintf("sandbox-code-%d", p.tokens.issued)
	p.tokens.codes[code] = time.Now().Add(codeLifetime)
	p.mu.Unlock()

	to, _ := req.params.Get("redirect_uri")
	target, _ := to.(string)
	target = cmp.Or(target, p.cfg.Redirect)
	if target == "" {
		return answer{status: http.StatusOK, contentType: "text/html; charset=utf-8", body: fmt.Appendf(nil,
			"<!DOCTYPE html>\n<title>Sandbox</title>\n<p>The code, good for %v: <code>%s</code></p>\n", codeLifetime, html.EscapeString(code))}
	}
	u, err := url.Parse(target)
	if err != nil || !loopback(u) {
		return p.tokenError(http.StatusBadRequest, "invalid_request", "The sandbox redirects to loopback addresses only")
	}
	q := u.Query()
	q.Set("code", code)
	if state, _ := req.params.Get("state"); state != nil {
		q.Set("state", req.params.Text("state"))
	}
	q.Set("domain", r.address().Host)
	q.Set("member_id", cmp.Or(p.cfg.MemberID, memberID))
	q.Set("scope", strings.Join(p.cfg.Scope, ","))
	q.Set("server_domain", r.host)
	u.RawQuery = q.Encode()
	return answer{status: http.StatusFound, location: u.String()}
}

// loopback reports whether an address leads to this machine.
func loopback(u *url.URL) bool {
	if u.Scheme != "http" && u.Scheme != "https" {
		return false
	}
	host := u.Hostname()
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// address is the portal's own address: the state's, or the one it was asked at.
func (r *run) address() *url.URL {
	if u, err := url.Parse(r.p.cfg.Address); err == nil && u.Host != "" {
		return u
	}
	u := &url.URL{Scheme: "http", Host: r.host}
	if r.https {
		u.Scheme = "https"
	}
	return u
}

// token answers the authorization server's token address: the exchange of a
// code, and the renewal, which replaces the refresh token at once.
func (r *run) token(req request) answer {
	p := r.p
	param := req.params.Text
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stats.Tokens++
	p.stats.TokenHosts[r.host]++
	for _, name := range []string{"grant_type", "client_id", "client_secret"} {
		if param(name) == "" {
			return p.tokenError(http.StatusBadRequest, "invalid_request", "Required parameter "+name+" is missing")
		}
	}
	if p.wrongServer(r.host) || param("client_id") != ClientID || param("client_secret") != ClientSecret {
		return p.tokenError(http.StatusUnauthorized, "invalid_client", "Wrong client")
	}
	for _, s := range strings.FieldsFunc(param("scope"), func(c rune) bool { return c == ',' || c == ' ' }) {
		switch {
		case slices.Contains(p.cfg.Scope, s):
		case slices.Contains(scopes, s):
			return p.tokenError(http.StatusForbidden, "insufficient_scope", "The application has no right to "+s)
		default:
			return p.tokenError(http.StatusBadRequest, "invalid_scope", "There is no scope "+s)
		}
	}
	var grants map[string]time.Time
	var grant string
	switch param("grant_type") {
	case "authorization_code":
		grants, grant = p.tokens.codes, param("code")
	case "refresh_token":
		grants, grant = p.tokens.refresh, param("refresh_token")
	default:
		return p.tokenError(http.StatusBadRequest, "invalid_request", "Unknown grant type")
	}
	if grant == "" {
		return p.tokenError(http.StatusBadRequest, "invalid_request", "There is nothing to exchange")
	}
	now := time.Now()
	expires, ok := grants[grant]
	delete(grants, grant) // good for one exchange, in time or not
	if !ok || !expires.IsZero() && !now.Before(expires) {
		return p.tokenError(http.StatusBadRequest, "invalid_grant", "Wrong or expired "+param("grant_type"))
	}
	if param("grant_type") == "refresh_token" {
		p.stats.Renewals++
	}
	pair := r.newPair(now)
	if p.cfg.NoRefreshToken && param("grant_type") == "refresh_token" {
		grants[grant] = expires
		pair = pair.Without(func(key string) bool { return key == "refresh_token" })
	}
	return p.jsonAnswer(http.StatusOK, pair)
}

// wrongServer reports whether the portal has another authorization server than
// the one that is asked: the two know different applications.
func (p *Portal) wrongServer(host string) bool {
	u, err := url.Parse(p.cfg.ServerEndpoint)
	return err == nil && slices.Contains(authorizationServers, u.Host) && slices.Contains(authorizationServers, host) && host != u.Host
}

// authorizationServers are those of Bitrix24: the second for portals in ru, by,
// kz and their neighbours.
var authorizationServers = []string{"oauth.bitrix.info", "oauth.bitrix24.tech"}

// newPair issues a token pair. p.mu is held.
func (r *run) newPair(now time.Time) *php.Array {
	t := &r.p.tokens
	lifetime := cmp.Or(t.lifetime, accessLifetime)
	t.issued++
	access, refresh := fmt.Sprintf("sandbox-access-token-%d", t.issued), fmt.Sprintf("sandbox-refresh-token-%d", t.issued)
	t.access[access] = now.Add(lifetime)
	t.refresh[refresh] = now.Add(refreshLifetime)
	endpoint := r.address()
	endpoint.Path = "/rest/"
	server := url.URL{Scheme: endpoint.Scheme, Host: r.host, Path: "/rest/"}
	cfg := &r.p.cfg
	return php.Dict(
		"access_token", access,
		"refresh_token", refresh,
		"expires", now.Add(lifetime).Unix(),
		"expires_in", int64(lifetime/time.Second),
		"client_endpoint", cmp.Or(cfg.ClientEndpoint, endpoint.String()),
		"server_endpoint", cmp.Or(cfg.ServerEndpoint, server.String()),
		"domain", endpoint.Host,
		"member_id", cmp.Or(cfg.MemberID, memberID),
		"scope", strings.Join(cfg.Scope, ","),
		"status", "L",
		"user_id", int64(1),
	)
}

func (p *Portal) tokenError(status int, code, desc string) answer {
	return p.rootError(&apiError{status: status, code: code, desc: desc})
}
