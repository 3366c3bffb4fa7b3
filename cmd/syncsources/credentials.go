package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/oauth2"

	"syncsources/bitrix"
)

// Variables that hold credentials. Those that are secret also have a _FILE
// variant, which names a file that holds the value.
const (
	varWebhook     = "B24_WEBHOOK_URL"
	varPortal      = "B24_PORTAL_URL"
	varAccessToken = "B24_ACCESS_TOKEN"
)

// maxSecretFile is the most bytes that are read of a file with a secret.
const maxSecretFile = 64 << 10

// credentialsFromEnv makes the credentials that the environment describes.
// What is missing or malformed is a failure that names the variables; the
// values are in no error.
func credentialsFromEnv(e environment) (bitrix.Credentials, error) {
	none := bitrix.Credentials{}
	webhook, err := secretVariable(e, varWebhook)
	if err != nil {
		return none, err
	}
	token, err := secretVariable(e, varAccessToken)
	if err != nil {
		return none, err
	}
	portal := strings.TrimSpace(e.get(varPortal))
	switch {
	case webhook != "" && token != "":
		return none, invalid(codeCredentials, varWebhook+" and "+varAccessToken+" are both set",
			"set one kind of credentials and unset the other")
	case webhook != "":
		c, err := bitrix.Webhook(webhook)
		if err != nil {
			return none, invalid(codeCredentials, varWebhook+": "+err.Error())
		}
		return c, nil
	case token != "" && portal == "":
		return none, invalid(codeCredentials, varAccessToken+" is set, but "+varPortal+" is not",
			"set "+varPortal+" to the portal's address, https://acme.bitrix24.com")
	case token != "":
		tokens := oauth2.StaticTokenSource(&oauth2.Token{AccessToken: token})
		c, err := bitrix.Application(portal, tokens, bitrix.NewSecret(token))
		if err != nil {
			return none, invalid(codeCredentials, varPortal+": "+err.Error())
		}
		return c, nil
	}
	return none, invalid(codeCredentials, "no credentials in the environment",
		"set "+varPortal+" and "+varAccessToken+" for an application, or "+varWebhook+" for a webhook",
		"to try the program without a portal, use --sandbox FILE")
}

// secretVariable returns the value of a variable, or of the file that its
// _FILE variant names, without one line break at the end. Both unset is the
// empty text.
func secretVariable(e environment, name string) (string, error) {
	value, path := strings.TrimSpace(e.get(name)), e.get(name+"_FILE")
	switch {
	case path == "":
		return value, nil
	case value != "":
		return "", invalid(codeCredentials, name+" and "+name+"_FILE are both set", "unset one of them")
	}
	f, err := os.Open(path)
	if err != nil {
		return "", invalid(codeCredentials, fmt.Sprintf("%s_FILE: %v", name, err))
	}
	defer func() { _ = f.Close() }()
	content, err := io.ReadAll(io.LimitReader(f, maxSecretFile+1))
	switch value = strings.TrimSpace(string(content)); {
	case err != nil:
		return "", invalid(codeCredentials, fmt.Sprintf("%s_FILE: %v", name, err))
	case len(content) > maxSecretFile:
		return "", invalid(codeCredentials, fmt.Sprintf("%s_FILE: the file %s is too long for a secret", name, path))
	case value == "":
		return "", invalid(codeCredentials, fmt.Sprintf("%s_FILE: the file %s is empty", name, path))
	}
	return value, nil
}
