package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"time"

	"github.com/cli/browser"

	"syncsources/bitrix/auth"
	"syncsources/cmd/syncsources/exit"
	"syncsources/cmd/syncsources/option"
)

// grant is what an authorization ends with: a code to exchange, or the event
// of an installation, which holds a pair.
type grant struct {
	code  string
	event []byte
}

// await sends the user to the portal and waits for the browser to return to
// the loopback address, or for something useful on standard input.
func (a *app) await(ctx context.Context, f *loginFlags, app *application) (grant, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	state := rand.Text() // nobody can guess it: it ties the browser's return to this login
	grants := make(chan grant, 1)
	failures := make(chan error, 1)
	offer := func(g grant, err error) {
		if err != nil {
			select {
			case failures <- err:
			default:
			}
			return
		}
		select {
		case grants <- g:
		default:
		}
	}

	back, err := listenForReturn(ctx, f.listen, state, offer)
	if err != nil {
		a.warn(fmt.Sprintf("cannot listen on %s, so the browser's return has to be pasted: %v", f.listen, err), &f.logFlags)
	} else {
		defer back.close()
	}
	address := auth.AuthorizeURL(app.portal, app.clientID, state)
	_, _ = fmt.Fprintf(a.stderr, "To let the application into %s, open\n\n  %s\n\n", app.portal, address)
	if back != nil {
		_, _ = fmt.Fprintf(a.stderr, "and come back here. The application's handler path in the portal should be http://%s/.\n", back.address)
	}
	_, _ = fmt.Fprintln(a.stderr, "If the browser ends at a page that cannot be shown, paste that page's address here:")
	if !f.noBrowser && option.IsTerminal(a.stdin) && hasBrowser(a.env) {
		go openBrowser(address)
	}
	// The reader outlives a login that ends otherwise: a read cannot be broken
	// off. The process ends soon after.
	go readGrant(a.stdin, a.stderr, state, offer)

	select {
	case g := <-grants:
		return g, nil
	case err := <-failures:
		return grant{}, err
	case <-ctx.Done():
		return grant{}, context.Cause(ctx)
	}
}

// returns is the server that the browser returns to.
type returns struct {
	address string
	server  *http.Server
}

// listenForReturn serves the application's handler path until it is closed.
func listenForReturn(ctx context.Context, address, state string, offer func(grant, error)) (*returns, error) {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	r := &returns{address: listener.Addr().String(), server: &http.Server{
		ReadHeaderTimeout: 10 * time.Second,
		MaxHeaderBytes:    64 << 10,
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { answerReturn(w, req.URL.Query(), state, offer) }),
	}}
	go func() { _ = r.server.Serve(listener) }()
	return r, nil
}

// close lets the page that is being shown be finished.
func (r *returns) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = r.server.Shutdown(ctx)
}

// answerReturn takes the code off the browser. A request without the state of
// this login, from another page or an earlier login, changes nothing.
func answerReturn(w http.ResponseWriter, query url.Values, state string, offer func(grant, error)) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("Cache-Control", "no-store")
	g, err := grantOf(query, state)
	switch {
	case errors.Is(err, errOtherLogin):
		w.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprintln(w, "This is not the return of the login that is waiting.")
		return
	case err != nil:
		_, _ = fmt.Fprintln(w, "The portal did not let the application in. You can close this page.")
	default:
		_, _ = fmt.Fprintln(w, "The code has arrived; the terminal tells the rest. You can close this page.")
	}
	offer(g, err)
}

var errOtherLogin = errors.New("this is not the return of the login that is waiting")

// grantOf reads the parameters that the browser returns with.
func grantOf(query url.Values, state string) (grant, error) {
	if subtle.ConstantTimeCompare([]byte(query.Get("state")), []byte(state)) != 1 {
		return grant{}, errOtherLogin
	}
	if code := query.Get("error"); code != "" {
		return grant{}, &exit.Failure{Exit: exit.Stopped, Code: exit.CodeCredentials,
			Message: fmt.Sprintf("the portal did not let the application in: %.100q", code),
			Hints:   []string{"log in to the portal as a user that the application is open to, and allow it"}}
	}
	if query.Get("code") == "" {
		return grant{}, errOtherLogin
	}
	return grant{code: query.Get("code")}, nil
}

// readGrant reads standard input for the address that the browser ended at, a
// code, or the JSON of an installation event. What is none of them is said so,
// and the next line is read.
func readGrant(in io.Reader, out io.Writer, state string, offer func(grant, error)) {
	lines := bufio.NewReader(io.LimitReader(in, maxSecretFile))
	for {
		line, err := lines.ReadBytes('\n')
		line = bytes.TrimSpace(line)
		switch {
		case len(line) == 0:
		case line[0] == '{' || bytes.Contains(line, []byte("auth[")) || bytes.Contains(line, []byte("auth%5B")):
			offer(eventGrant(line, lines))
			return
		default:
			g, wrong := pasted(string(line), state)
			if wrong == nil || !errors.Is(wrong, errOtherLogin) {
				offer(g, wrong)
				return
			}
			_, _ = fmt.Fprintln(out, "That is neither the address of this login's return nor a code; paste it again:")
		}
		if err != nil {
			return
		}
	}
}

// eventGrant reads an installation event that begins with a line: a form of
// one line, or JSON of one or several.
func eventGrant(line []byte, rest io.Reader) (grant, error) {
	event := line
	if line[0] == '{' {
		var whole json.RawMessage
		if err := json.NewDecoder(io.MultiReader(bytes.NewReader(line), rest)).Decode(&whole); err == nil {
			event = whole
		}
	}
	if _, err := auth.PairFromEvent(event); err != nil {
		return grant{}, exit.Refuse(exit.CodeCredentials, "standard input: "+err.Error())
	}
	return grant{event: event}, nil
}

// pasted reads a line that a person pasted: an address, or a code alone.
func pasted(line, state string) (grant, error) {
	if !strings.ContainsAny(line, "?/ \t") {
		return grant{code: line}, nil
	}
	u, err := url.Parse(line)
	if err != nil {
		return grant{}, errOtherLogin
	}
	return grantOf(u.Query(), state)
}

// hasBrowser reports whether a browser would open in front of the user. On
// Linux that takes a display: without one, a browser for text terminals would
// take over this one.
func hasBrowser(e option.Environment) bool {
	switch runtime.GOOS {
	case "darwin", "windows":
		return e.Get("SSH_CONNECTION") == ""
	}
	return e.Get("DISPLAY") != "" || e.Get("WAYLAND_DISPLAY") != "" || e.Get("WSL_DISTRO_NAME") != ""
}

// openBrowser opens an address; where that fails, the printed one remains.
func openBrowser(address string) {
	browser.Stdout, browser.Stderr = io.Discard, io.Discard
	_ = browser.OpenURL(address)
}

// loopbackAndPort checks an address to listen on that no other machine reaches:
// a code that arrives at it is as good as a password for 30 seconds.
func loopbackAndPort(text string) (string, error) {
	host, _, err := net.SplitHostPort(text)
	if err != nil {
		return option.Address(text)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return "", fmt.Errorf("must be an address of this machine alone, like 127.0.0.1:8925")
	}
	return option.Address(text)
}
