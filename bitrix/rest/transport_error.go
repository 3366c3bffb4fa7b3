package rest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
)

// ThePortal is how messages name the server that is called.
const ThePortal = "the portal"

// Lost makes an error of a request to server that got no answer, or none that
// can be read to its end. The cause keeps its type but not its address, and its
// text is searched for secrets.
func Lost(server string, status int, err error, secrets Scrubber) *Error {
	var elsewhere *redirected
	var cert *tls.CertificateVerificationError
	e := &Error{Code: Network, Status: status, NotSent: notSent(err), Err: &cause{secrets.Text(err.Error()), err}}
	if proxy := proxyError(err); proxy != nil {
		proxy.Err = e.Err
		return proxy
	}
	switch {
	case errors.As(err, &elsewhere):
		e.Code, e.NotSent, e.Err = BadAnswer, true, nil
		e.Message = server + "'s address redirects to " + secrets.Text(elsewhere.target())
		e.Hint, e.Reason = "credentials are not sent on to another address", Moved
	case errors.Is(err, errTooLong):
		e.Code, e.Message = BadAnswer, server+"'s answer is too long"
	case errors.As(err, &cert):
		e.Message = server + "'s certificate is not trusted: " + e.Err.Error()
		e.Hint = certificateHint(server, cert)
	case e.NotSent:
		e.Message = server + " cannot be reached: " + e.Err.Error()
	default:
		e.Message = server + "'s answer was lost: " + e.Err.Error()
	}
	return e
}

// certificateHint says what to do about a certificate.
func certificateHint(server string, err error) string {
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &host) && host.Certificate != nil && len(host.Certificate.DNSNames)+len(host.Certificate.IPAddresses) == 0:
		return "the certificate names its host only in the subject, which is no longer accepted: it needs a subjectAltName; have it reissued"
	case errors.As(err, &host):
		return "the certificate belongs to another host: check " + server + "'s address"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "the certificate has expired or is not valid yet: check this machine's clock, then have " + server + "'s certificate renewed"
	}
	return "the authority of a company's own certificates goes into the file that SSL_CERT_FILE names"
}

var errTooLong = errors.New("too long an answer")

// cause is an error from outside whose text has been made safe.
type cause struct {
	text string
	err  error
}

func (c *cause) Error() string { return c.text }
func (c *cause) Unwrap() error { return c.err }

// Format prints the safe text for every verb, %#v included.
func (c *cause) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, c.text) }

// NoConnection marks the failure of a request that got no connection:
// nothing of it was sent.
func NoConnection(err error) error { return &noConnection{err} }

type noConnection struct{ err error }

func (n *noConnection) Error() string { return n.err.Error() }
func (n *noConnection) Unwrap() error { return n.err }

// redirected is an answer that sends elsewhere, which is not followed.
type redirected struct{ to string }

func (r *redirected) Error() string { return "redirected to " + r.target() }

// target is scheme and host of where the answer points: the path may hold the
// code of a webhook.
func (r *redirected) target() string {
	u, err := url.Parse(r.to)
	switch {
	case err != nil || r.to == "":
		return "nowhere"
	case u.Host == "":
		return "another path"
	}
	return Clean((&url.URL{Scheme: u.Scheme, Host: u.Host}).String())
}

// dialing watches whether a request got a connection. A transport that uses
// none, as in tests, leaves both marks unset.
type dialing struct{ asked, got atomic.Bool }

func (d *dialing) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { d.asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { d.got.Store(true) },
	})
}

func (d *dialing) inVain() bool { return d.asked.Load() && !d.got.Load() }

// notSent reports whether a request failed before any of it left: no address,
// no connection, or no trust in the certificate.
func notSent(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial" ||
		errors.As(err, new(*noConnection)) || errors.As(err, new(*net.DNSError)) || errors.As(err, new(*tls.CertificateVerificationError))
}

// CheckRedirect follows a redirect only where the request, whose body holds
// the credentials, stays with the same host and is repeated as it was.
func CheckRedirect(next *http.Request, via []*http.Request) error {
	first := via[0]
	sameBody := next.Response != nil && (next.Response.StatusCode == http.StatusTemporaryRedirect || next.Response.StatusCode == http.StatusPermanentRedirect)
	if next.URL.Host != first.URL.Host || next.URL.Scheme != first.URL.Scheme || !sameBody || len(via) > 3 {
		return http.ErrUseLastResponse
	}
	return nil
}
