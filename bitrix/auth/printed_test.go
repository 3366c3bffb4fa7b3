package auth

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"syncsources/bitrix/secret"
)

// Neither a pair nor what holds one prints a token, also where fmt may not ask
// a type how to print: inside unexported fields.
func TestNothingPrintsAToken(t *testing.T) {
	const canary = "canary-7f3a"
	pair := must(parsePair([]byte(`{"access_token":"`+canary+`","refresh_token":"`+canary+`","expires_in":3600}`), time.Now()))(t)
	server := AuthConfig{ClientID: "local.1", ClientSecret: secret.New(canary)}
	authServer := must(NewAuthServer(server))(t)
	conf := TokenConfig{Server: authServer, Store: &TokenFile{path: "token.json"}, Portal: "https://portal.example", Seed: secret.New(canary)}
	source := must(NewTokenSource(conf))(t)
	source.current = pair
	database := DatabaseConfig{URL: secret.New("postgres://user:" + canary + "@host/db"), Key: secret.New(canary)}
	for _, v := range []any{pair, seedPair(secret.New(canary)), server, authServer, conf, source, database} {
		for _, thing := range []any{v, &v, []any{v}, struct{ inner any }{v}, struct{ Shown any }{v}} {
			var b strings.Builder
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%t"} {
				fmt.Fprintf(&b, verb+"\n", thing)
			}
			j, _ := json.Marshal(thing)
			b.Write(j)
			for _, h := range []slog.Handler{slog.NewTextHandler(&b, nil), slog.NewJSONHandler(&b, nil)} {
				slog.New(h).Info("x", "thing", thing)
			}
			if got := strings.ToLower(b.String()); strings.Contains(got, canary) || strings.Contains(got, fmt.Sprintf("%x", canary)) {
				t.Errorf("a %T prints %s", v, got)
			}
		}
	}
	if !strings.Contains(string(pair.encode()), canary) {
		t.Error("the stored pair has no token")
	}
}
