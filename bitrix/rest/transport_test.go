package rest

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// through sends a request for a portal through a proxy at address.
func through(t *testing.T, address string) *Error {
	t.Helper()
	proxy, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	tr := NewTransport()
	tr.Proxy = http.ProxyURL(proxy)
	defer tr.CloseIdleConnections()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "https://portal.example/rest/1/canary/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = Fetch(&http.Client{Transport: tr}, req, 1000)
	if err == nil {
		t.Fatal("an answer came")
	}
	return Lost(ThePortal, 0, err, Scrub("canary"))
}

// A proxy's refusal is not the portal's, and its refused password is not sent
// again and again.
func TestProxyThatRefuses(t *testing.T) {
	for status, want := range map[int]Reaction{407: Fatal, 403: Fatal, 502: NotDelivered, 503: NotDelivered} {
		asked := 0
		proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			asked++
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "canary")
		}))
		e := through(t, strings.Replace(proxy.URL, "http://", "http://user:canary@", 1))
		proxy.Close()
		if e.Code != Proxy || e.Reaction() != want || !e.NotSent || e.Status != 0 || !strings.Contains(e.Message, "the proxy 127.0.0.1:") || strings.Contains(e.Error(), "canary") {
			t.Errorf("%d: %v, reaction %d", status, e, e.Reaction())
		}
		if asked != 1 {
			t.Errorf("%d: the proxy was asked %d times", status, asked)
		}
	}
}

func TestProxyThatIsAway(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = ln.Close()
	e := through(t, "http://user:canary@"+ln.Addr().String())
	if e.Code != Proxy || e.Reaction() != NotDelivered || !strings.Contains(e.Message, "the proxy cannot be reached") || strings.Contains(e.Error(), "canary") {
		t.Errorf("%v, reaction %d", e, e.Reaction())
	}
}

func TestCheckProxy(t *testing.T) {
	for value, why := range map[string]string{
		"": "", "http://proxy.example:3128": "", "proxy.example:3128": "", "https://user:p%25w@proxy.example": "", "socks5://127.0.0.1:1080": "", "http://[::1]:3128": "",
		"http://user:pa%zzcanary@proxy.example:3128": "write %25",
		"http://user:canary@proxy.example:99999":     "not an address", "://canary": "not an address",
		"ftp://user:canary@proxy.example": "scheme",
	} {
		for _, name := range []string{"HTTPS_PROXY", "https_proxy"} {
			err := CheckProxy(func(n string) string {
				if n == name {
					return value
				}
				return ""
			})
			switch {
			case why == "" && err != nil:
				t.Errorf("%q: %v", value, err)
			case why != "" && (err == nil || !strings.Contains(err.Error(), why) || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "canary")):
				t.Errorf("%q: %v, want %q", value, err, why)
			}
		}
	}
	// The first that is set counts, as for net/http.
	if err := CheckProxy(func(name string) string {
		return map[string]string{"HTTPS_PROXY": "http://proxy.example", "https_proxy": "http://%zz"}[name]
	}); err != nil {
		t.Error(err)
	}
}
