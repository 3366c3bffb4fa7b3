package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"syncsources/bitrix/auth"
	"syncsources/bitrix/sandbox"
	"syncsources/cmd/syncsources/exit"
	"syncsources/cmd/syncsources/option"
)

// applicationPortal serves a portal on loopback and returns the environment of
// an application that logs in to it.
func applicationPortal(t *testing.T, state string) (p *sandbox.Portal, environ []string, tokenFile string) {
	t.Helper()
	p = openPortal(t, "connectors: [{id: 1, title: SQL}]\nsources: [{id: 4, title: CRM, connectorId: 1}]\n"+state)
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	tokenFile = filepath.Join(t.TempDir(), "state", "token.json")
	return p, []string{
		"B24_PORTAL_URL=" + server.URL, "B24_OAUTH_URL=" + server.URL, "B24_CLIENT_ID=" + sandbox.ClientID,
		"B24_CLIENT_SECRET=" + sandbox.ClientSecret, "B24_TOKEN_FILE=" + tokenFile,
	}, tokenFile
}

// loginProcess is a login that runs in the background.
type loginProcess struct {
	stdin          io.WriteCloser
	stdout, stderr strings.Builder
	printed        *bufio.Reader // what is not read yet of standard error
	exit           chan int
}

func startLogin(t *testing.T, ctx context.Context, environ []string, args ...string) *loginProcess {
	t.Helper()
	in, stdin := io.Pipe()
	errors, stderr := io.Pipe()
	p := &loginProcess{stdin: stdin, exit: make(chan int, 1)}
	p.printed = bufio.NewReader(io.TeeReader(errors, &p.stderr))
	go func() {
		a := &app{env: option.NewEnvironment(environ), stdin: in, stdout: &p.stdout, stderr: stderr, terminal: func(any) bool { return true }}
		code := a.run(ctx, append([]string{"login"}, args...))
		_ = stderr.Close()
		p.exit <- code
	}()
	t.Cleanup(func() { _ = stdin.Close() })
	return p
}

// find reads standard error up to a match and returns its last group.
func (p *loginProcess) find(t *testing.T, pattern string) string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	for {
		line, err := p.printed.ReadString('\n')
		if m := re.FindStringSubmatch(line); m != nil {
			return m[len(m)-1]
		}
		if err != nil {
			t.Fatalf("%s is not in\n%s", pattern, p.stderr.String())
		}
	}
}

// wait drains standard error and returns the exit code.
func (p *loginProcess) wait() int {
	_, _ = io.Copy(io.Discard, p.printed)
	return <-p.exit
}

// visit is the browser of a user who lets the application in: it opens the
// printed address, and the portal sends it to the application's own.
func visit(t *testing.T, authorize, own string) (status int, page, ended string) {
	t.Helper()
	resp := must(http.Get(authorize + "&redirect_uri=" + url.QueryEscape(own)))(t)
	defer func() { _ = resp.Body.Close() }()
	body, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body), resp.Request.URL.String()
}

func TestLoginInABrowser(t *testing.T) {
	p, environ, file := applicationPortal(t, "")
	login := startLogin(t, context.Background(), environ, "--listen", "127.0.0.1:0")
	authorize := login.find(t, `^  (http\S+)`)
	own := login.find(t, `should be (http://\S+/)\.`)

	// Another page, or an earlier login, cannot push a code in.
	for _, query := range []string{"?code=x&state=guessed", "?code=x", "?error=access_denied", ""} {
		resp := must(http.Get(own + query))(t)
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusBadRequest {
			t.Errorf("%q: status %d", query, resp.StatusCode)
		}
	}
	if p.Stats().Tokens != 0 {
		t.Error("a code without the right state was exchanged")
	}

	status, page, _ := visit(t, authorize, own)
	if code := login.wait(); code != exit.OK || status != http.StatusOK || !strings.Contains(page, "close this page") {
		t.Fatalf("exit code %d, page %d %q\n%s", code, status, page, login.stderr.String())
	}
	want := "as Sandbox User (user 1).\nScope: biconnector, user_brief.\nThe tokens are in " + file + ", and are renewed when they expire.\nNext: syncsources status "
	if out := login.stdout.String(); !strings.HasPrefix(out, "Logged in to http://127.0.0.1:") || !strings.Contains(out, want) {
		t.Errorf("printed\n%s\nwant in it\n%s", out, want)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if s := p.Stats(); s.Tokens != 1 || s.Renewals != 0 {
		t.Errorf("%d requests for tokens, %d renewals", s.Tokens, s.Renewals)
	}
	if all := login.stdout.String() + login.stderr.String(); strings.Contains(all, "sandbox-") {
		t.Errorf("a secret is printed:\n%s", all)
	}
}

// The sandbox sends a browser to where login waits by default, and starts
// without a state file as an empty portal.
func TestSandboxRedirectsToLogin(t *testing.T) {
	portal := must(openSandbox(t.Context(), ""))(t)
	defer func() { _ = portal.Close() }()
	answer := httptest.NewRecorder()
	portal.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/oauth/authorize/?state=s&client_id="+sandbox.ClientID, nil))
	if to, err := answer.Result().Location(); err != nil || to.Host != returnAddress || to.Query().Get("state") != "s" || to.Query().Get("code") == "" {
		t.Errorf("redirects to %v, %v", to, err)
	}
}

func TestLoginByPastedAddress(t *testing.T) {
	for name, paste := range map[string]func(ended, code string) string{
		"the address": func(ended, _ string) string { return ended },
		"the code":    func(_, code string) string { return code },
		"the address after mistakes": func(ended, _ string) string {
			return "what is this\nhttp://127.0.0.1/?code=x&state=y\n\n" + ended
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, environ, _ := applicationPortal(t, "")
			login := startLogin(t, context.Background(), environ, "--listen", "127.0.0.1:0")
			authorize := login.find(t, `^  (http\S+)`)
			// The application's handler path is one where nobody listens.
			elsewhere := httptest.NewServer(http.NotFoundHandler())
			defer elsewhere.Close()
			_, _, ended := visit(t, authorize, elsewhere.URL)
			u, _ := url.Parse(ended)
			go func() { _, _ = fmt.Fprintln(login.stdin, paste(ended, u.Query().Get("code"))) }()
			if code := login.wait(); code != exit.OK {
				t.Errorf("exit code %d\n%s", code, login.stderr.String())
			}
		})
	}
}

func TestLoginRefusedInTheBrowser(t *testing.T) {
	_, environ, file := applicationPortal(t, "")
	login := startLogin(t, context.Background(), environ, "--listen", "127.0.0.1:0")
	authorize, _ := url.Parse(login.find(t, `^  (http\S+)`))
	own := login.find(t, `should be (http://\S+/)\.`)
	resp := must(http.Get(own + "?error=access_denied%1b&state=" + authorize.Query().Get("state")))(t)
	_ = resp.Body.Close()
	if code := login.wait(); code != exit.Stopped || !strings.Contains(login.stderr.String(), `denied access to the application: "access_denied\x1b"`) {
		t.Errorf("exit code %d\n%s", code, login.stderr.String())
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("something was stored")
	}
}

func TestLoginInterrupted(t *testing.T) {
	_, environ, _ := applicationPortal(t, "")
	ctx, cancel := context.WithCancelCause(context.Background())
	login := startLogin(t, ctx, environ, "--listen", "127.0.0.1:0")
	login.find(t, `paste its address`)
	cancel(exit.Signal{Received: os.Interrupt})
	if code := login.wait(); code != exit.Interrupted || !strings.Contains(login.stderr.String(), "interrupted; nothing was stored") {
		t.Errorf("exit code %d\n%s", code, login.stderr.String())
	}
}

// roundTripper makes a transport of a function.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Who interrupts the last step is told that the tokens are stored.
func TestLoginInterruptedAtTheEnd(t *testing.T) {
	portal, environ, file := applicationPortal(t, "")
	resp := must(http.Get(environ[0][len("B24_PORTAL_URL="):] + "/oauth/authorize/?client_id=" + sandbox.ClientID))(t)
	defer func() { _ = resp.Body.Close() }()
	page, _ := io.ReadAll(resp.Body)
	code := regexp.MustCompile(`<code>([^<]+)</code>`).FindStringSubmatch(string(page))

	ctx, cancel := context.WithCancelCause(context.Background())
	var stderr strings.Builder
	a := &app{env: option.NewEnvironment(environ), stdin: strings.NewReader(""), stdout: io.Discard, stderr: &stderr,
		transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			if strings.HasPrefix(r.URL.Path, "/rest/") {
				cancel(exit.Signal{Received: os.Interrupt})
			}
			return portal.RoundTripper().RoundTrip(r)
		})}
	if got := a.run(ctx, []string{"login", "--code", code[1]}); got != exit.Interrupted || stderr.String() != "error: interrupted; the tokens are stored in "+file+"\n" {
		t.Errorf("exit code %d\n%s", got, stderr.String())
	}
}

// A store that a run keeps locked is waited for until the time is over.
func TestLoginWaitsForTheStore(t *testing.T) {
	_, environ, file := applicationPortal(t, "")
	store := must(auth.NewTokenFile(file, nil))(t)
	locked := must(store.Lock(context.Background()))(t)
	defer locked.Unlock()
	login := startLogin(t, context.Background(), environ, "--code", "sandbox-code-1", "--timeout", "20ms")
	if code := login.wait(); code != exit.Stopped || !strings.Contains(login.stderr.String(), file+".lock is held by another run") {
		t.Errorf("exit code %d\n%s", code, login.stderr.String())
	}
}

// However short the time is, it is that of a person, and not of the store.
func TestLoginWithoutAFreePort(t *testing.T) {
	taken := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	defer func() { _ = taken.Close() }()
	_, environ, _ := applicationPortal(t, "")
	login := startLogin(t, context.Background(), environ, "--listen", taken.Addr().String(), "--timeout", "1ns")
	if code := login.wait(); code != exit.Stopped || !strings.Contains(login.stderr.String(), "paste its address instead") ||
		!strings.Contains(login.stderr.String(), "no authorization arrived in time") {
		t.Errorf("exit code %d\n%s", code, login.stderr.String())
	}
}

// authorizeCode is the story command
//
//	authorize NAME   authorize the application, and put the code into a variable
func authorizeCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: authorize NAME")
	}
	resp, err := http.Get(ts.Getenv("B24_PORTAL_URL") + "/oauth/authorize/?client_id=" + sandbox.ClientID)
	ts.Check(err)
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	ts.Check(err)
	m := regexp.MustCompile(`<code>([^<]+)</code>`).FindSubmatch(body)
	if m == nil {
		ts.Fatalf("no code in %s", body)
	}
	ts.Setenv(args[0], string(m[1]))
}

// expireTokens is the story command
//
//	expire   the hour of all access tokens is over
func expireTokens(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: expire")
	}
	storyOf(ts).portal.ExpireTokens()
}

// countRenewals is the story command
//
//	renewals N   the portal has renewed so many token pairs
func countRenewals(ts *testscript.TestScript, neg bool, args []string) {
	wantCount(ts, neg, args, "renewals", storyOf(ts).portal.Stats().Renewals)
}

// freePort is the story command
//
//	freeport NAME   put a port that nobody listens on into a variable
func freePort(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: freeport NAME")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	_, port, err := net.SplitHostPort(listener.Addr().String())
	ts.Check(err)
	ts.Check(listener.Close())
	ts.Setenv(args[0], port)
}

// standInBrowser is the browser of the stories, found as xdg-open: its user
// lets the application in, whose handler path is $RETURN.
func standInBrowser() {
	if err := os.WriteFile("opened", nil, 0o600); err != nil {
		panic(err)
	}
	resp, err := http.Get(os.Args[1] + "&redirect_uri=" + url.QueryEscape(os.Getenv("RETURN")))
	if err != nil {
		panic(err)
	}
	_ = resp.Body.Close()
}
