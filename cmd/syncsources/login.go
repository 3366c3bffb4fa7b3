package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"syncsources/bitrix"
	"syncsources/cmd/syncsources/exit"
	"syncsources/cmd/syncsources/option"
	"syncsources/cmd/syncsources/signin"
	"syncsources/runner"
)

// returnAddress is where login waits for the browser unless --listen says
// otherwise, and where the sandbox sends it unless its state does.
const returnAddress = "127.0.0.1:8925"

type loginFlags struct {
	logFlags
	code      string
	listen    string
	noBrowser bool
	timeout   time.Duration
	portals   portalsFlags
}

// newLogin builds the command that gets the first pair of tokens.
func newLogin(a *app) *cobra.Command {
	f := &loginFlags{}
	cmd := &cobra.Command{
		Use:   "login",
		Short: "Log the application in and store its tokens",
		Long: `Get an application's first pair of OAuth tokens and store it: in B24_TOKEN_FILE,
through B24_TOKEN_HELPER, or in the database SYNCSOURCES_STORE. From then on
runs renew it themselves. B24_PORTAL_URL, B24_CLIENT_ID and B24_CLIENT_SECRET
name the portal and the application; with --portals and --portal a portals file
does, and says where the pair is stored. A pair of another portal is never replaced.

On a terminal login prints an address and, where there is one, opens a browser.
When you have allowed the application there, the portal sends the browser to the
application's handler path, with a code. If that is where login listens
(--listen), nothing more is needed. If it is not, or if the browser runs on
another machine, paste the address at which the browser lands, or the code
alone, into the waiting login, or start again with --code. A code works once,
within 30 seconds.

Without a terminal, login takes a pair from standard input: the event of the
application's installation (ONAPPINSTALL) as JSON or as a form, what the
application's page gets (AUTH_ID, REFRESH_ID), or a token file, which this moves
into another store. The pair is tried before it replaces another one.

At the end login asks the portal whose tokens they are, and prints the answer.`,
		Example: "  syncsources login\n  syncsources login --code 1a2b3c\n  syncsources login <event.json\n  syncsources login --portals portals.yaml --portal acme",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.portals.alone(cmd); err != nil {
				return err
			}
			return a.login(cmd.Context(), f)
		},
	}
	option.Add(cmd.Flags(), &f.code, "code", "CODE", "", "the code of an authorization already given, or the address that holds it", option.Text("a code or an address"))
	option.Add(cmd.Flags(), &f.listen, "listen", "ADDRESS", returnAddress, "host and port on this machine where login waits for the browser; the application's handler path in the portal must be http:// and this", loopbackAndPort)
	cmd.Flags().BoolVar(&f.noBrowser, "no-browser", false, "do not open a browser")
	option.Add(cmd.Flags(), &f.timeout, "timeout", "DURATION", "10m", "how long to wait for the authorization", option.Duration)
	f.portals.add(cmd.Flags())
	f.add(cmd.Flags())
	return cmd
}

// login gets a token pair, stores it, and shows what it is good for.
func (a *app) login(ctx context.Context, f *loginFlags) error {
	logger := f.logger(a.stderr, a.env.Colored(false, a.stderr))
	c, closeAll, err := a.loginCredentials(ctx, f, logger)
	if err != nil {
		return err
	}
	defer closeAll()
	err = c.Application.Login(ctx, signin.Login{
		Env: a.env, Code: f.code, Listen: f.listen, NoBrowser: f.noBrowser, Timeout: f.timeout,
		Stdin: a.stdin, Stderr: a.stderr, Terminal: a.isTerminal(a.stdin), Client: a.reader(logger),
	})
	if err != nil {
		return loginFailure(ctx, err)
	}
	return a.showLogin(ctx, c.Application, logger)
}

// loginCredentials are those of the environment, or of one portal of a file.
func (a *app) loginCredentials(ctx context.Context, f *loginFlags, logger *slog.Logger) (c *signin.Credentials, closeAll func(), err error) {
	if f.portals.file == "" {
		c, err := signin.ApplicationFromEnvironment(ctx, a.signinConfig(logger))
		if err != nil {
			return nil, nil, signinFailure(ctx, err)
		}
		return c, c.Close, nil
	}
	portals, sign, err := a.openPortals(ctx, &f.portals, &f.logFlags, logger)
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			sign.Close()
		}
	}()
	if n := len(portals.selected); n != 1 {
		return nil, nil, exit.Refuse(exit.CodeCommandLine, fmt.Sprintf("login is for one portal, but %d are selected", n), "name the portal with --portal")
	}
	c, findings, err := sign.Of(portals.selected[0])
	switch {
	case err != nil:
		return nil, nil, signinFailure(ctx, err)
	case len(findings) > 0:
		a.printFindings(runner.Invalid("", findings).Findings, false, &f.logFlags)
		return nil, nil, exit.Err(exit.Invalid)
	case c.Application == nil:
		return nil, nil, exit.Refuse(exit.CodeCredentials, fmt.Sprintf("the portal %s signs in with %s, which needs no login", portals.selected[0].Name, c.Kind))
	}
	return c, sign.Close, nil
}

// showLogin proves the stored pair by asking the portal who we are, and says
// what comes next.
func (a *app) showLogin(ctx context.Context, app *signin.Application, logger *slog.Logger) error {
	credentials, err := app.Fresh()
	if err != nil {
		return signinFailure(ctx, err)
	}
	client := a.reader(logger)(credentials)
	defer client.CloseIdle()
	who, err := client.Identify(ctx)
	if err != nil {
		f, stored := loginFailure(ctx, err), "the tokens are stored in "+app.Place()
		if ctx.Err() != nil {
			f.Message = "interrupted; " + stored
		} else {
			f.Message = stored + ", but the first call with them failed: " + f.Message
		}
		return f
	}
	lines := []string{
		"Logged in to " + client.Portal() + " as " + who.User() + ".",
		"Scope: " + cmp.Or(strings.Join(who.Scope, ", "), "none") + ".",
		"The tokens are in " + app.Place() + ", and are renewed when they expire.",
	}
	ready := slices.Contains(who.Scope, bitrix.ScopeBIConnector)
	if ready {
		lines = append(lines, "Next: syncsources status checks the user's rights, syncsources export >sources.yaml writes down what the portal has.")
	}
	if _, err := fmt.Fprintln(a.stdout, strings.Join(lines, "\n")); err != nil {
		return exit.Unwritten(err)
	}
	if !ready {
		return &exit.Failure{Exit: exit.Stopped, Code: exit.CodeCredentials,
			Message: "the application lacks the scope biconnector, without which the portal refuses every call about sources",
			Hints:   []string{"tick biconnector (BI analytics) among the permissions in the application's settings, save, and run login again"}}
	}
	return nil
}

// loginFailure makes a failure of what went wrong.
func loginFailure(ctx context.Context, err error) *exit.Failure {
	switch {
	case ctx.Err() != nil:
		return &exit.Failure{Exit: exit.Signalled(ctx), Code: runner.CodeInterrupted, Message: "interrupted; nothing was stored"}
	case errors.Is(err, signin.ErrTime):
		return &exit.Failure{Exit: exit.Stopped, Code: runner.CodeTimeout, Message: err.Error(), Hints: []string{"run login again; --timeout gives more time"}}
	}
	return signinFailure(ctx, err)
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
