package signin

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"time"

	"github.com/cli/browser"

	"syncsources/bitrix/auth"
	"syncsources/cmd/syncsources/option"
)

// await sends the user to the portal and waits for the browser to return to
// the loopback address, or for something useful on standard input.
func (app *Application) await(ctx context.Context, l Login) (grant, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if !l.Terminal {
		g, err := app.readAll(ctx, l.Stdin)
		if !errors.Is(err, errNoInput) {
			return g, err
		}
		return grant{}, app.needsTerminal()
	}
	state := rand.Text() // nobody can guess it: it ties the browser's return to this login
	o := &offers{first: make(chan offer, 1), crashes: make(chan any, 2)}
	listening, stop, err := listenForReturn(ctx, l.Listen, state, o)
	if err != nil {
		app.logger.Warn("cannot listen for the browser: paste its address instead", "address", l.Listen, "error", err.Error())
	} else {
		defer stop()
	}
	address := auth.AuthorizeURL(app.Portal, app.ClientID, state)
	_, _ = fmt.Fprintf(l.Stderr, "To authorize the application on %s, open\n\n  %s\n\n", app.Portal, address)
	if err == nil {
		_, _ = fmt.Fprintf(l.Stderr, "and come back here. The application's handler path in the portal should be http://%s/.\n", listening)
	}
	_, _ = fmt.Fprintln(l.Stderr, "If the browser lands on a page that does not load, paste its address here:")
	if !l.NoBrowser && hasBrowser(l.Env) {
		go o.guard(func() { openBrowser(address) })
	}
	// The reader outlives a login that ends otherwise: a read cannot be broken
	// off. The process ends soon after.
	go o.guard(func() { app.readLines(l.Stdin, l.Stderr, state, o) })

	select {
	case first := <-o.first:
		return first.grant, first.err
	case reason := <-o.crashes:
		panic(reason)
	case <-ctx.Done():
		return grant{}, context.Cause(ctx)
	}
}

// needsTerminal is the error of a login that nobody can answer.
func (app *Application) needsTerminal() error {
	return refuse("login needs a terminal, or a token pair on standard input",
		"run it on a terminal; the machine needs no browser",
		"or open "+auth.AuthorizeURL(app.Portal, app.ClientID, "")+" anywhere, and within 30 s run: syncsources login --code CODE",
		"or pass the installation event, or a token file: syncsources login <event.json")
}

// offers are what several ways to a grant have found; the first one counts.
type offers struct {
	first   chan offer
	crashes chan any
}

type offer struct {
	grant grant
	err   error
}

// guard calls f. A panic of it is that of whoever waits for the grant.
func (o *offers) guard(f func()) {
	defer func() {
		if reason := recover(); reason != nil {
			o.crashes <- reason
		}
	}()
	f()
}

func (o *offers) add(g grant, err error) {
	select {
	case o.first <- offer{g, err}:
	default:
	}
}

// listenForReturn serves the application's handler path, to which the browser
// returns. stop lets the page that is being shown be finished.
func listenForReturn(ctx context.Context, address, state string, o *offers) (listening string, stop func(), err error) {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{
		ReadHeaderTimeout: 10 * time.Second,
		MaxHeaderBytes:    64 << 10,
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { answerReturn(w, req, state, o) }),
	}
	go func() { _ = server.Serve(listener) }()
	return listener.Addr().String(), func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = server.Shutdown(ctx)
	}, nil
}

// answerReturn takes the code off the browser. A request without the state of
// this login, from another page or an earlier login, changes nothing.
func answerReturn(w http.ResponseWriter, req *http.Request, state string, o *offers) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("Cache-Control", "no-store")
	g, err := parameters(req.URL.Query(), state, false)
	switch {
	case errors.Is(err, errOtherLogin):
		w.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprintln(w, "This request does not belong to the login in progress.")
		return
	case err != nil:
		_, _ = fmt.Fprintln(w, "The portal denied access to the application. You can close this page.")
	default:
		_, _ = fmt.Fprintln(w, "Code received. Continue in the terminal. You can close this page.")
	}
	o.add(g, err)
}

// errNoInput is the error of a standard input that holds nothing.
var errNoInput = errors.New("standard input is empty")

// readAll reads a standard input that is not a terminal to its end.
func (app *Application) readAll(ctx context.Context, in io.Reader) (grant, error) {
	read, err := option.Obey(ctx, func() ([]byte, error) { return io.ReadAll(io.LimitReader(in, maxSecretFile+1)) })
	text := strings.TrimSpace(string(read))
	switch {
	case err != nil && err == context.Cause(ctx):
		return grant{}, err
	case err != nil:
		return grant{}, refuse("standard input: " + err.Error())
	case text == "":
		return grant{}, errNoInput
	case len(read) > maxSecretFile:
		return grant{}, refuse("standard input is too long for a token pair")
	}
	g, err := app.understand(text, "")
	if errors.Is(err, errNoGrant) || errors.Is(err, errOtherLogin) {
		return grant{}, refuse("standard input: "+err.Error(), "it takes the installation event, a token file, or anything else with an access token and a refresh token")
	}
	return g, err
}

// readLines reads a terminal, line by line, for something that can be
// understood: a line alone, or all lines together.
func (app *Application) readLines(in io.Reader, out io.Writer, state string, o *offers) {
	lines := bufio.NewReader(io.LimitReader(in, maxSecretFile))
	var all strings.Builder
	for {
		line, err := lines.ReadString('\n')
		all.WriteString(line)
		if strings.TrimSpace(line) != "" {
			g, wrong := app.understand(line, state)
			if wrong != nil && all.Len() > len(line) {
				if whole, err := app.understand(all.String(), state); err == nil {
					g, wrong = whole, nil
				}
			}
			switch {
			case wrong == nil || !errors.Is(wrong, errNoGrant) && !errors.Is(wrong, errOtherLogin):
				o.add(g, wrong)
				return
			case strings.HasPrefix(strings.TrimSpace(all.String()), "{") || strings.ContainsAny(line, ":>=") && !strings.Contains(line, "://"):
				// It may continue.
			default:
				all.Reset()
				_, _ = fmt.Fprintf(out, "%s; paste it again:\n", capital(wrong.Error()))
			}
		}
		if err != nil {
			return
		}
	}
}

// capital begins a sentence.
func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

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
