package signin

import (
	"context"
	"log/slog"
	"strings"

	"syncsources/bitrix"
	"syncsources/bitrix/auth"
	"syncsources/bitrix/secret"
	"syncsources/cmd/syncsources/option"
)

// Application is an application of a portal, with the place of its token pair.
type Application struct {
	Portal   string
	ClientID string
	Server   *auth.AuthServer
	Store    auth.TokenStore

	secret, seed secret.Text
	where        string // the variable that names the store
	source       *auth.TokenSource
	logger       *slog.Logger
}

// renewing are the credentials of an application whose token pair is kept and
// renewed. All that is missing is named at once.
func (s *settings) renewing(conf Config) (*Credentials, error) {
	var missing []string
	for _, v := range []struct{ name, value string }{
		{Portal, s.portal}, {ClientID, s.clientID}, {ClientSecret, s.clientSecret.Plain()}, {TokenFile, s.tokenFile + s.tokenHelper + s.store.Plain()},
	} {
		if v.value == "" {
			missing = append(missing, v.name)
		}
	}
	if len(missing) > 0 {
		verb := "are"
		if len(missing) == 1 {
			verb = "is"
		}
		return nil, refuse(option.Enumerate(missing, "and")+" "+verb+" not set",
			"an application whose token is renewed needs "+option.Enumerate([]string{Portal, ClientID, ClientSecret}, "and")+
				", and "+TokenFile+", "+TokenHelper+" or "+Store+": each renewal replaces the refresh token, which must be stored")
	}
	var places []string
	for _, v := range []struct{ name, value string }{{TokenFile, s.tokenFile}, {TokenHelper, s.tokenHelper}, {Store, s.store.Plain()}} {
		if v.value != "" {
			places = append(places, v.name)
		}
	}
	if len(places) > 1 {
		hint := "unset one of them: a token pair is kept in one place"
		if s.store.Plain() != "" && s.tokenFile != "" {
			hint += "; to move the file's pair into the store, unset " + TokenFile + " and run: syncsources login <FILE"
		}
		return nil, refuse(option.Enumerate(places, "and")+" are both set", hint)
	}
	app := &Application{Portal: s.portal, ClientID: s.clientID, secret: s.clientSecret, seed: s.refresh, where: places[0], logger: conf.Logger}
	var err error
	app.Server, err = auth.NewAuthServer(auth.AuthConfig{URL: s.oauth, ClientID: s.clientID, ClientSecret: s.clientSecret, Transport: conf.Transport, UserAgent: conf.UserAgent})
	if err != nil {
		return nil, refuse(OAuth + ": " + err.Error())
	}
	c := &Credentials{Kind: "an application", Application: app, shared: s.opened != nil}
	switch app.where {
	case TokenHelper:
		app.Store, err = auth.NewTokenHelper(auth.HelperConfig{Program: s.tokenHelper, Portal: s.portal, Locks: LockDirectories(conf.Env), Logger: conf.Logger})
	case TokenFile:
		app.Store, err = auth.NewTokenFile(s.tokenFile, conf.Logger)
	default:
		if c.Database, err = s.database(conf); err != nil {
			return nil, err
		}
		app.Store = c.Database.Tokens(s.portal, s.clientID)
	}
	if err != nil {
		return nil, refuse(app.where + ": " + err.Error())
	}
	if c.Database == nil {
		c.Database = s.opened // for the locks
	}
	if c.Credentials, err = app.Fresh(); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// Fresh returns credentials that know nothing of the stored pair yet.
func (app *Application) Fresh() (bitrix.Credentials, error) {
	var err error
	app.source, err = auth.NewTokenSource(auth.TokenConfig{Server: app.Server, Store: app.Store, Portal: app.Portal, Seed: app.seed, Logger: app.logger})
	if err != nil {
		return bitrix.Credentials{}, refuse(Portal + ": " + err.Error())
	}
	c, err := bitrix.Application(app.Portal, app.source, app.secret)
	if err != nil {
		return c, refuse(Portal + ": " + err.Error())
	}
	return c, nil
}

// Stored returns the pair that is stored, or the refresh token that begins an
// empty store, and renews nothing. A store that cannot be read, or holds
// nothing, counts as malformed credentials, unless it is a database.
func (app *Application) Stored(ctx context.Context) (auth.Pair, error) {
	p, err := app.source.Stored(ctx)
	if err != nil && ctx.Err() == nil {
		return p, unusable(app.where, err)
	}
	return p, err
}

// Renew makes sure that the stored access token is one that is not known to
// have expired, and returns the pair.
func (app *Application) Renew(ctx context.Context) (auth.Pair, error) {
	if _, err := app.source.TokenContext(ctx); err != nil {
		return auth.Pair{}, err
	}
	return app.source.Stored(ctx)
}

// Place is the store as a message names it, without the article and the noun
// in front of a path.
func (app *Application) Place() string {
	return strings.TrimPrefix(app.Store.String(), "the token file ")
}
