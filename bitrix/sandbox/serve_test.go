package sandbox

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// serving runs a portal on a loopback port and returns its address and what
// stops it.
func serving(t *testing.T, p *Portal) (address string, stop func() error) {
	t.Helper()
	l := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.Serve(ctx, l) }()
	stop = func() error { cancel(); return <-done }
	t.Cleanup(cancel)
	return "http://" + l.Addr().String(), stop
}

func TestServeStopsCleanly(t *testing.T) {
	p := newPortal(t, smallState)
	address, stop := serving(t, p)
	r := jsonRequest("profile", `{}`)
	r.URL.Scheme, r.URL.Host, _ = strings.Cut(address, "://")
	if out, err := ask(&http.Client{}, r); err != nil || out.status != 200 {
		t.Fatalf("%v %d", err, out.status)
	}
	if err := stop(); err != nil {
		t.Errorf("stopped with %v", err)
	}
	if _, err := http.Get(address); err == nil {
		t.Error("still there")
	}
}

func TestServeReportsAListenerThatFails(t *testing.T) {
	l := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	l.Close()
	if err := newPortal(t, ``).Serve(t.Context(), l); !errors.Is(err, net.ErrClosed) {
		t.Errorf("error %v", err)
	}
}

// The lines to paste do what they say: each is taken apart as a shell would,
// and sent.
func TestDescribedLinesWork(t *testing.T) {
	for _, webhooks := range []bool{true, false} {
		state := smallState
		if webhooks {
			state += "webhooks: true\n"
		}
		p := newPortal(t, state)
		address, stop := serving(t, p)
		var text strings.Builder
		check(t, p.Describe(&text, address+"/", ""))
		if !strings.Contains(text.String(), "A portal listens at "+address+". The application sees 2 connectors, 6 sources and 1 table. ") {
			t.Errorf("text:\n%s", &text)
		}
		var answers []string
		for _, line := range regexp.MustCompile(`(?m)^  curl (?:.*\\\n)*.*$`).FindAllString(text.String(), -1) {
			out, err := ask(&http.Client{}, curl(t, line))
			if err != nil || out.status != 200 {
				t.Fatalf("%s\n%v %d", line, err, out.status)
			}
			answers = append(answers, out.body)
		}
		if len(answers) != 3 {
			t.Fatalf("%d lines in\n%s", len(answers), &text)
		}
		if s, _ := p.Source(4); s.Title != "New source name" {
			t.Errorf("title %q", s.Title)
		}
		if got := strings.Contains(answers[2], "ACCESS_DENIED"); got == webhooks {
			t.Errorf("webhooks %v: %s", webhooks, answers[2])
		}
		if got := strings.Contains(text.String(), "B24_WEBHOOK_URL="+address+WebhookPath); got != webhooks {
			t.Errorf("webhooks %v, but the environment:\n%s", webhooks, &text)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	}
}

// curl turns a command line of curl into the request that it makes. If the
// machine has a curl, see TestRealCurl.
func curl(t *testing.T, line string) *http.Request {
	t.Helper()
	verb, body, address := http.MethodGet, "", ""
	header := http.Header{}
	words := regexp.MustCompile(`'([^']*)'|([^\s'\\]+)`).FindAllStringSubmatch(line, -1)
	for i := 1; i < len(words); i++ {
		word := func(i int) string { return words[i][1] + words[i][2] }
		switch w := word(i); w {
		case "-X":
			i++
			verb = word(i)
		case "-H":
			i++
			name, value, _ := strings.Cut(word(i), ": ")
			header.Set(name, value)
		case "-d":
			i++
			body = word(i)
			if verb == http.MethodGet {
				verb = http.MethodPost
			}
			if header.Get("Content-Type") == "" {
				header.Set("Content-Type", "application/x-www-form-urlencoded")
			}
		default:
			address = w
		}
	}
	r := must(http.NewRequest(verb, address, strings.NewReader(body)))(t)
	r.Header = header
	return r
}

// Where there is a curl, it agrees, without the settings and the proxy of its
// user.
func TestRealCurl(t *testing.T) {
	path, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("no curl on this machine")
	}
	p := newPortal(t, smallState+"webhooks: true\n")
	address, _ := serving(t, p)
	out, err := exec.Command(path, "-q", "--noproxy", "*", "-s", "-d", "id=4&fields[title]=A+b", address+WebhookPath+"biconnector.source.update.json").Output()
	if err != nil || !strings.HasPrefix(string(out), `{"result":true,"time":{`) {
		t.Errorf("%v %s", err, out)
	}
	if s, _ := p.Source(4); s.Title != "A b" {
		t.Errorf("title %q", s.Title)
	}
}

// Over https a client that trusts the certificate needs no check switched off,
// by address as by name; and the lines to paste say how.
func TestServeTLS(t *testing.T) {
	p := newPortal(t, smallState)
	cert, trusted, err := NewCertificate("127.0.0.1")
	check(t, err)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}})
	check(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.Serve(ctx, l) }()
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(trusted)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	for _, host := range []string{"127.0.0.1", "localhost"} {
		r := jsonRequest("app.info", `{}`)
		r.URL.Host = net.JoinHostPort(host, port)
		if out, err := ask(&http.Client{Transport: transport}, r); err != nil || out.status != 200 {
			t.Errorf("%s: %v %d", host, err, out.status)
		}
	}
	if _, err := ask(&http.Client{Transport: &http.Transport{}}, &http.Request{Method: "GET", URL: &url.URL{Scheme: "https", Host: l.Addr().String()}}); err == nil {
		t.Error("a client that does not know the certificate trusts it")
	}
	var text strings.Builder
	check(t, p.Describe(&text, "https://"+l.Addr().String(), "/tmp/c.pem"))
	for _, want := range []string{"curl --cacert /tmp/c.pem ", "SSL_CERT_FILE=/tmp/c.pem NODE_EXTRA_CA_CERTS=/tmp/c.pem"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, &text)
		}
	}
	transport.CloseIdleConnections()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// Pages of any origin may call a portal: a browser asks with OPTIONS first, and
// looks for the headers in every answer.
func TestBrowsersMayCall(t *testing.T) {
	p := newPortal(t, smallState)
	for _, verb := range []string{"OPTIONS", "POST"} {
		r := jsonRequest("biconnector.source.get", `{"id":4}`)
		r.Method = verb
		r.Header.Del("Authorization")
		out, err := do(p, r)
		if err != nil || out.header.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(out.header.Get("Access-Control-Allow-Headers"), "content-type") {
			t.Errorf("%s: %v %v", verb, err, out.header)
		}
		if want := map[string]int{"OPTIONS": 200, "POST": 401}[verb]; out.status != want {
			t.Errorf("%s: %d, want %d", verb, out.status, want)
		}
	}
	if st := p.Stats(); st.Requests != 1 {
		t.Errorf("%d requests: OPTIONS counts for nothing", st.Requests)
	}
}
