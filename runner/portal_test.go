package runner_test

import (
	"context"
	"testing"
	"testing/synctest"

	"golang.org/x/oauth2"

	"syncsources/bitrix"
	"syncsources/bitrix/sandbox"
	"syncsources/bitrix/secret"
	"syncsources/manifest"
	"syncsources/runner"
)

// bench is a portal with what a test asks of it.
type bench struct {
	*sandbox.Portal
	creds  bitrix.Credentials
	client *bitrix.Client
}

// onPortal runs f against a sandbox in virtual time.
func onPortal(t *testing.T, state sandbox.State, f func(t *testing.T, b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p, err := sandbox.New(&state)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = p.Close() }()
		creds, err := bitrix.Application("https://portal.example",
			oauth2.StaticTokenSource(&oauth2.Token{AccessToken: sandbox.AccessToken}), secret.New(sandbox.ClientSecret))
		if err != nil {
			t.Fatal(err)
		}
		f(t, &bench{p, creds, bitrix.New(bitrix.Config{Credentials: creds, Transport: p.RoundTripper()})})
	})
}

func (b *bench) apply(o runner.Options) *runner.Report {
	return runner.Apply(context.Background(), b.client, o)
}

// sqlState is a portal with n sources of one connector, titled "old".
func sqlState(n int) sandbox.State {
	s := sandbox.State{Connectors: []sandbox.Connector{{ID: 1, Title: "SQL", Settings: []sandbox.SettingType{
		{Code: "host"}, {Code: "login"}, {Code: "password"}, {Code: "port", Type: "INT"}}}}}
	for id := range int64(n) {
		s.Sources = append(s.Sources, sandbox.Source{ID: id + 1, Title: "old", ConnectorID: 1,
			Settings: map[string]string{"login": "admin", "password": "old-password"}})
	}
	return s
}

// retitled declares the title "new" for the sources 1 to n.
func retitled(n int) []manifest.Source {
	var list []manifest.Source
	for id := range int64(n) {
		list = append(list, manifest.Source{Object: manifest.Object{ID: id + 1, Name: "s"}, Title: ptr("new")})
	}
	return list
}

// declares is a set of these sources.
func declares(list ...manifest.Source) *manifest.Set { return &manifest.Set{Sources: list} }

func ptr[T any](v T) *T { return &v }

// statuses counts the sources by status and code.
func statuses(r *runner.Report) map[string]int {
	m := make(map[string]int)
	for _, s := range r.Objects {
		key := string(s.Status)
		if s.Error != nil {
			key += " " + s.Error.Code
		}
		m[key]++
	}
	return m
}
