package bitrix

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/oauth2"
)

// DefaultTimeout is a request's own time limit. It lies above the 60 s at
// which the portal's front end cuts a request, so that the portal's answer,
// not ours, decides.
const DefaultTimeout = 75 * time.Second

const defaultUserAgent = "syncsources"

// The most bytes of an answer that are read. 2,500 sources are some 1.5 MiB;
// this leaves 13 KiB for each of them, and keeps what a broken or hostile
// server can make us hold bounded. An error needs far less.
const (
	maxAnswer      = 32 << 20
	maxErrorAnswer = 1 << 20
	maxHeader      = 256 << 10
)

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

// Counters count what went to the portal, each time that it was sent.
type Counters struct {
	HTTP      int64 // requests
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
		t.MaxResponseHeaderBytes = maxHeader
		conf.Transport = t
	}
	conf.Timeout = cmp.Or(conf.Timeout, DefaultTimeout)
	conf.UserAgent = cmp.Or(conf.UserAgent, defaultUserAgent)
	if conf.Logger == nil {
		conf.Logger = slog.New(slog.DiscardHandler)
	}
	r.conf = conf
	r.http = &http.Client{Transport: conf.Transport, CheckRedirect: func(next *http.Request, via []*http.Request) error {
		err := checkRedirect(next, via)
		if err == nil {
			r.counters.http.Add(1)
		}
		return err
	}}
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
		secrets := scrub(commands, creds.code)
		ans, e := r.send(ctx, method, p, len(commands), secrets)
		ans.secrets = secrets
		return ans, e
	}
	token, err := tokenFor(ctx, creds.tokens)
	if err != nil {
		return answer{}, tokenError(method, err)
	}
	for renewed := false; ; renewed = true {
		secrets := scrub(commands, token.AccessToken, token.RefreshToken)
		body := append(p[:len(p):len(p)], param{"auth", token.AccessToken})
		ans, e := r.send(ctx, method, body, len(commands), secrets)
		ans.token, ans.secrets = token, secrets
		renewer, ok := creds.tokens.(Renewer)
		if e == nil || e.Code != ExpiredToken || renewed || !ok {
			return ans, e
		}
		if token, err = renewer.Renew(ctx, token); err != nil {
			return ans, tokenError(method, err)
		}
	}
}

// Ready waits for the access token where it is being renewed, or has to be, so
// that the next request can leave at once. What is wrong with the token shows
// in that request.
func (r *Reader) Ready(ctx context.Context) {
	if tokens := r.conf.Credentials.tokens; tokens != nil {
		_, _ = tokenFor(ctx, tokens)
	}
}

// tokenFor asks a source for its token, with a context where it takes one.
func tokenFor(ctx context.Context, tokens oauth2.TokenSource) (*oauth2.Token, error) {
	if t, ok := tokens.(interface {
		TokenContext(context.Context) (*oauth2.Token, error)
	}); ok {
		return t.TokenContext(ctx)
	}
	return tokens.Token()
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

// send sends one request, which holds so many commands, and sorts its answer:
// a result, or an error in one of the three shapes.
func (r *Reader) send(ctx context.Context, method string, p params, commands int, secrets scrubber) (answer, *Error) {
	ans, e := r.exchange(ctx, method, p, commands, secrets)
	if e != nil {
		e.Method = method
		if e.Hint == "" {
			e.Hint = hint(e.Code, r.conf.Credentials.isWebhook())
		}
		if e.Status == http.StatusServiceUnavailable || e.Status == http.StatusTooManyRequests {
			r.counters.throttled.Add(1)
		}
		r.conf.Logger.Debug("request failed", "method", method, "elapsed", ans.Elapsed.String(), "error", e.Error())
		return ans, e
	}
	r.conf.Logger.Debug("request answered", "method", method, "elapsed", ans.Elapsed.String(), "processing", ans.Time.Processing.String())
	return ans, nil
}

func (r *Reader) exchange(ctx context.Context, method string, p params, commands int, secrets scrubber) (answer, *Error) {
	body, err := p.MarshalJSON()
	if err != nil {
		return answer{}, &Error{Code: BadRequest, Message: "the parameters cannot be written as JSON: " + err.Error(), NotSent: true}
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

	if err := ctx.Err(); err != nil {
		return answer{}, lost(thePortal, 0, &noConnection{err}, secrets)
	}
	start := time.Now()
	r.counters.http.Add(1)
	r.counters.commands.Add(int64(commands))
	if method == MethodBatch {
		r.counters.batches.Add(1)
	}
	status, content, err := fetch(r.http, req, maxAnswer)
	elapsed := time.Since(start)
	if err != nil {
		return answer{Elapsed: elapsed}, lost(thePortal, status, err, secrets)
	}
	ans, e := parse(status, content, secrets)
	ans.Elapsed = elapsed
	return ans, e
}

// fetch sends req and reads the whole answer, unless it has more than most
// bytes, or more than an error needs. No error holds the address.
func fetch(client *http.Client, req *http.Request, most int) (status int, content []byte, err error) {
	seen := &dialing{}
	resp, err := client.Do(req.WithContext(seen.watch(req.Context())))
	if err != nil {
		err = withoutURL(err)
		if seen.inVain() {
			err = &noConnection{err}
		}
		return 0, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		return resp.StatusCode, nil, &redirected{to: resp.Header.Get("Location")}
	}
	if resp.StatusCode >= 400 {
		most = min(most, maxErrorAnswer)
	}
	content, err = io.ReadAll(io.LimitReader(resp.Body, int64(most)+1))
	if err == nil && len(content) > most {
		err = errTooLong
	}
	return resp.StatusCode, content, err
}
