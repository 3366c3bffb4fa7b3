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
			check(t, os.WriteFile(path, []byte(before), 0o600))
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

// A pair goes over that of another portal only if that is the same portal
// under a former name.
func TestStoreNewOverAnotherPortalsPair(t *testing.T) {
	ctx := context.Background()
	pair, _ := parsePair([]byte(pairJSON(1)), time.Now()) // of portal.example, member m
	for member, replaced := range map[string]bool{`,"member_id":"m"`: true, `,"member_id":"other"`: false, ``: false} {
		path := writePair(t, `,"client_endpoint":"https://old.example/rest/"`+member)
		other, probed := Probe(ctx, tokenFile(t, path), "https://portal.example")
		if (probed != nil) != (member == "") || probed == nil && other != "old.example" {
			t.Errorf("%s: %q, %v", member, other, probed)
		}
		err := StoreNew(ctx, tokenFile(t, path), "https://portal.example", func(context.Context) (Pair, error) { return pair, nil })
		var e *rest.Error
		if replaced != (err == nil) || err != nil && (!errors.As(err, &e) || e.Reason != OtherPortal) {
			t.Errorf("%s: %v", member, err)
		}
		if got := mustLoad(t, path); got.same(pair) != replaced {
			t.Errorf("%s: replaced %v, want %v", member, !replaced, replaced)
		}
	}
}
