package sandbox

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// errDropped is what a client sees when the connection closes without an
// answer.
var errDropped = fmt.Errorf("sandbox: the portal closed the connection without an answer: %w", io.ErrUnexpectedEOF)

// RoundTripper returns a transport that asks the portal in-process, whatever
// the host of the address. It honours the context and deadline of a request;
// the portal, like a real one, carries on with what the client has given up.
// A dropped connection is an error that wraps io.ErrUnexpectedEOF, a truncated
// answer one while its body is read.
func (p *Portal) RoundTripper() http.RoundTripper { return transport{p} }

type transport struct{ p *Portal }

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		if r.Body != nil {
			r.Body.Close()
		}
		return nil, err
	}
	req, err := t.p.readRequest(r)
	if r.Body != nil {
		r.Body.Close()
	}
	if err != nil {
		return nil, err
	}
	run := t.p.begin(req)
	if run == nil {
		return nil, errDropped
	}
	done := make(chan answer, 1)
	go func() { done <- run.serve(req) }()
	select {
	case a := <-done:
		return a.response(r)
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

// response is the answer as a client of net/http gets it.
func (a answer) response(r *http.Request) (*http.Response, error) {
	if a.fate == dropped {
		return nil, errDropped
	}
	body := io.Reader(bytes.NewReader(a.body))
	if a.drip > 0 {
		body = &dripping{body, a.drip, r.Context()}
	}
	if a.fate == truncated {
		body = io.MultiReader(bytes.NewReader(a.body[:len(a.body)/2]), endless{})
	}
	header := http.Header{"Server": {"nginx"}, "Content-Length": {strconv.Itoa(len(a.body))}}
	a.headers(header)
	return &http.Response{
		Status: strconv.Itoa(a.status) + " " + http.StatusText(a.status), StatusCode: a.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, ContentLength: int64(len(a.body)), Body: io.NopCloser(body), Request: r,
	}, nil
}

// headers are those of every answer. The portal lets pages of any origin call
// it: the credentials are in the call.
func (a answer) headers(h http.Header) {
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Headers", "origin, content-type, accept")
	h.Set("X-Content-Type-Options", "nosniff")
	if a.contentType != "" {
		h.Set("Content-Type", a.contentType)
	}
	if a.location != "" {
		h.Set("Location", a.location)
	}
}

// dripping gives a byte at a time, each after a pause.
type dripping struct {
	from  io.Reader
	pause time.Duration
	ctx   context.Context
}

func (d *dripping) Read(b []byte) (int, error) {
	t := time.NewTimer(d.pause)
	defer t.Stop()
	select {
	case <-t.C:
	case <-d.ctx.Done():
		return 0, d.ctx.Err()
	}
	return d.from.Read(b[:min(1, len(b))])
}

// endless is the end of a body that was cut short.
type endless struct{}

func (endless) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// ServeHTTP answers a request on a socket.
func (p *Portal) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	req, err := p.readRequest(r)
	if err != nil {
		return // the client is gone
	}
	a := answer{fate: dropped}
	if run := p.begin(req); run != nil {
		a = run.serve(req)
	}
	if a.fate == dropped {
		panic(http.ErrAbortHandler) // the way to close a connection without an answer
	}
	w.Header().Set("Server", "nginx")
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	a.headers(w.Header())
	w.WriteHeader(a.status)
	if a.drip > 0 {
		d := &dripping{bytes.NewReader(a.body), a.drip, r.Context()}
		for b := make([]byte, 1); ; {
			n, err := d.Read(b)
			if _, failed := w.Write(b[:n]); err != nil || failed != nil {
				return
			}
			_ = http.NewResponseController(w).Flush()
		}
	}
	if a.fate != truncated {
		_, _ = w.Write(a.body)
		return
	}
	_, _ = w.Write(a.body[:len(a.body)/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}
