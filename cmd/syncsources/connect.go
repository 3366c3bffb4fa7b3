package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"golang.org/x/oauth2"

	"syncsources/bitrix"
	"syncsources/bitrix/auth"
	"syncsources/bitrix/rest"
	"syncsources/bitrix/sandbox"
	"syncsources/bitrix/secret"
	"syncsources/cmd/syncsources/exit"
	"syncsources/cmd/syncsources/signin"
	"syncsources/manifest"
)

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
	credentials, err := signin.FromEnvironment(ctx, a.signinConfig(logger))
	if err != nil {
		return nil, signinFailure(ctx, err)
	}
	return a.connection(ctx, credentials)
}

// connectListed is connect for a portal of a file, whose findings are those of
// its credentials.
func (a *app) connectListed(ctx context.Context, sign *signin.Portals, config *manifest.PortalConfig, stateFile string) (*connection, []*manifest.Finding, error) {
	if stateFile != "" {
		c, err := connectSandbox(ctx, stateFile)
		return c, nil, err
	}
	credentials, findings, err := sign.Of(config)
	if err != nil {
		return nil, nil, signinFailure(ctx, err)
	}
	if len(findings) > 0 {
		return nil, findings, nil
	}
	c, err := a.connection(ctx, credentials)
	return c, nil, err
}

// connection is the way to the portal of credentials. It makes sure that there
// is a token pair where one is kept.
func (a *app) connection(ctx context.Context, c *signin.Credentials) (*connection, error) {
	if c.Application != nil {
		if _, err := c.Application.Stored(ctx); err != nil {
			c.Close()
			return nil, signinFailure(ctx, err)
		}
	}
	return &connection{c.Credentials, c.Locks(a.env), a.transport, c.Close}, nil
}

// resolver fetches what the references of manifests stand for.
func (a *app) resolver(lookup func(string) (string, bool), allow []string) manifest.Resolver {
	return manifest.Resolver{LookupEnv: lookup, SecretHelper: secretHelper(a.env), AllowDirs: allow, DenyFiles: signin.Files(a.env)}
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

// signinConfig is what credentials need of this process.
func (a *app) signinConfig(logger *slog.Logger) signin.Config {
	return signin.Config{Env: a.env, Transport: a.transport, UserAgent: userAgent(), Logger: logger}
}

// reader is a client for the few calls that login and status make.
func (a *app) reader(logger *slog.Logger) func(bitrix.Credentials) *bitrix.Reader {
	return func(c bitrix.Credentials) *bitrix.Reader {
		return bitrix.NewReader(bitrix.Config{Credentials: c, Transport: a.transport, Logger: logger, UserAgent: userAgent()})
	}
}

// signinFailure makes a failure of what is wrong with credentials.
func signinFailure(ctx context.Context, err error) *exit.Failure {
	var f *exit.Failure
	var s *signin.Error
	var e *rest.Error
	switch known := errors.As(err, &s); {
	case errors.As(err, &f):
		return f
	case ctx.Err() != nil:
		return tooLate(ctx)
	case known:
		f = exit.Refuse(exit.CodeCredentials, s.Message, s.Hints...)
		if s.Stopped {
			f.Exit = exit.Stopped
		}
	case errors.As(err, &e):
		f = &exit.Failure{Exit: exit.Stopped, Message: e.Error()}
	default:
		return &exit.Failure{Exit: exit.Stopped, Code: exit.CodeCredentials, Message: err.Error()}
	}
	if errors.As(err, &e) {
		if f.Exit == exit.Stopped {
			f.Code = string(e.Code)
		}
		if hint := hintOf(e); hint != "" {
			f.Hints = append(f.Hints, hint)
		}
	}
	return f
}
