package bitrix

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"strings"

	"golang.org/x/oauth2"

	"syncsources/bitrix/rest"
	"syncsources/bitrix/secret"
)

// Renewer is a token source that can replace a token the portal has called
// expired. Renew returns a token other than the rejected one: a new pair, or
// the one that somebody else has obtained meanwhile.
type Renewer interface {
	oauth2.TokenSource
	Renew(ctx context.Context, rejected *oauth2.Token) (*oauth2.Token, error)
}

// Credentials say which portal is called and as whom. They print as the
// portal's address alone.
type Credentials struct {
	portal *url.URL            // scheme and host only
	path   secret.Text         // of the methods; holds the code of a webhook
	tokens *oauth2.TokenSource // nil for a webhook; fmt does not follow such a pointer
	key    secret.Text         // of a webhook its code
}

// webhookPath is the path of an inbound webhook: user, code, and maybe the
// name of a method, which people copy along.
var webhookPath = regexp.MustCompile(`^/rest/([0-9]+)/([^/]+)/?([A-Za-z0-9_.]+/?)?$`)

// Webhook returns the credentials of an inbound webhook,
// https://PORTAL/rest/USER/CODE/. The address as a whole is a secret and is
// in no error.
func Webhook(address string) (Credentials, error) {
	u, err := rest.ParseAddress(address)
	if err != nil {
		return Credentials{}, err
	}
	m := webhookPath.FindStringSubmatch(u.Path)
	if m == nil || u.RawQuery != "" || u.Fragment != "" {
		return Credentials{}, errors.New(notWebhook(u) + "; a webhook's address is https://PORTAL/rest/USER/CODE/")
	}
	return Credentials{
		portal: &url.URL{Scheme: u.Scheme, Host: u.Host},
		path:   secret.New("/rest/" + m[1] + "/" + m[2] + "/"),
		key:    secret.New(m[2]),
	}, nil
}

// notWebhook says why an address is not that of an inbound webhook.
func notWebhook(u *url.URL) string {
	switch parts := strings.Split(strings.Trim(u.Path, "/"), "/"); {
	case u.RawQuery != "" || u.Fragment != "":
		return "the address has a query or fragment (? or #)"
	case strings.Contains(u.Path, "//"):
		return "the address holds a doubled slash"
	case parts[0] == "":
		return "the address ends after the host"
	case parts[0] != "rest":
		return "the address does not begin with /rest/"
	case len(parts) > 1 && parts[1] == "api":
		return "the address is the one for REST 3.0, with /rest/api/"
	case len(parts) < 3:
		return "the address lacks the user's number or the code"
	case strings.Trim(parts[1], "0123456789") != "":
		return "the address has no user's number after /rest/"
	}
	return "the address has more after the code"
}

// Application returns the credentials of an application at the portal with
// this address. key is a secret of the application that outlives its tokens;
// it keys the checksums of plans.
func Application(address string, tokens oauth2.TokenSource, key secret.Text) (Credentials, error) {
	u, err := rest.ParseHost(rest.ThePortal, address)
	if err != nil {
		return Credentials{}, err
	}
	return Credentials{portal: u, path: secret.New("/rest/"), tokens: &tokens, key: key}, nil
}

// Portal is the address of the portal, without credentials:
// https://acme.bitrix24.com.
func (c Credentials) Portal() string {
	if c.portal == nil {
		return ""
	}
	return c.portal.String()
}

// Key is the lasting secret part of the credentials, for keyed checksums.
func (c Credentials) Key() secret.Text { return c.key }

// Format prints the portal's address for every verb.
func (c Credentials) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.Portal()) }
