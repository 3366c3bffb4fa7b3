package rest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
)

// NewTransport returns a transport that keeps the connections of a run, all of
// which go to one host, and distinguishes a proxy's refusal from the server's own.
// Proxies are Go's: HTTPS_PROXY and NO_PROXY.
func NewTransport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 256, 256
	t.MaxResponseHeaderBytes = MaxHeader
	t.OnProxyConnectResponse = func(_ context.Context, proxy *url.URL, _ *http.Request, resp *http.Response) error {
		if resp.StatusCode != http.StatusOK {
			return &proxyRefusal{proxy.Host, resp.StatusCode}
		}
		return nil
	}
	return t
}

// proxyRefusal is the answer of a proxy that did not let a connection through.
type proxyRefusal struct {
	host   string
	status int
}

func (p *proxyRefusal) Error() string {
	return fmt.Sprintf("the proxy %s refused the connection with %d %s", p.host, p.status, http.StatusText(p.status))
}

// proxyError makes an error of a failure of the proxy; nil where it was not the
// proxy that failed. One that refuses is not asked again: it would count each
// attempt with a wrong password.
func proxyError(err error) *Error {
	if refused, ok := errors.AsType[*proxyRefusal](err); ok {
		return &Error{Code: Proxy, Message: Clean(refused.Error()), NotSent: true, Final: refused.status < 500}
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "proxyconnect" {
		return &Error{Code: Proxy, Message: "the proxy cannot be reached: " + Clean(op.Err.Error()), NotSent: true}
	}
	return nil
}

// CheckProxy says what is wrong with the proxy that the environment names.
// net/http would pass over one that does not parse, and go without. The error
// names the variable and not its value, which may hold a password.
func CheckProxy(getenv func(string) string) error {
	for _, name := range []string{"HTTPS_PROXY", "https_proxy"} {
		value := getenv(name)
		if value == "" {
			continue
		}
		u, err := url.Parse(value)
		if err != nil || u.Scheme == "" || u.Host == "" {
			u, err = url.Parse("http://" + value) // as net/http does
		}
		switch {
		case err != nil || u.Hostname() == "" || !validPort(u.Port()):
			return fmt.Errorf("%s is not an address like http://proxy.example:3128; write %%25 for a %% in its password", name)
		case u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "socks5" && u.Scheme != "socks5h":
			return fmt.Errorf("%s has a scheme other than http, https, socks5 and socks5h", name)
		}
		return nil // the first that is set counts
	}
	return nil
}
