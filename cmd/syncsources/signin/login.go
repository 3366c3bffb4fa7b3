package signin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/oauth2"

	"syncsources/bitrix"
	"syncsources/bitrix/auth"
	"syncsources/bitrix/rest"
	"syncsources/cmd/syncsources/option"
)

// Login says how the first token pair is got.
type Login struct {
	Env       option.Environment
	Code      string        // of an authorization already given, or the address that holds it; may be empty
	Listen    string        // where to wait for the browser
	NoBrowser bool          // do not open one
	Timeout   time.Duration // for the store, and again for the person
	Stdin     io.Reader
	Stderr    io.Writer
	Terminal  bool                                    // somebody sits at Stdin
	Client    func(bitrix.Credentials) *bitrix.Reader // calls the portal
}

// ErrTime is the error of a login that nobody answered in time.
var ErrTime = errors.New("no authorization arrived in time")

// Login finds out whether a pair could be stored, gets a code or a pair by
// whichever way it comes, and stores the pair. Errors are *Error, *rest.Error,
// ErrTime, or ctx's.
func (app *Application) Login(ctx context.Context, l Login) error {
	var given grant
	if l.Code != "" {
		var err error
		if given, err = app.understand(l.Code, anyState); err != nil {
			return refuse("--code: "+err.Error(), "it takes the code alone, or the address at which the browser landed")
		}
	}
	probing, cancel := context.WithTimeout(ctx, l.Timeout)
	defer cancel()
	other, err := auth.Probe(probing, app.Store, app.Portal)
	if err != nil {
		if probing.Err() != nil && ctx.Err() == nil {
			return &Error{Stopped: true, Message: err.Error(), Hints: []string{"run login again; --timeout gives more time"}}
		}
		return unusable(app.where, err)
	}
	if other != "" {
		_, _ = fmt.Fprintf(l.Stderr, "%s holds the token pair of %s. It is replaced only if that is this portal's former address.\n\n", capital(app.Store.String()), other)
	}
	// How long the store took is no part of the time that a person has.
	limited, cancel := context.WithTimeout(ctx, l.Timeout)
	defer cancel()
	if l.Code == "" {
		given, err = app.await(limited, l)
		if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
			return ErrTime
		}
		if err != nil {
			return err
		}
	}
	return auth.StoreNew(ctx, app.Store, app.Portal, func(ctx context.Context) (auth.Pair, error) {
		if given.pair == nil {
			return app.Server.Exchange(ctx, app.Portal, given.code)
		}
		return app.tried(ctx, *given.pair, l)
	})
}

// tried makes sure that a pair that somebody handed over works before it
// replaces another one: by a call with its access token or, if that has
// expired, by a renewal, after which the pair in the place it came from is no
// longer valid.
func (app *Application) tried(ctx context.Context, p auth.Pair, l Login) (auth.Pair, error) {
	if !p.BelongsTo(app.Portal) {
		return p, nil // StoreNew says so; its token is not sent here
	}
	c, err := bitrix.Application(app.Portal, oauth2.StaticTokenSource(p.Token()), app.secret)
	if err != nil {
		return p, err
	}
	client := l.Client(c)
	defer client.CloseIdle()
	_, err = client.Identify(ctx)
	if errors.Is(err, rest.ExpiredToken) {
		return app.Server.Refresh(ctx, app.Portal, p)
	}
	return p, err
}
