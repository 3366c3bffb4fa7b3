package rest

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
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
// hosts. Its errors do not repeat the address, which may hold a secret.
func ParseAddress(address string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(address))
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "":
		return nil, errors.New("not an address like https://acme.bitrix24.com")
	case !validPort(u.Port()):
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

// validPort reports whether an address may have this port; "" is none at all.
func validPort(port string) bool {
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
