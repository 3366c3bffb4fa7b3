package rest

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/net/idna"
)

// ParseHost parses the address of a server, of which only the host counts.
func ParseHost(server, address string) (*url.URL, error) {
	u, err := ParseAddress(address)
	if err != nil {
		return nil, err
	}
	if strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		// What follows the host is not repeated: it may be that of a webhook.
		return nil, fmt.Errorf("%s's address has more than a host; write %s://%s", server, u.Scheme, u.Host)
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host}, nil
}

// ParseAddress parses an address and insists on https, except for loopback
// hosts. The host comes out in the one spelling that is used everywhere: in
// lower case and ASCII (xn--...), without a dot at its end, and without a port
// that the scheme implies. Errors do not repeat the address, which may hold a
// secret.
func ParseAddress(address string) (*url.URL, error) {
	address = strings.TrimSpace(address)
	if err := checkCharacters(address); err != nil {
		return nil, err
	}
	u, err := url.Parse(address)
	if err == nil && u.Host == "" {
		if host, _, _ := strings.Cut(address, "/"); plainHost(host) {
			return nil, fmt.Errorf("the address lacks its scheme; write https://%s", host)
		}
	}
	if err != nil || u.Hostname() == "" {
		return nil, errors.New("not an address like https://acme.bitrix24.com")
	}
	host, err := asciiHost(u.Hostname())
	switch {
	case err != nil:
		return nil, errors.New("the address does not hold a valid host name")
	case !validPort(u.Port()):
		return nil, errors.New("invalid port in the address (1 to 65535)")
	case u.User != nil:
		return nil, errors.New("the address holds a user name; remove it")
	}
	u.Host = withPort(host, u.Port(), u.Scheme)
	switch {
	case u.Scheme == "http" && !loopback(host):
		return nil, fmt.Errorf("plain http would send secrets in the open; write https://%s", u.Host)
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Errorf("unknown scheme %q; write https://%s", u.Scheme, u.Host)
	}
	return u, nil
}

// checkCharacters names what gets into an address when it is copied from a
// letter, a chat or a shell script.
func checkCharacters(address string) error {
	for _, r := range address {
		switch {
		case strings.ContainsRune("\"'`<>“”„«»‘’", r):
			return fmt.Errorf("the address holds the character %c; write it without quotes and brackets", r)
		case unicode.IsSpace(r):
			return errors.New("the address holds a blank or line break; remove it")
		case !unicode.IsPrint(r):
			return fmt.Errorf("the address holds an invisible character (U+%04X); type the address anew", r)
		case r == '\\':
			return errors.New("the address holds a backslash; write slashes")
		}
	}
	return nil
}

// plainHost reports whether a text is certainly the name of a host, and
// nothing that should not be repeated.
func plainHost(text string) bool {
	return strings.Contains(text, ".") && strings.Trim(strings.ToLower(text), "abcdefghijklmnopqrstuvwxyz0123456789-.") == ""
}

// asciiHost is a host's one spelling.
func asciiHost(host string) (string, error) {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	for _, r := range host {
		if r >= 0x80 { // what is ASCII may hold underscores, which the profile refuses
			return idna.Lookup.ToASCII(host)
		}
	}
	return host, nil
}

// withPort is a host with its port, unless the scheme implies that.
func withPort(host, port, scheme string) string {
	if port == "" || port == "443" && scheme == "https" || port == "80" && scheme == "http" {
		if strings.Contains(host, ":") {
			return "[" + host + "]"
		}
		return host
	}
	return net.JoinHostPort(host, port)
}

// validPort reports whether an address may have this port; "" means no port.
func validPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return port == "" || err == nil && n > 0
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// HostPort is an address's host in its one spelling, with its port where that
// is neither 80 nor 443. Addresses with the same one are those of one portal:
// a token pair may name its portal by http, which is called by https anyway.
func HostPort(address string) string {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || u.Host == "" {
		return address
	}
	host, err := asciiHost(u.Hostname())
	if err != nil {
		return address
	}
	if port := u.Port(); port != "" && port != "80" && port != "443" {
		return net.JoinHostPort(host, port)
	}
	return host
}
