package bitrix

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/oauth2"
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
	portal *url.URL // scheme and host only
	path   string   // of the methods; holds the code of a webhook
	code   string   // of a webhook
	tokens oauth2.TokenSource
	key    string
}

// webhookPath is the path of an inbound webhook: user, code, and maybe the
// name of a method, which people copy along.
var webhookPath = regexp.MustCompile(`^/rest/([0-9]+)/([^/]+)/?([A-Za-z0-9_.]+/?)?$`)

// Webhook returns the credentials of an inbound webhook,
// https://PORTAL/rest/USER/CODE/. The address as a whole is a secret and is
// in no error.
func Webhook(address string) (Credentials, error) {
	u, err := portalURL(address)
	if err != nil {
		return Credentials{}, err
	}
	m := webhookPath.FindStringSubmatch(u.Path)
	if m == nil || u.RawQuery != "" {
		return Credentials{}, errors.New("not the address of an inbound webhook, https://PORTAL/rest/USER/CODE/")
	}
	return Credentials{
		portal: &url.URL{Scheme: u.Scheme, Host: u.Host},
		path:   "/rest/" + m[1] + "/" + m[2] + "/",
		code:   m[2], key: m[2],
	}, nil
}

// Application returns the credentials of an application at the portal with
// this address. key is a secret of the application that outlives its tokens;
// it keys the checksums of plans.
func Application(address string, tokens oauth2.TokenSource, key Secret) (Credentials, error) {
	u, err := hostURL(thePortal, address)
	if err != nil {
		return Credentials{}, err
	}
	return Credentials{portal: u, path: "/rest/", tokens: tokens, key: key.Plain()}, nil
}

// hostURL parses the address of a server, of which only the host counts.
func hostURL(server, address string) (*url.URL, error) {
	u, err := portalURL(address)
	if err != nil {
		return nil, err
	}
	if strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		// What follows the host is not repeated: it may be that of a webhook.
		return nil, fmt.Errorf("%s's address has more than a host; write %s://%s", server, u.Scheme, u.Host)
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host}, nil
}

// portalURL parses an address and insists on https, except for loopback
// hosts. Its errors do not repeat the address, which may hold a secret.
func portalURL(address string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(address))
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "":
		return nil, errors.New("not an address like https://acme.bitrix24.com")
	case !aPort(u.Port()):
		return nil, errors.New("the address holds a port that is none; they are 1 to 65535")
	case u.User != nil:
		return nil, errors.New("the address holds a user name; remove it")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return nil, fmt.Errorf("plain http would send secrets in the open; write https://%s", u.Host)
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Errorf("unknown scheme %q; write https://%s", u.Scheme, u.Host)
	}
	return u, nil
}

// aPort reports whether an address may have this port; "" is none at all.
func aPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return port == "" || err == nil && n > 0
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// HostPort is an address's host in lower case with its port, or its scheme's
// where it names none. Addresses with the same one are those of one portal.
func HostPort(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[strings.ToLower(u.Scheme)]
	}
	return net.JoinHostPort(strings.ToLower(strings.TrimSuffix(u.Hostname(), ".")), port)
}

// Portal is the address of the portal, without credentials:
// https://acme.bitrix24.com.
func (c Credentials) Portal() string {
	if c.portal == nil {
		return ""
	}
	return c.portal.String()
}

// isWebhook reports whether the calls go through an inbound webhook.
func (c Credentials) isWebhook() bool { return c.code != "" }

// Key is the lasting secret part of the credentials, for keyed checksums.
func (c Credentials) Key() Secret { return NewSecret(c.key) }

// Format prints the portal's address for every verb.
func (c Credentials) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.Portal()) }
