package bitrix

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"syncsources/bitrix/rest"
	"syncsources/bitrix/secret"
)

// canary stands for every secret that a request of these tests carries.
const canary = "canary-7f3a/и"

// against returns a client with an access token of the portal at address, and
// what it logs.
func against(t *testing.T, address string, tr http.RoundTripper) (*Client, *bytes.Buffer) {
	t.Helper()
	creds := must(Application(address, oauth2.StaticTokenSource(&oauth2.Token{AccessToken: canary}), secret.New(canary)))(t)
	var log bytes.Buffer
	c := New(Config{Credentials: creds, Transport: tr, Timeout: 10 * time.Second, Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	t.Cleanup(c.CloseIdle)
	return c, &log
}

func oneUpdate(c *Client) *rest.Error {
	_, err := c.WriteAlone(context.Background(), UpdateSource(4, SourceFields{Title: "t", Settings: []Setting{{"password", secret.New(canary)}}}))
	var e *rest.Error
	errors.As(err, &e)
	return e
}

// spoken is everything an error and a log say.
func spoken(e *rest.Error, log fmt.Stringer) string {
	return fmt.Sprintf("%v %+v %#v %v %#v %s", e, e, e, e.Err, e.Err, log)
}

func TestHostileServers(t *testing.T) {
	for _, tt := range []struct {
		name     string
		serve    func(w http.ResponseWriter, req *http.Request)
		code     rest.Code
		message  string // part of it
		reaction rest.Reaction
	}{
		{"dropped before the answer", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, rest.Network, "answer was lost", rest.Unknown},
		{"dropped inside the answer", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"result":`)
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, rest.Network, "answer was lost", rest.Unknown},
		{"shorter than announced", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, `{"result":true}`)
		}, rest.Network, "answer was lost: unexpected EOF", rest.Unknown},
		{"not HTTP", hijack("\x1b[2Jhello " + canary + "\r\n\r\n"), rest.Network, "answer was lost", rest.Unknown},
		{"endless header", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Long", strings.Repeat("x", rest.MaxHeader+5000))
			_, _ = io.WriteString(w, `{"result":true}`)
		}, rest.Network, "answer was lost", rest.Unknown},
		{"odd headers", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "image/png; charset=\"")
			w.Header()["Set-Cookie"] = []string{"PHPSESSID=" + canary, ";;;="}
			w.Header().Set("Content-Encoding", "odd")
			_, _ = io.WriteString(w, `{"error":"X","error_description":"y"}`)
		}, "X", "y", rest.Rejected},
		{"bad gzip", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = io.WriteString(w, `{"result":true}`)
		}, rest.Network, "answer was lost", rest.Unknown},
		{"escapes, newlines and bidi marks in the text", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"error":"A\u001b[31mB","error_description":"a\u001b]0;x\u0007b\r\n::error::c\u202ed\u2028e\u0000\u009bf"}`)
		}, "A [31mB", "a ]0;x b ::error::c d e f", rest.Rejected},
		{"long text", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = fmt.Fprintf(w, `{"error":"X","error_description":"%s"}`, strings.Repeat("и", 100_000))
		}, "X", strings.Repeat("и", 500) + "...", rest.Rejected},
		{"echo of the request", func(w http.ResponseWriter, req *http.Request) {
			body, _ := io.ReadAll(req.Body)
			_, _ = fmt.Fprintf(w, `{"error":%q,"error_description":%q}`, "got "+canary, "you sent "+string(body)+" or canary-7f3a\\/\\u0438 or canary-7f3a%2F%D0%B8")
		}, "got (sensitive)", `"auth":"(sensitive)"`, rest.Rejected},
	} {
		t.Run(tt.name, func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(tt.serve))
			defer srv.Close()
			srv.Config.ErrorLog = nil
			c, log := against(t, srv.URL, nil)
			e := oneUpdate(c)
			if e == nil {
				t.Fatal("success")
			}
			if e.Code != tt.code || !strings.Contains(e.Message, tt.message) || e.Reaction() != tt.reaction {
				t.Errorf("got %s %q reaction %d, want %s %q reaction %d", e.Code, e.Message, e.Reaction(), tt.code, tt.message, tt.reaction)
			}
			if all := spoken(e, log); strings.Contains(all, "canary") || strings.ContainsAny(e.Error(), "\x1b\n\r\x00") {
				t.Errorf("not fit to print: %q", all)
			}
		})
	}
}

// hijack answers with bytes that need not be HTTP.
func hijack(answer string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		_, _ = io.WriteString(conn, answer)
		_ = conn.Close()
	}
}

// endless is a body without an end; it counts what was read of it.
type endless struct{ read atomic.Int64 }

func (e *endless) Read(p []byte) (int, error) {
	for n := 0; n < len(p); {
		n += copy(p[n:], "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[")
	}
	e.read.Add(int64(len(p)))
	return len(p), nil
}
func (e *endless) Close() error { return nil }

func TestEndlessAnswersAreCut(t *testing.T) {
	for status, most := range map[int]int64{200: rest.MaxAnswer, 500: rest.MaxErrorAnswer} {
		body := &endless{}
		c := testClient(t, roundTrip(func(req *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: status, Header: http.Header{}, Body: body, Request: req}, nil
		}))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		e := oneUpdate(c)
		runtime.ReadMemStats(&after)
		if e == nil || e.Code != rest.BadAnswer || e.Reaction() != rest.Unknown {
			t.Errorf("status %d: %v", status, e)
		}
		if n := body.read.Load(); n > most+1<<20 {
			t.Errorf("status %d: %d bytes read, want at most %d", status, n, most)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > uint64(8*most) {
			t.Errorf("status %d: %d bytes allocated", status, n)
		}
	}
}

func TestRedirects(t *testing.T) {
	var strayed atomic.Int64
	other := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { strayed.Add(1) }))
	defer other.Close()
	for _, tt := range []struct {
		name    string
		status  int
		to      string
		message string
	}{
		{"other host", 302, other.URL + "/rest/1/" + "canary", "redirects to " + other.URL},
		{"other host, body repeated", 307, other.URL + "/rest/", "redirects to " + other.URL},
		{"other host, for good", 308, other.URL + "/rest/", "redirects to " + other.URL},
		{"https to http", 307, "", "redirects to http://127.0.0.1"},
		{"same host as GET", 301, "/login", "redirects to another path"},
		{"same host as GET", 302, "/login", "redirects to another path"},
		{"same host as GET", 303, "/login", "redirects to another path"},
		{"in a circle", 307, "", "redirects to"},
		{"nowhere", 302, "", "redirects to nowhere"},
		{"to something odd", 302, "\x1b[31m%zz", "redirects to nowhere"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var calls atomic.Int64
			var self string
			srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				calls.Add(1)
				to := tt.to
				switch tt.name {
				case "in a circle":
					to = self + req.URL.Path
				case "https to http":
					to = "http" + strings.TrimPrefix(self, "https") + req.URL.Path
				}
				if to != "" {
					w.Header()["Location"] = []string{to}
				}
				w.WriteHeader(tt.status)
			}))
			defer srv.Close()
			self = srv.URL
			c, log := against(t, srv.URL, srv.Client().Transport)
			e := oneUpdate(c)
			if e == nil || e.Code == rest.Network && tt.name != "to something odd" || e.Code == rest.BadAnswer && !strings.Contains(e.Message, tt.message) {
				t.Errorf("%v", e)
			}
			if e.Code == rest.BadAnswer && e.Reaction() != rest.Fatal {
				t.Errorf("reaction %d", e.Reaction())
			}
			if n := calls.Load(); n > 4 || n != 1 && tt.name == "same host as GET" {
				t.Errorf("%d calls", n)
			}
			if strings.Contains(spoken(e, log), "canary") {
				t.Errorf("%s", spoken(e, log))
			}
		})
	}
	if strayed.Load() != 0 {
		t.Error("a redirect to another host was followed")
	}
}

func TestRedirectOnTheSameHostKeepsTheBody(t *testing.T) {
	var got string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if !strings.HasPrefix(req.URL.Path, "/moved") {
			http.Redirect(w, req, "/moved"+req.URL.Path, http.StatusPermanentRedirect)
			return
		}
		b, _ := io.ReadAll(req.Body)
		got = string(b)
		_, _ = io.WriteString(w, `{"result":true}`)
	}))
	defer srv.Close()
	c, _ := against(t, srv.URL, nil)
	if e := oneUpdate(c); e != nil || !strings.Contains(got, `"id":4`) {
		t.Errorf("%v, sent %q", e, got)
	}
	if n := c.Counters().HTTP; n != 2 {
		t.Errorf("%d requests counted, 2 were sent", n)
	}
}

func TestUntrustedCertificateIsFatal(t *testing.T) {
	var called atomic.Bool
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called.Store(true) }))
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	srv.StartTLS()
	defer srv.Close()
	c, _ := against(t, srv.URL, nil)
	e := oneUpdate(c)
	var cert *tls.CertificateVerificationError
	if e == nil || e.Reaction() != rest.Fatal || !e.NotSent || !errors.As(e, &cert) || !strings.Contains(e.Message, "certificate is not trusted") || e.Hint == "" {
		t.Errorf("%v (%q)", e, e.Hint)
	}
	if called.Load() {
		t.Error("the request was sent")
	}
}

// What is wrong with a certificate decides what to do about it.
func TestHintsForCertificates(t *testing.T) {
	now := time.Now()
	for name, tt := range map[string]struct {
		change  func(*x509.Certificate)
		trusted bool
		hint    string
	}{
		"no subjectAltName": {func(c *x509.Certificate) { c.IPAddresses = nil }, true, "subjectAltName"},
		"another host":      {func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"other.example"} }, true, "another host"},
		"expired":           {func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Hour) }, true, "has expired"},
		"unknown authority": {func(*x509.Certificate) {}, false, "SSL_CERT_FILE"},
	} {
		t.Run(name, func(t *testing.T) {
			key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
			template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "127.0.0.1"}, NotBefore: now.Add(-2 * time.Hour), NotAfter: now.Add(time.Hour),
				IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
			tt.change(template)
			der := must(x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key))(t)
			srv := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
			srv.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
			srv.StartTLS()
			defer srv.Close()
			tr := rest.NewTransport()
			tr.TLSClientConfig = &tls.Config{RootCAs: x509.NewCertPool()}
			if cert, err := x509.ParseCertificate(der); err == nil && tt.trusted {
				tr.TLSClientConfig.RootCAs.AddCert(cert)
			}
			c, _ := against(t, srv.URL, tr)
			if e := oneUpdate(c); e == nil || e.Reaction() != rest.Fatal || !strings.Contains(e.Hint, tt.hint) {
				t.Errorf("%v (%q)", e, e.Hint)
			}
		})
	}
}

func TestUnreachableIsNotDelivered(t *testing.T) {
	ln := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	address := "http://" + ln.Addr().String()
	_ = ln.Close() // nobody listens there any more
	c, _ := against(t, address, nil)
	if e := oneUpdate(c); e == nil || e.Reaction() != rest.NotDelivered || !strings.Contains(e.Message, "cannot be reached") {
		t.Errorf("%v", e)
	}

	// A handshake that fails is no connection either.
	plain := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("called") }))
	defer plain.Close()
	plain.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	c, _ = against(t, "https"+strings.TrimPrefix(plain.URL, "http"), nil)
	if e := oneUpdate(c); e == nil || e.Reaction() != rest.NotDelivered {
		t.Errorf("%v", e)
	}
}

func TestTimeoutAndCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		creds, _ := Application("https://portal.example", oauth2.StaticTokenSource(&oauth2.Token{AccessToken: canary}), secret.New(canary))
		c := New(Config{Credentials: creds, Timeout: 15 * time.Second, Transport: roundTrip(func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, req.Context().Err()
		})})
		start := time.Now()
		if e := oneUpdate(c); e == nil || e.Reaction() != rest.Unknown || !errors.Is(e, context.DeadlineExceeded) || time.Since(start) != 15*time.Second {
			t.Errorf("after the time limit: %v after %s", e, time.Since(start))
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_, err := c.WriteAlone(ctx, UpdateSource(4, SourceFields{Title: "t"}))
		var e *rest.Error
		if !errors.As(err, &e) || e.Reaction() != rest.NotDelivered || !errors.Is(err, context.Canceled) {
			t.Errorf("after cancel: %v", err)
		}
	})
}
