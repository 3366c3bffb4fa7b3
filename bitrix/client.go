package bitrix

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// DefaultTimeout is a request's own time limit. It lies above the 60 s at
// which the portal's front end cuts a request, so that the portal's answer,
// not ours, decides.
const DefaultTimeout = 75 * time.Second

// maxAnswer is the most bytes of an answer that are read: 2,500 sources with
// long settings fit several times over.
const maxAnswer = 64 << 20

// Config configures a Reader or a Client.
type Config struct {
	Credentials Credentials
	// Transport carries the requests; nil means one made for a single host.
	Transport http.RoundTripper
	// Timeout of one request; zero means DefaultTimeout.
	Timeout time.Duration
	// Logger gets a line for each request at debug level, without parameters
	// and addresses; nil logs nothing.
	Logger *slog.Logger
	// UserAgent names the program; empty means "syncsources".
	UserAgent string
}

// Counters count what went to the portal.
type Counters struct {
	HTTP      int64 // requests, repeated ones included
	Batches   int64 // requests that were batches
	Commands  int64 // commands in batches, and calls
	Throttled int64 // requests that the portal refused with 503 or 429
}

// Reader calls the methods that read. It has no method that writes.
type Reader struct {
	conf     Config
	http     *http.Client
	counters struct{ http, batches, commands, throttled atomic.Int64 }
}

// Client is a Reader that writes.
type Client struct{ Reader }

// NewReader returns a client that cannot write.
func NewReader(conf Config) *Reader {
	r := &Reader{}
	r.init(conf)
	return r
}

// New returns a client that reads and writes.
func New(conf Config) *Client {
	c := &Client{}
	c.init(conf)
	return c
}

func (r *Reader) init(conf Config) {
	if conf.Transport == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.MaxIdleConns, t.MaxIdleConnsPerHost = 256, 256 // all of them go to one host
		conf.Transport = t
	}
	if conf.Timeout == 0 {
		conf.Timeout = DefaultTimeout
	}
	if conf.Logger == nil {
		conf.Logger = slog.New(slog.DiscardHandler)
	}
	if conf.UserAgent == "" {
		conf.UserAgent = "syncsources"
	}
	r.conf = conf
	r.http = &http.Client{Transport: conf.Transport, CheckRedirect: checkRedirect}
}

// checkRedirect follows a redirect only where the request, whose body holds
// the credentials, stays with the same host and is repeated as it was.
func checkRedirect(next *http.Request, via []*http.Request) error {
	first := via[0]
	sameBody := next.Response != nil && (next.Response.StatusCode == http.StatusTemporaryRedirect || next.Response.StatusCode == http.StatusPermanentRedirect)
	if next.URL.Host != first.URL.Host || next.URL.Scheme != first.URL.Scheme || !sameBody || len(via) > 3 {
		return http.ErrUseLastResponse
	}
	return nil
}

// Portal is the address of the portal, without credentials.
func (r *Reader) Portal() string { return r.conf.Credentials.Portal() }

// Counters returns what has gone to the portal so far.
func (r *Reader) Counters() Counters {
	return Counters{r.counters.http.Load(), r.counters.batches.Load(), r.counters.commands.Load(), r.counters.throttled.Load()}
}

// CloseIdle closes connections that are kept for later requests.
func (r *Reader) CloseIdle() { r.http.CloseIdleConnections() }

// call sends one request, and once more where the access token had expired
// and could be renewed. commands are those that p carries; their secrets are
// kept out of the errors.
func (r *Reader) call(ctx context.Context, method string, p params, commands []Command) (answer, *Error) {
	creds := r.conf.Credentials
	if creds.tokens == nil {
		return r.send(ctx, method, p, scrub(commands, creds.code))
	}
	token, err := creds.tokens.Token()
	if err != nil {
		return answer{}, tokenError(method, err)
	}
	for renewed := false; ; renewed = true {
		body := append(p[:len(p):len(p)], param{"auth", token.AccessToken})
		ans, e := r.send(ctx, method, body, scrub(commands, token.AccessToken, token.RefreshToken))
		renewer, ok := creds.tokens.(Renewer)
		if e == nil || e.Code != ExpiredToken || renewed || !ok {
			return ans, e
		}
		if token, err = renewer.Renew(ctx, token); err != nil {
			return ans, tokenError(method, err)
		}
	}
}

// tokenError reports that there is no token to call with; that dooms every
// call. The authorization server's refusals, *Error already, pass through.
func tokenError(method string, err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	err = withoutURL(err)
	return &Error{Code: NoToken, Message: cleanText(err.Error()), Status: http.StatusUnauthorized, Method: method, NotSent: true, Err: err}
}

// send sends one request and sorts its answer: a result, or an error in one
// of the three shapes.
func (r *Reader) send(ctx context.Context, method string, p params, secrets scrubber) (answer, *Error) {
	ans, e := r.exchange(ctx, method, p, secrets)
	if e != nil {
		e.Method, e.Hint = method, hint(e.Code, r.conf.Credentials.IsWebhook())
		if what := e.Reaction(); what == Throttled || what == Held {
			r.counters.throttled.Add(1)
		}
		r.conf.Logger.Debug("request failed", "method", method, "elapsed", ans.Elapsed.String(), "error", e.Error())
		return ans, e
	}
	r.conf.Logger.Debug("request answered", "method", method, "elapsed", ans.Elapsed.String(), "processing", ans.Time.Processing.String())
	return ans, nil
}

func (r *Reader) exchange(ctx context.Context, method string, p params, secrets scrubber) (answer, *Error) {
	body, err := p.MarshalJSON()
	if err != nil {
		return answer{}, &Error{Code: BadAnswer, Message: "the parameters cannot be written as JSON", Status: http.StatusBadRequest, NotSent: true}
	}
	ctx, cancel := context.WithTimeout(ctx, r.conf.Timeout)
	defer cancel()
	u := *r.conf.Credentials.portal
	u.Path = r.conf.Credentials.path + method
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return answer{}, &Error{Code: Network, Message: "the portal's address cannot be called", NotSent: true}
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", r.conf.UserAgent)

	start := time.Now()
	r.counters.http.Add(1)
	status, content, err := r.roundTrip(req)
	elapsed := time.Since(start)
	if err != nil {
		err = withoutURL(err)
		e := &Error{Code: Network, Status: status, NotSent: notSent(err), Err: err}
		if e.NotSent {
			e.Message = "the portal cannot be reached: " + secrets.text(err.Error())
		} else {
			e.Message = "the portal's answer was lost: " + secrets.text(err.Error())
		}
		return answer{Elapsed: elapsed}, e
	}
	ans, e := parse(status, content, secrets)
	ans.Elapsed = elapsed
	return ans, e
}

// roundTrip sends req and reads the whole answer, up to maxAnswer.
func (r *Reader) roundTrip(req *http.Request) (status int, content []byte, err error) {
	resp, err := r.http.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	content, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err == nil && len(content) > maxAnswer {
		err = fmt.Errorf("more than %d MiB of it", maxAnswer>>20)
	}
	return resp.StatusCode, content, err
}

// notSent reports whether a request failed before any of it left: no address,
// no connection, or no trust in the certificate.
func notSent(err error) bool {
	var op *net.OpError
	var dns *net.DNSError
	var cert *tls.CertificateVerificationError
	return errors.As(err, &dns) || errors.As(err, &cert) || errors.As(err, &op) && op.Op == "dial"
}
