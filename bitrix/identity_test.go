package bitrix

import (
	"context"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"syncsources/bitrix/sandbox"
	"syncsources/bitrix/secret"
)

func TestIdentify(t *testing.T) {
	state := must(sandbox.ReadState(strings.NewReader("connectors: [{id: 1, title: SQL}]\nscope: [user_brief, biconnector]")))(t)
	p := must(sandbox.New(state))(t)
	creds := must(Application("https://portal.example", oauth2.StaticTokenSource(&oauth2.Token{AccessToken: sandbox.AccessToken}), secret.New("k")))(t)
	got, err := New(Config{Credentials: creds, Transport: p.RoundTripper()}).Identify(context.Background())
	want := Identity{UserID: 1, Name: "Sandbox User", Scope: []string{"biconnector", "user_brief"}}
	if time.Since(got.Finished).Abs() > time.Minute {
		t.Errorf("answered at %v", got.Finished)
	}
	got.Finished = time.Time{}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	for _, body := range []string{`{"result":"x"}`, `{"error":"NO_AUTH_FOUND"}`} {
		if _, err := testClient(t, &scripted{status: 200, body: body}).Identify(context.Background()); err == nil {
			t.Errorf("%s: no error", body)
		}
	}
}
