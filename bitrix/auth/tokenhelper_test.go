package auth

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"syncsources/bitrix/rest"
	"syncsources/bitrix/sandbox"
)

// helperMain is the test binary as a token helper, which it is where the
// environment names the file that it keeps the pair in.
func helperMain(file, verb string) int {
	if fails := os.Getenv("HELPER_FAILS"); fails != "" {
		n, _ := os.ReadFile(fails)
		_ = os.WriteFile(fails, append(n, '.'), 0o600)
		if at := os.Getenv("HELPER_FAILS_FROM"); verb == "store" && len(n) >= len(at) {
			_, _ = os.Stderr.WriteString("the vault is sealed\x1b[0m\n")
			_, _ = io.Copy(os.Stderr, os.Stdin)
			return 1
		}
	}
	switch verb {
	case "get":
		b, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return 1
		}
		_, _ = os.Stdout.Write(b)
	case "store":
		f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
		if err != nil {
			return 1
		}
		if _, err := io.Copy(f, os.Stdin); err != nil {
			return 1
		}
	}
	return 0
}

func helper(t *testing.T, file string) *TokenHelper {
	t.Helper()
	t.Setenv("TMPDIR", awkwardDir(t))
	t.Setenv("HELPER_FILE", file)
	h := must(NewTokenHelper(HelperConfig{Program: os.Args[0], Portal: "https://portal.example", Locks: []string{filepath.Join(t.TempDir(), "locks")}}))(t)
	return h
}

func TestHelper(t *testing.T) {
	file := filepath.Join(t.TempDir(), "vault")
	h := helper(t, file)
	ctx := context.Background()
	if _, err := h.Load(ctx); !errors.Is(err, ErrNoPair) {
		t.Errorf("an empty vault: %v", err)
	}
	p, server := sandboxServer(t, "")
	token, err := tokenSource(t, server, h, sandbox.RefreshToken).Token()
	if err != nil || p.Stats().Renewals != 1 {
		t.Fatal(err)
	}
	stored, err := h.Load(ctx)
	if err != nil || stored.AccessToken.Plain() != token.AccessToken {
		t.Errorf("%v", err)
	}
	// A second run takes what the first one stored.
	if again, err := tokenSource(t, server, h, sandbox.RefreshToken).Token(); err != nil || again.AccessToken != token.AccessToken || p.Stats().Renewals != 1 {
		t.Errorf("%v, %d renewals", err, p.Stats().Renewals)
	}
}

func TestHelperThatFails(t *testing.T) {
	for _, tt := range []struct {
		name, from string // calls before it fails, one dot each
		renewals   int
		message    string
	}{
		// get, get under the lock, store of the old pair, store of the new one
		{"before the renewal", "..", 0, "nothing is lost"},
		{"after the renewal", "...", 1, "kept in"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "vault")
			content := `{"access_token":"` + sandbox.AccessToken + `","refresh_token":"` + sandbox.RefreshToken + `","expires":900000000}`
			check(t, os.WriteFile(file, []byte(content), 0o600))
			h := helper(t, file)
			h.pause = 0
			t.Setenv("HELPER_FAILS", filepath.Join(t.TempDir(), "calls"))
			t.Setenv("HELPER_FAILS_FROM", tt.from)
			p, server := sandboxServer(t, "")
			_, err := tokenSource(t, server, h, "").Token()
			var e *rest.Error
			if !errors.As(err, &e) || !strings.Contains(e.Message, tt.message) || !strings.Contains(e.Message, "the vault is sealed [0m") || e.Reaction() != rest.Fatal {
				t.Fatalf("%v (%+v)", err, e)
			}
			if strings.Contains(err.Error(), "sandbox-") {
				t.Errorf("a token that the helper repeated is in the error: %v", err)
			}
			if p.Stats().Renewals != tt.renewals {
				t.Errorf("%d renewals", p.Stats().Renewals)
			}
			if tt.renewals > 0 {
				t.Setenv("HELPER_FAILS", "") // it is fixed
				follow(t, e)
			}
			if !accepted(t, p, file) {
				t.Error("the helper has not got the refresh token that counts")
			}
		})
	}
}

func TestHelperThatIsNone(t *testing.T) {
	if _, err := NewTokenHelper(HelperConfig{Program: "/no/such/program", Portal: "https://portal.example"}); err == nil {
		t.Error("no error")
	}
	file := filepath.Join(t.TempDir(), "vault")
	check(t, os.WriteFile(file, []byte("canary"), 0o600))
	if _, err := helper(t, file).Load(context.Background()); !errors.Is(err, rest.NoToken) || strings.Contains(err.Error(), "canary") {
		t.Errorf("%v", err)
	}
	check(t, os.WriteFile(file, make([]byte, maxPair+1), 0o600))
	if _, err := helper(t, file).Load(context.Background()); err == nil || !strings.Contains(err.Error(), "too long") {
		t.Errorf("%v", err)
	}
}
