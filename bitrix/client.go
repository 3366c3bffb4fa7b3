package bitrix

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/oauth2"

	"syncsources/bitrix/rest"
)

// DefaultTimeout is a request's own time limit. It lies above the 60 s at
// which the portal's front end cuts a request, so that the portal's answer,
// not ours, decides.
const DefaultTimeout = 75 * time.Second

// Config configures a Reader or a Client.
type Config struct {
	Credentials Credentials
	// Transport carries the requests; nil means rest.NewTransport.
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
	silence  silence
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
		conf.Transport = rest.NewTransport()
	}
	conf.Timeout = cmp.Or(conf.Timeout, DefaultTimeout)
	conf.UserAgent = cmp.Or(conf.UserAgent, rest.DefaultUserAgent)
	conf.Logger = cmp.Or(conf.Logger, slog.New(slog.DiscardHandler))
	r.conf = conf
	r.http = &http.Client{Transport: conf.Transport, CheckRedirect: func(next *http.Request, via []*http.Request) error {
		err := rest.CheckRedirect(next, via)
		if err == nil {
			r.counters.http.Add(1)
		}
		return err
	}}
}

// Format prints the portal's address for every verb.
func (r *Reader) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, r.Portal()) }

// Portal is the address of the portal, without credentials.
func (r *Reader) Portal() string { return r.conf.Credentials.Portal() }

// Counters returns what has gone to the portal so far.
func (r *Reader) Counters() Counters {
	return Counters{r.counters.http.Load(), r.counters.batches.Load(), r.counters.commands.Load(), r.counters.throttled.Load()}
}

// CloseIdle closes connections that are kept for later requests.
func (r *Reader) CloseIdle() { r.http.CloseIdleConnections() }

// answer is an answer of the portal with what it takes to judge it.
type answer struct {
	rest.Answer
	token   *oauth2.Token // that it was called with, nil for a webhook
	secrets rest.Scrubber // of the request
}

// punctual is how long a request may wait for its access token. One that waits
// longer does not leave: those that waited together would come to the portal in
// a crowd.
const punctual = 100 * time.Millisecond

// call sends one request. Where the access token had expired, it is renewed,
// and the call counts as not delivered, as does one that had to wait for a new
// token: to send it again is up to the caller, who paces it. commands are those that p carries; their secrets are kept out
// of the errors.
func (r *Reader) call(ctx context.Context, method string, p rest.Params, commands []Command) (answer, *rest.Error) {
	creds := r.conf.Credentials
	if creds.tokens == nil {
		secrets := secretsOf(commands, creds.key.Plain())
		ans, e := r.send(ctx, method, p, len(commands), secrets)
		return answer{ans, nil, secrets}, e
	}
	asked := time.Now()
	token, err := tokenFor(ctx, *creds.tokens)
	if err != nil {
		return answer{}, tokenError(method, err)
	}
	if time.Since(asked) > punctual {
		return answer{}, &rest.Error{Code: rest.ExpiredToken, Method: method, NotSent: true, Message: "the access token was being renewed"}
	}
	secrets := secretsOf(commands, token.AccessToken, token.RefreshToken)
	body := append(p[:len(p):len(p)], rest.Param{Key: "auth", Value: token.AccessToken})
	got, e := r.send(ctx, method, body, len(commands), secrets)
	if e != nil && e.Code == rest.ExpiredToken {
		e = r.renewed(ctx, token, e)
	}
	return answer{got, token, secrets}, e
}

// renewed renews a token that the portal has called expired, and returns the
// error of a command that met it: not delivered, or why there is no token.
func (r *Reader) renewed(ctx context.Context, token *oauth2.Token, e *rest.Error) *rest.Error {
	renewer, ok := (*r.conf.Credentials.tokens).(Renewer)
	if !ok {
		return e
	}
	if _, err := renewer.Renew(ctx, token); err != nil {
		return tokenError(e.Method, err)
	}
	e.NotSent = true
	return e
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
// call. The authorization server's refusals, *rest.Error already, pass through.
func tokenError(method string, err error) *rest.Error {
	if e, ok := errors.AsType[*rest.Error](err); ok {
		return e
	}
	err = rest.WithoutURL(err)
	return &rest.Error{Code: rest.NoToken, Message: rest.Clean(err.Error()), Status: http.StatusUnauthorized, Method: method, NotSent: true, Err: err}
}

// send sends one request with that many commands, and sorts its answer:
// a result, or an error in one of the three shapes.
func (r *Reader) send(ctx context.Context, method string, p rest.Params, commands int, secrets rest.Scrubber) (rest.Answer, *rest.Error) {
	ans, e := r.exchange(ctx, method, p, commands, secrets)
	if e != nil {
		e.Method = method
		if e.Status == http.StatusServiceUnavailable || e.Status == http.StatusTooManyRequests {
			r.counters.throttled.Add(1)
		}
		r.conf.Logger.Debug("request failed", "method", method, "elapsed", ans.Elapsed.String(), "error", e.Error())
		return ans, e
	}
	r.conf.Logger.Debug("request answered", "method", method, "elapsed", ans.Elapsed.String(), "processing", ans.Time.Processing.String())
	return ans, nil
}

func (r *Reader) exchange(ctx context.Context, method string, p rest.Params, commands int, secrets rest.Scrubber) (rest.Answer, *rest.Error) {
	body, err := p.JSON()
	if err != nil {
		return rest.Answer{}, &rest.Error{Code: rest.BadRequest, Message: "the parameters cannot be written as JSON: " + err.Error(), NotSent: true}
	}
	ctx, cancel := context.WithTimeout(ctx, r.conf.Timeout)
	defer cancel()
	ctx, done := r.silence.bound(ctx)
	defer done()
	u := *r.conf.Credentials.portal
	u.Path = r.conf.Credentials.path.Plain() + method
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return rest.Answer{}, &rest.Error{Code: rest.Network, Message: "the portal's address cannot be called", NotSent: true}
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", r.conf.UserAgent)

	if err := ctx.Err(); err != nil {
		return rest.Answer{}, rest.Lost(rest.ThePortal, 0, rest.NoConnection(err), secrets)
	}
	start := time.Now()
	r.counters.http.Add(1)
	r.counters.commands.Add(int64(commands))
	if method == rest.MethodBatch {
		r.counters.batches.Add(1)
	}
	status, content, err := rest.Fetch(r.http, req, rest.MaxAnswer)
	elapsed := time.Since(start)
	if err != nil {
		return rest.Answer{Elapsed: elapsed}, rest.Lost(rest.ThePortal, status, r.silence.explain(ctx, err), secrets)
	}
	r.silence.broken()
	ans, e := rest.Parse(status, content, secrets)
	ans.Elapsed = elapsed
	return ans, e
}
