package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"time"
)

// grace is how long requests may take to finish when the server stops.
const grace = 3 * time.Second

// Serve serves the portal on a listener until the context is done, lets
// requests finish for three seconds, and closes the portal. It returns nil
// after such an end. A listener can be had from net.Listen; with one for port
// 0, its Addr has the port.
func (p *Portal) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{Handler: p, ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(logWriter{p}, "", 0)}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		p.Close()
		return err
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	err := server.Shutdown(last)
	p.Close() // ends what still runs
	if errors.Is(err, context.DeadlineExceeded) {
		err = server.Close()
	}
	return err
}

// logWriter lets the server complain, of a client that does not trust its
// certificate for example, in the access log.
type logWriter struct{ p *Portal }

func (l logWriter) Write(b []byte) (int, error) {
	l.p.mu.Lock()
	defer l.p.mu.Unlock()
	if l.p.accessLog == nil {
		return len(b), nil
	}
	return l.p.accessLog.Write(b)
}

// Describe writes how the portal can be tried from another terminal when it is
// served at an address such as http://127.0.0.1:8924: what the application
// sees of it, lines to paste with curl, and the environment for syncsources.
// trust is the file of the certificate that an https address is served with.
func (p *Portal) Describe(w io.Writer, address, trust string) error {
	address = strings.TrimSuffix(address, "/")
	p.mu.Lock()
	connectors, sources, tables := p.connectors.apps[ClientID], p.sources.apps[ClientID], p.tables.apps[ClientID]
	seen := fmt.Sprintf("%s, %s and %s", counted(len(connectors), "connector"), counted(len(sources), "source"), counted(len(tables), "table"))
	id := int64(1)
	if len(sources) > 0 {
		id = sources[0]
	}
	p.mu.Unlock()

	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	curl := "curl"
	if trust != "" {
		curl = "curl --cacert " + trust
	}
	post := func(path, body string) {
		line("  %s -X POST -H 'Content-Type: application/json' -H 'Accept: application/json' \\\n    -d '%s' \\\n    '%s'\n", curl, body, address+path)
	}
	line("A portal listens at %s. The application sees %s. Ctrl-C stops it, and forgets all changes.", address, seen)
	line("")
	if trust != "" {
		line("Its certificate was made for this run. These make syncsources, Node and others trust it:\n")
		line("  export SSL_CERT_FILE=%s NODE_EXTRA_CA_CERTS=%[1]s\n", trust)
	}
	line("List the sources, as the application that they belong to:\n")
	post("/rest/biconnector.source.list", fmt.Sprintf(`{"order": {"id": "ASC"}, "auth": "%s"}`, AccessToken))
	line("Change one:\n")
	post("/rest/biconnector.source.update", fmt.Sprintf(`{"id": %d, "fields": {"title": "New source name"}, "auth": "%s"}`, id, AccessToken))
	if p.cfg.Webhooks {
		line("Read it through an inbound webhook:\n")
	} else {
		line("Through an inbound webhook, which is refused as in the cloud (webhooks: true in the state lets it in):\n")
	}
	line("  %s -d id=%d '%s'\n", curl, id, address+WebhookPath+"biconnector.source.get")
	line("The environment for syncsources, with a token that is not renewed:\n")
	line("  export B24_PORTAL_URL=%s B24_ACCESS_TOKEN=%s\n", address, AccessToken)
	line("or with a pair of tokens that is renewed and kept in a file (leave B24_REFRESH_TOKEN out to try syncsources login):\n")
	line("  export B24_PORTAL_URL=%s B24_OAUTH_URL=%[1]s B24_TOKEN_FILE=sandbox-token.json", address)
	line("  export B24_CLIENT_ID=%s B24_CLIENT_SECRET=%s B24_REFRESH_TOKEN=%s", ClientID, ClientSecret, RefreshToken)
	if p.cfg.Webhooks {
		line("\nor with the webhook:\n\n  export B24_WEBHOOK_URL=%s", address+WebhookPath)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// counted is "1 source" or "2 sources".
func counted(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprint(n, " ", what)
}
