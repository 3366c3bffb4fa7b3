package main

import (
	"context"
	"errors"
	"log/slog"
	"strings"

	"syncsources/bitrix"
	"syncsources/bitrix/auth"
	"syncsources/bitrix/rest"
	"syncsources/bitrix/secret"
	"syncsources/cmd/syncsources/exit"
	"syncsources/cmd/syncsources/option"
	"syncsources/runner"
)

// Variables of an application whose token pair is kept and renewed.
const (
	varClientID     = "B24_CLIENT_ID"
	varClientSecret = "B24_CLIENT_SECRET"
	varTokenFile    = "B24_TOKEN_FILE"
	varTokenHelper  = "B24_TOKEN_HELPER"
	varRefreshToken = "B24_REFRESH_TOKEN"
	varOAuth        = "B24_OAUTH_URL"
)

// applicationVariables returns those of the variables that are set which make
// credentials an application's with a token to renew.
func applicationVariables(e option.Environment) []string {
	var set []string
	for _, name := range []string{varClientID, varClientSecret, varTokenFile, varTokenHelper, varRefreshToken} {
		secret := name == varClientSecret || name == varRefreshToken
		if strings.TrimSpace(e.Get(name)) != "" || secret && e.Get(name+"_FILE") != "" {
			set = append(set, name)
		}
	}
	return set
}

// application is an application of a portal, with the place of its tokens.
type application struct {
	portal   string
	clientID string
	secret   secret.Text
	server   *auth.AuthServer
	store    auth.TokenStore
	seed     secret.Text
}

// application reads the variables. All that are missing are named at
// once.
func (a *app) application(logger *slog.Logger) (*application, error) {
	e := a.env
	clientSecret, err := secretVariable(e, varClientSecret)
	if err != nil {
		return nil, err
	}
	seed, err := secretVariable(e, varRefreshToken)
	if err != nil {
		return nil, err
	}
	app := &application{
		portal:   strings.TrimSpace(e.Get(varPortal)),
		clientID: strings.TrimSpace(e.Get(varClientID)),
		secret:   secret.New(clientSecret),
		seed:     secret.New(seed),
	}
	file, helper := e.Get(varTokenFile), e.Get(varTokenHelper)
	var missing []string
	for _, v := range []struct{ name, value string }{
		{varPortal, app.portal}, {varClientID, app.clientID}, {varClientSecret, clientSecret}, {varTokenFile, file + helper},
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
		advice := "an application with a token that is renewed needs " + option.Enumerate([]string{varPortal, varClientID, varClientSecret}, "and") +
			", and " + varTokenFile + " or " + varTokenHelper + ": each renewal replaces the refresh token, which has to be kept"
		return nil, exit.Refuse(exit.CodeCredentials, option.Enumerate(missing, "and")+" "+verb+" not set", advice)
	}
	if file != "" && helper != "" {
		return nil, exit.Refuse(exit.CodeCredentials, varTokenFile+" and "+varTokenHelper+" are both set", "unset one of them: a token pair is kept in one place")
	}
	app.server, err = auth.NewAuthServer(auth.AuthConfig{URL: strings.TrimSpace(e.Get(varOAuth)), ClientID: app.clientID, ClientSecret: app.secret, Transport: a.transport, UserAgent: userAgent()})
	if err != nil {
		return nil, exit.Refuse(exit.CodeCredentials, varOAuth+": "+err.Error())
	}
	if helper != "" {
		app.store, err = auth.NewTokenHelper(auth.HelperConfig{Program: helper, Portal: app.portal, Locks: lockDirectories(e), Logger: logger})
	} else {
		app.store, err = auth.NewTokenFile(file, logger)
	}
	if err != nil {
		return nil, exit.Refuse(exit.CodeCredentials, storeVariable(e)+": "+err.Error())
	}
	if _, err := app.credentials(nil); err != nil {
		return nil, err
	}
	return app, nil
}

// storeVariable is the variable that names where the token pair is kept.
func storeVariable(e option.Environment) string {
	if e.Get(varTokenHelper) != "" {
		return varTokenHelper
	}
	return varTokenFile
}

// tokens returns the source of the application's tokens.
func (app *application) tokens(logger *slog.Logger) (*auth.TokenSource, error) {
	source, err := auth.NewTokenSource(auth.TokenConfig{Server: app.server, Store: app.store, Portal: app.portal, Seed: app.seed, Logger: logger})
	if err != nil {
		return nil, exit.Refuse(exit.CodeCredentials, varPortal+": "+err.Error())
	}
	return source, nil
}

// credentials are the application's with the given source of tokens.
func (app *application) credentials(source *auth.TokenSource) (bitrix.Credentials, error) {
	c, err := bitrix.Application(app.portal, source, app.secret)
	if err != nil {
		return c, exit.Refuse(exit.CodeCredentials, varPortal+": "+err.Error())
	}
	return c, nil
}

// renewingToken are the credentials of an application whose token pair is
// kept and renewed. A store that cannot be read, or holds nothing, counts as
// malformed credentials.
func (a *app) renewingToken(ctx context.Context, logger *slog.Logger) (bitrix.Credentials, error) {
	app, err := a.application(logger)
	if err != nil {
		return bitrix.Credentials{}, err
	}
	source, err := app.tokens(logger)
	if err != nil {
		return bitrix.Credentials{}, err
	}
	if err := source.Check(ctx); err != nil {
		return bitrix.Credentials{}, storeFailure(ctx, storeVariable(a.env), err)
	}
	return app.credentials(source)
}

// storeFailure makes a failure of a token store that cannot be read.
func storeFailure(ctx context.Context, variable string, err error) error {
	if ctx.Err() != nil {
		return &exit.Failure{Exit: exit.Signalled(ctx), Code: runner.CodeInterrupted, Message: "interrupted while reading the token pair"}
	}
	var e *rest.Error
	if !errors.As(err, &e) {
		return exit.Refuse(exit.CodeCredentials, variable+": "+err.Error())
	}
	return exit.Refuse(exit.CodeCredentials, variable+": "+e.Message, nonEmpty(hintOf(e))...)
}

// nonEmpty returns a list of those texts that are not empty.
func nonEmpty(texts ...string) []string {
	var list []string
	for _, t := range texts {
		if t != "" {
			list = append(list, t)
		}
	}
	return list
}
