package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"

	"golang.org/x/oauth2"

	"syncsources/bitrix"
	"syncsources/bitrix/auth"
	"syncsources/bitrix/rest"
	"syncsources/bitrix/sandbox"
	"syncsources/bitrix/secret"
	"syncsources/manifest"
)

// connection is the portal of a run and the way to it.
type connection struct {
	credentials bitrix.Credentials
	locks       auth.Locks        // nil: nobody else can be at work there
	transport   http.RoundTripper // nil: the network
	close       func()
}

// connect prepares the way to the portal of the environment's credentials, or
// to a sandbox seeded from stateFile. It sends nothing.
func (a *app) connect(ctx context.Context, stateFile string, logger *slog.Logger) (*connection, error) {
	if stateFile != "" {
		return connectSandbox(ctx, stateFile)
	}
	credentials, err := a.credentials(ctx, logger)
	if err != nil {
		return nil, err
	}
	return &connection{credentials.Credentials, credentials.Locks(a.env), a.transport, credentials.Close}, nil
}

// connectSandbox starts a sandbox in this process, with credentials of its own.
func connectSandbox(ctx context.Context, stateFile string) (*connection, error) {
	portal, err := openSandbox(ctx, stateFile)
	if err != nil {
		return nil, err
	}
	credentials, err := bitrix.Application(sandboxAddress,
		oauth2.StaticTokenSource(&oauth2.Token{AccessToken: sandbox.AccessToken}), secret.New(sandbox.ClientSecret))
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	return &connection{credentials, nil, portal.RoundTripper(), func() { _ = portal.Close() }}, nil
}

// config configures a client of the portal. Our own time limit of a request
// lies above the portal's: its answer decides.
func (c *connection) config(logger *slog.Logger, l limits) bitrix.Config {
	requestTime := l.schedule().RequestTime
	return bitrix.Config{
		Credentials: c.credentials, Transport: c.transport, Logger: logger, UserAgent: userAgent(),
		Timeout: requestTime + requestTime/4,
	}
}

// checkPortals compares the portals that manifests are meant for with that of
// the credentials: host and port, without case.
func checkPortals(portals []manifest.Portal, ours string) []*manifest.Finding {
	var found []*manifest.Finding
	for _, p := range portals {
		if rest.HostPort(p.URL) != rest.HostPort(ours) {
			found = append(found, &manifest.Finding{
				Position: p.Position, Rule: "other-portal",
				Message: fmt.Sprintf("the manifest is for %q, but the credentials are for %q", p.URL, ours),
				Advice:  []string{"use the credentials of that portal, or correct the manifest"},
			})
		}
	}
	return found
}
