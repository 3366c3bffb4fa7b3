package auth

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"syncsources/bitrix/rest"
)

func TestStoreNew(t *testing.T) {
	ctx := context.Background()
	pair, _ := parsePair([]byte(pairJSON(1)), time.Now())
	give := func(context.Context) (Pair, error) { return pair, nil }
	path := filepath.Join(t.TempDir(), "token.json")
	path = filepath.Join(filepath.Dir(path), "new", "token.json")
	for _, before := range []string{"", "broken", string(pair.encode())} {
		if before != "" {
			if err := os.WriteFile(path, []byte(before), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := StoreNew(ctx, tokenFile(t, path), "https://portal.example", give); err != nil {
			t.Errorf("over %q: %v", before, err)
		}
		if p, err := tokenFile(t, path).Load(ctx); err != nil || p.AccessToken != pair.AccessToken {
			t.Errorf("over %q: %v", before, err)
		}
	}
	before, _ := os.ReadFile(path)
	wrong := StoreNew(ctx, tokenFile(t, path), "https://other.example", give)
	failed := StoreNew(ctx, tokenFile(t, path), "https://portal.example", func(context.Context) (Pair, error) { return Pair{}, rest.Code("no") })
	nowhere := tokenFile(t, filepath.Join(path, "no", "such", "token.json"))
	missing := StoreNew(ctx, nowhere, "https://portal.example", func(context.Context) (Pair, error) { t.Error("spent"); return pair, nil })
	after, _ := os.ReadFile(path)
	if wrong == nil || !errors.Is(failed, rest.Code("no")) || missing == nil || string(before) != string(after) {
		t.Errorf("%v; %v; %v", wrong, failed, missing)
	}
	if _, err := Probe(ctx, tokenFile(t, path), "https://portal.example"); err != nil {
		t.Error(err)
	}
	if _, err := Probe(ctx, nowhere, "https://portal.example"); err == nil {
		t.Error("a store that cannot store passes the probe")
	}
	if names := dir(t, path); names != "token.json token.json.lock" {
		t.Errorf("the directory holds %s", names)
	}
}
