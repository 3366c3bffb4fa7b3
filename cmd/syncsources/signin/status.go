package signin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"syncsources/bitrix"
	"syncsources/bitrix/auth"
	"syncsources/bitrix/rest"
)

// Level says what a line of a status means for a run.
type Level int

// Levels, from good to bad.
const (
	Good    Level = iota
	Warning       // a run would work
	Bad           // it would not
)

// Line is one thing that a run needs, and how it is.
type Line struct {
	Level Level
	Name  string
	Text  string
	Hints []string // what to do, where it is not good
}

// StatusConfig configures a status.
type StatusConfig struct {
	Client func(bitrix.Credentials) *bitrix.Reader // calls the portal
	Renew  bool                                    // renew an access token that has expired
	Limits string                                  // of a run, in words
	Hint   func(*rest.Error) string                // what to do about an error
}

// The ages of a refresh token at which status warns, and at which it is too
// late: a run renews it long before.
const oldRefreshToken = 150 * 24 * time.Hour

// skewed is by how much a clock may be wrong before status warns.
const skewed = time.Minute

// Status finds out whether a run would work with these credentials. It changes
// nothing and, unless asked to renew, spends nothing.
func (c *Credentials) Status(ctx context.Context, conf StatusConfig) []Line {
	s := &status{StatusConfig: conf, credentials: c}
	calling := c.Credentials
	if app := c.Application; app != nil {
		s.good("credentials", "application %s, its token is renewed", app.ClientID)
		var ready bool
		if calling, ready = s.token(ctx, app); !ready {
			return s.lines
		}
	} else {
		s.good("credentials", "%s", c.Kind)
		if c.Database != nil {
			if err := c.Database.Check(ctx); err != nil {
				s.failed("store", err)
			} else {
				s.good("store", "%s keeps the locks of applies", strings.TrimPrefix(c.Database.String(), "the store "))
			}
		}
	}
	s.portal(ctx, calling)
	if conf.Limits != "" {
		s.good("limits", "%s", conf.Limits)
	}
	return s.lines
}

type status struct {
	StatusConfig
	credentials *Credentials
	lines       []Line
	expired     bool // the portal is called with an access token that has expired
}

func (s *status) add(level Level, name, text string, hints ...string) {
	s.lines = append(s.lines, Line{Level: level, Name: name, Text: text, Hints: slices.DeleteFunc(hints, func(h string) bool { return h == "" })})
}

func (s *status) good(name, format string, args ...any) {
	s.add(Good, name, fmt.Sprintf(format, args...))
}

// failed adds a line about an error.
func (s *status) failed(name string, err error) {
	hint, text := "", err.Error()
	if e, ok := errors.AsType[*rest.Error](err); ok {
		hint = s.Hint(e)
		text = cmp.Or(e.Error(), text)
	}
	s.add(Bad, name, text, hint)
}

// token looks at the store and the pair in it, and returns the credentials to
// call the portal with: those of the stored token, which renew nothing, unless
// a renewal is wanted.
func (s *status) token(ctx context.Context, app *Application) (calling bitrix.Credentials, ready bool) {
	if _, err := auth.Probe(ctx, app.Store, app.Portal); err != nil {
		s.failed("store", err)
		return calling, false
	}
	s.good("store", "%s can be written to", strings.TrimPrefix(app.Place(), "the store "))
	p, err := app.Stored(ctx)
	if err != nil {
		s.failed("token", err)
		return calling, false
	}
	if s.Renew {
		expired := p.Expired(time.Now())
		if p, err = app.Renew(ctx); err != nil {
			s.failed("token", err)
			return calling, false
		}
		s.age(p, expired)
		return s.credentials.Credentials, true
	}
	s.age(p, false)
	s.expired = p.Expired(time.Now())
	if p.AccessToken.Plain() == "" {
		return calling, false
	}
	calling, err = bitrix.Application(app.Portal, oauth2.StaticTokenSource(p.Token()), app.secret)
	if err != nil {
		s.failed("token", err)
	}
	return calling, err == nil
}

// age says how old the tokens of a pair are.
func (s *status) age(p auth.Pair, renewed bool) {
	now := time.Now()
	access := "access token valid for " + inWords(p.Expires.Sub(now))
	switch {
	case p.AccessToken.Plain() == "":
		access = "no access token yet; the first run gets one, or --renew does now"
	case p.Expires.IsZero():
		access = "access token of unknown age"
	case p.Expired(now):
		access = "access token expired; the next run renews it, or --renew does now"
	case renewed:
		access = "renewed just now, " + access
	}
	issued := p.Issued()
	if issued.IsZero() || p.RefreshToken.Plain() == "" {
		s.good("token", "%s", access)
		return
	}
	age := now.Sub(issued)
	text := fmt.Sprintf("%s; refresh token %s old, valid for %s", access, inWords(age), inWords(auth.RefreshLifetime-age))
	switch {
	case age > auth.RefreshLifetime:
		s.add(Bad, "token", fmt.Sprintf("the refresh token is %s old, and is valid for %s only", inWords(age), inWords(auth.RefreshLifetime)), "get a new pair with: syncsources login")
	case age > oldRefreshToken:
		s.add(Warning, "token", text, "any run against the portal renews it")
	default:
		s.good("token", "%s", text)
	}
}

// inWords is a duration as people say it.
func inWords(d time.Duration) string {
	switch d = d.Abs(); {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%d days", d/(24*time.Hour))
	case d >= 2*time.Hour:
		return fmt.Sprintf("%d hours", d/time.Hour)
	case d >= 2*time.Minute:
		return fmt.Sprintf("%d minutes", d/time.Minute)
	}
	return fmt.Sprintf("%d seconds", d/time.Second)
}

// portal calls the portal, and says who it takes us for and what it lets us do.
func (s *status) portal(ctx context.Context, calling bitrix.Credentials) {
	client := s.Client(calling)
	defer client.CloseIdle()
	start := time.Now()
	who, err := client.Identify(ctx)
	var e *rest.Error
	switch {
	case err == nil:
		s.good("portal", "%s answers", client.Portal())
	case errors.Is(err, rest.ExpiredToken) && s.credentials.Application != nil, s.expired && errors.As(err, &e) && e.Reaction() == rest.Fatal:
		s.good("portal", "%s answers", client.Portal())
		s.add(Warning, "user", "not checked, because the access token has expired", "the next run renews it; syncsources status --renew does so now, and checks the rest")
		return
	case errors.As(err, &e) && (e.Code == rest.Network || e.Code == rest.BadAnswer || e.Code == "PROXY"):
		s.failed("portal", err)
		return
	default:
		s.good("portal", "%s answers", client.Portal())
		s.failed("user", err)
		return
	}
	took := time.Since(start)
	s.good("user", "%s", who.User())
	if slices.Contains(who.Scope, bitrix.ScopeBIConnector) {
		s.good("scope", "%s", strings.Join(who.Scope, ", "))
	} else {
		s.add(Bad, "scope", "the scope biconnector is missing; granted: "+cmp.Or(strings.Join(who.Scope, ", "), "none"),
			"tick biconnector (BI analytics) among the permissions in the application's settings, save, then run: syncsources login")
	}
	s.rights(ctx, client)
	s.clocks(who.Finished, took)
}

// rights reads a list that takes the user's rights and the portal's plan.
func (s *status) rights(ctx context.Context, client *bitrix.Reader) {
	resp, err := client.QueryAlone(ctx, bitrix.ListConnectors(bitrix.Range{}))
	if err == nil {
		err = resp.Replies[0].Err
	}
	if err != nil {
		s.failed("rights", err)
		return
	}
	list, err := bitrix.DecodeConnectors(resp.Replies[0].Result)
	if err != nil {
		s.failed("rights", err)
		return
	}
	if list.Count == 0 {
		s.good("rights", "connectors can be read; the application has none yet")
		return
	}
	s.good("rights", "connectors can be read")
}

// clocks compares the portal's clock with this machine's.
func (s *status) clocks(portal time.Time, took time.Duration) {
	if portal.IsZero() {
		return
	}
	ahead := time.Until(portal)
	switch {
	case ahead > skewed:
		s.add(Warning, "clocks", fmt.Sprintf("the portal's clock is %s ahead of this machine's", inWords(ahead)), "synchronize both with a time server")
	case ahead < -skewed-took:
		s.add(Warning, "clocks", fmt.Sprintf("the portal's clock is %s behind this machine's", inWords(ahead)), "synchronize both with a time server")
	default:
		s.good("clocks", "the portal's and this machine's agree")
	}
}
