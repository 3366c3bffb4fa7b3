package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/oauth2"

	"syncsources/bitrix"
	"syncsources/bitrix/rest"
	"syncsources/bitrix/secret"
	"syncsources/cmd/syncsources/exit"
	"syncsources/cmd/syncsources/option"
)

// Variables that hold credentials. Those that are secret also have a _FILE
// variant, which names a file that holds the value. application.go has those
// of an application with a renewing token.
const (
	varWebhook     = "B24_WEBHOOK_URL"
	varPortal      = "B24_PORTAL_URL"
	varAccessToken = "B24_ACCESS_TOKEN"
)

// maxSecretFile is the most bytes that are read of a file with a secret.
const maxSecretFile = 64 << 10

// credentials makes the credentials that the environment describes: a
// webhook, an application with a token that is given, or one with a token that
// is renewed. What is missing or malformed is a failure that names the
// variables; the values are in no error. Nothing is sent, but a token file or
// a token helper is read.
func (a *app) credentials(ctx context.Context, logger *slog.Logger) (bitrix.Credentials, error) {
	e, none := a.env, bitrix.Credentials{}
	webhook, err := secretVariable(e, varWebhook)
	if err != nil {
		return none, err
	}
	token, err := secretVariable(e, varAccessToken)
	if err != nil {
		return none, err
	}
	renewing := applicationVariables(e)
	kinds := []string{}
	for _, kind := range []struct {
		set  bool
		name string
	}{{webhook != "", varWebhook}, {token != "", varAccessToken}, {len(renewing) > 0, option.Enumerate(renewing, "and")}} {
		if kind.set {
			kinds = append(kinds, kind.name)
		}
	}
	switch {
	case len(kinds) > 1:
		all := "both"
		if len(kinds) > 2 || len(renewing) > 1 {
			all = "all"
		}
		return none, exit.Refuse(exit.CodeCredentials, strings.Join(kinds, " and ")+" are "+all+" set",
			"these are different kinds of credentials; set one kind and unset the other")
	case webhook != "":
		return webhookCredentials(e, webhook)
	case token != "":
		return givenToken(e, token)
	case len(renewing) > 0:
		return a.renewingToken(ctx, logger)
	}
	return none, exit.Refuse(exit.CodeCredentials, "no credentials in the environment",
		"set "+varPortal+" and "+varAccessToken+" for an application, or "+varWebhook+" for a webhook",
		"for a token that is renewed, set "+option.Enumerate([]string{varPortal, varClientID, varClientSecret, varTokenFile}, "and")+", then run: syncsources login",
		"to try the program without a portal, use --sandbox FILE")
}

// webhookCredentials are those of an inbound webhook. Its address names the
// portal; another one beside it is a mistake.
func webhookCredentials(e option.Environment, webhook string) (bitrix.Credentials, error) {
	c, err := bitrix.Webhook(webhook)
	if err != nil {
		return c, exit.Refuse(exit.CodeCredentials, varWebhook+": "+err.Error())
	}
	if portal := strings.TrimSpace(e.Get(varPortal)); portal != "" && rest.HostPort(portal) != rest.HostPort(c.Portal()) {
		return bitrix.Credentials{}, exit.Refuse(exit.CodeCredentials, fmt.Sprintf("%s is a webhook of %s, but %s names another portal", varWebhook, c.Portal(), varPortal),
			"unset "+varPortal+": a webhook's address names its portal")
	}
	return c, nil
}

// givenToken are the credentials of an application whose token somebody else
// keeps fresh.
func givenToken(e option.Environment, token string) (bitrix.Credentials, error) {
	portal := strings.TrimSpace(e.Get(varPortal))
	if portal == "" {
		return bitrix.Credentials{}, exit.Refuse(exit.CodeCredentials, varAccessToken+" is set, but "+varPortal+" is not", portalAdvice)
	}
	tokens := oauth2.StaticTokenSource(&oauth2.Token{AccessToken: token})
	c, err := bitrix.Application(portal, tokens, secret.New(token))
	if err != nil {
		return c, exit.Refuse(exit.CodeCredentials, varPortal+": "+err.Error())
	}
	return c, nil
}

const portalAdvice = "set " + varPortal + " to the portal's address, https://acme.bitrix24.com"

// secretVariable returns the value of a variable, or of the file that its
// _FILE variant names, without white space around it. Both unset is the empty
// text.
func secretVariable(e option.Environment, name string) (string, error) {
	value, path := strings.TrimSpace(e.Get(name)), e.Get(name+"_FILE")
	switch {
	case path == "":
		return value, nil
	case value != "":
		return "", exit.Refuse(exit.CodeCredentials, name+" and "+name+"_FILE are both set", "unset one of them")
	}
	f, err := os.Open(path)
	if err != nil {
		// What names no file may be the secret itself, put into the wrong variable.
		var failed *fs.PathError
		if errors.As(err, &failed) {
			err = failed.Err
		}
		return "", exit.Refuse(exit.CodeCredentials, fmt.Sprintf("%s_FILE: the file that it names cannot be opened: %v", name, err),
			"it is the path of a file that holds the secret; the secret itself goes into "+name)
	}
	defer func() { _ = f.Close() }()
	content, err := io.ReadAll(io.LimitReader(f, maxSecretFile+1))
	switch value = strings.TrimSpace(string(content)); {
	case err != nil:
		return "", exit.Refuse(exit.CodeCredentials, fmt.Sprintf("%s_FILE: %v", name, err))
	case len(content) > maxSecretFile:
		return "", exit.Refuse(exit.CodeCredentials, fmt.Sprintf("%s_FILE: the file %s is too long for a secret", name, path))
	case value == "":
		return "", exit.Refuse(exit.CodeCredentials, fmt.Sprintf("%s_FILE: the file %s is empty", name, path))
	}
	return value, nil
}

// credentialFiles returns the files that hold our own credentials, whatever
// variable of ours names them. A manifest, which may come from anybody who can
// open a pull request, must not send them to a portal as settings.
func credentialFiles(e option.Environment) []string {
	var paths []string
	for name, path := range e.All() {
		if name = strings.ToUpper(name); strings.HasPrefix(name, "B24_") && strings.HasSuffix(name, "_FILE") && path != "" {
			paths = append(paths, path)
		}
	}
	if path := e.Get(varTokenFile); path != "" {
		if target, err := filepath.EvalSymlinks(path); err == nil {
			path = target
		}
		paths = append(paths, path+".new") // where a renewal keeps the pair until it takes the file's place
	}
	return paths
}
