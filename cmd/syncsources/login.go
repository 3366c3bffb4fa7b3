package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"syncsources/bitrix"
	"syncsources/bitrix/auth"
	"syncsources/bitrix/rest"
	"syncsources/bitrix/secret"
	"syncsources/cmd/syncsources/exit"
	"syncsources/cmd/syncsources/option"
	"syncsources/runner"
)

// returnAddress is where login waits for the browser unless --listen says
// otherwise, and where the sandbox sends it unless its state does.
const returnAddress = "127.0.0.1:8925"

// loginFlags are the flags of login.
type loginFlags struct {
	logFlags
	code      string
	listen    string
	noBrowser bool
	timeout   time.Duration
}

// newLogin builds the command that gets the first pair of tokens.
func newLogin(a *app) *cobra.Command {
	f := &loginFlags{}
	cmd := &cobra.Command{
		Use:   "login",
		Short: "Let the application into the portal, and keep its tokens",
		Long: `Get an application's first pair of OAuth tokens and store it in B24_TOKEN_FILE,
or hand it to B24_TOKEN_HELPER. From then on, runs renew it themselves.
B24_PORTAL_URL, B24_CLIENT_ID and B24_CLIENT_SECRET name the portal and the
application.

login prints an address and, on a terminal with a browser, opens it. When you
have let the application in there, the portal sends the browser to the
application's handler path, with a code. If that is where login listens
(--listen), nothing more is needed. If it is not, or if the browser runs on
another machine, paste the address at which the browser ends, or the code alone,
into the waiting login, or start again with --code. A code works once, and for
30 seconds.

An application that is "API only" gets its tokens when it is installed: give
login the JSON of that event (ONAPPINSTALL) on standard input.

At the end, login asks the portal whose tokens they are, and prints the answer.`,
		Example: "  syncsources login\n  syncsources login --code 1a2b3c\n  syncsources login < event.json",
		Args:    noArguments,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.login(cmd.Context(), f) },
	}
	cmd.Flags().StringVar(&f.code, "code", "", "the `code` of an authorization already given")
	option.Add(cmd.Flags(), &f.listen, "listen", "address", returnAddress, "host and port on this machine where login waits for the browser; the application's handler path in the portal has to be http:// and this", loopbackAndPort)
	cmd.Flags().BoolVar(&f.noBrowser, "no-browser", false, "do not open a browser")
	option.Add(cmd.Flags(), &f.timeout, "timeout", "duration", "10m", "how long to wait for the authorization", option.Duration)
	f.add(cmd.Flags())
	return cmd
}

// login finds out whether the pair could be stored, gets a code or a pair by
// whichever way it comes, stores the pair, and shows what it is good for.
func (a *app) login(ctx context.Context, f *loginFlags) error {
	logger := f.logger(a.stderr, a.env.Colored(false, a.stderr))
	app, err := a.application(logger)
	if err != nil {
		return err
	}
	probing, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	if _, err := auth.Probe(probing, app.store, app.portal); err != nil {
		if probing.Err() != nil && ctx.Err() == nil {
			return &exit.Failure{Exit: exit.Stopped, Code: "TIMEOUT", Message: err.Error(), Hints: []string{"run login again; --timeout gives more time"}}
		}
		return storeFailure(ctx, storeVariable(a.env), err)
	}
	// How long the store took is no part of the time that a person has.
	limited, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	grant := grant{code: f.code}
	if grant.code == "" {
		if grant, err = a.await(limited, f, app); err != nil {
			return loginFailure(ctx, limited, err)
		}
	}
	err = auth.StoreNew(ctx, app.store, app.portal, func(ctx context.Context) (auth.Pair, error) {
		if grant.event != nil {
			return auth.PairFromEvent(grant.event)
		}
		return app.server.Exchange(ctx, app.portal, secret.New(grant.code))
	})
	if err != nil {
		return loginFailure(ctx, limited, err)
	}
	return a.showLogin(ctx, app, logger)
}

// showLogin proves the stored pair by asking the portal who we are.
func (a *app) showLogin(ctx context.Context, app *application, logger *slog.Logger) error {
	source, err := app.tokens(logger)
	if err != nil {
		return err
	}
	credentials, err := app.credentials(source)
	if err != nil {
		return err
	}
	client := bitrix.NewReader(bitrix.Config{Credentials: credentials, Transport: a.transport, Logger: logger, UserAgent: userAgent()})
	defer client.CloseIdle()
	who, err := client.Identify(ctx)
	if err != nil {
		f, stored := loginFailure(ctx, ctx, err), "the tokens are stored in "+place(app.store)
		if ctx.Err() != nil {
			f.Message = "interrupted; " + stored
		} else {
			f.Message = stored + ", but the first call with them failed: " + f.Message
		}
		return f
	}
	user := fmt.Sprintf("user %d", who.UserID)
	if who.Name != "" {
		user = fmt.Sprintf("%s (user %d)", who.Name, who.UserID)
	}
	lines := []string{
		"Logged in to " + client.Portal() + " as " + user + ".",
		"Scope: " + cmp.Or(strings.Join(who.Scope, ", "), "none") + ".",
		"The tokens are in " + place(app.store) + ", and are renewed when they expire.",
	}
	if _, err := fmt.Fprintln(a.stdout, strings.Join(lines, "\n")); err != nil {
		return exit.Unwritten(err)
	}
	if !slices.Contains(who.Scope, bitrix.ScopeBIConnector) {
		return &exit.Failure{Exit: exit.Stopped, Code: exit.CodeCredentials,
			Message: "the application lacks the scope biconnector, without which the portal refuses every call about sources",
			Hints:   []string{"tick biconnector (BI analytics) among the permissions in the application's settings, save, and run login again"}}
	}
	return nil
}

// place is a store without the article and the noun in front of its path.
func place(store auth.TokenStore) string {
	return strings.TrimPrefix(store.String(), "the token file ")
}

// loginFailure makes a failure of what went wrong. limited is the context that
// --timeout ends, ctx the one that a signal does.
func loginFailure(ctx, limited context.Context, err error) *exit.Failure {
	var f *exit.Failure
	var e *rest.Error
	switch {
	case errors.As(err, &f):
		return f
	case ctx.Err() != nil:
		return &exit.Failure{Exit: exit.Signalled(ctx), Code: runner.CodeInterrupted, Message: "interrupted; nothing was stored"}
	case errors.Is(err, context.DeadlineExceeded) && limited.Err() != nil:
		return &exit.Failure{Exit: exit.Stopped, Code: runner.CodeTimeout, Message: "nobody let the application in before the time was over", Hints: []string{"run login again; --timeout gives more time"}}
	case errors.As(err, &e):
		return &exit.Failure{Exit: exit.Stopped, Code: string(e.Code), Message: e.Error(), Hints: nonEmpty(hintOf(e))}
	}
	return &exit.Failure{Exit: exit.Stopped, Code: exit.CodeCredentials, Message: err.Error()}
}
