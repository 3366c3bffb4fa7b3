package signin

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"syncsources/cmd/syncsources/option"
)

func env(entries ...string) option.Environment { return option.NewEnvironment(entries) }

// A byte order mark is dropped from a file, where an editor has put it, and
// refused in a variable.
func TestByteOrderMarkOfASecret(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte("\ufeff s3cret \r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := secretVariable(context.Background(), env("B24_CLIENT_SECRET_FILE="+path), ClientSecret)
	if err != nil || got.Plain() != "s3cret" {
		t.Errorf("%q, %v", got.Plain(), err)
	}
	if _, err = secretVariable(context.Background(), env("B24_CLIENT_SECRET=\ufeffs3cret"), ClientSecret); err == nil || !strings.Contains(err.Error(), "byte order mark") || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("%v", err)
	}
	if err := os.WriteFile(path, []byte("a\x00b"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err = secretVariable(context.Background(), env("B24_CLIENT_SECRET_FILE="+path), ClientSecret); err == nil {
		t.Error("a text with NUL is taken")
	}
	if _, err = secretVariable(context.Background(), env("B24_CLIENT_SECRET_FILE="+t.TempDir()), ClientSecret); err == nil {
		t.Error("a directory is taken")
	}
}

// Half a character could not be found again in what a portal answers.
func TestSecretIsUTF8Text(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte("s3cret\xff"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, entry := range []string{"B24_CLIENT_SECRET=s3cret\xff", "B24_CLIENT_SECRET_FILE=" + path} {
		_, err := secretVariable(context.Background(), env(entry), ClientSecret)
		if err == nil || !strings.Contains(err.Error(), "is not UTF-8 text") || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: %v", entry, err)
		}
	}
}

// The store's variables are ours: none of their files may go to a portal, nor
// be written over.
func TestFilesWithCredentials(t *testing.T) {
	got := strings.Join(Files(env("B24_TOKEN_FILE=/t.json", "B24_CLIENT_SECRET_FILE=/s", "SYNCSOURCES_STORE_FILE=/db", "SYNCSOURCES_STORE_KEY_FILE=/key", "SYNCSOURCES_STORE_KEY_OLD_FILE=/old", "SYNCSOURCES_METRICS_FILE=/m")), " ")
	for _, path := range []string{"/t.json", "/t.json.new", "/t.json.lock", "/s", "/db", "/key", "/old"} {
		if !strings.Contains(" "+got+" ", " "+path+" ") {
			t.Errorf("%s is not among %s", path, got)
		}
	}
	if strings.Contains(got, "/m") {
		t.Errorf("%s", got)
	}
}

// What is wrong with the store's variables is said before anything is sent.
func TestStoreVariablesThatAreWrong(t *testing.T) {
	const key = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
	app := []string{"B24_PORTAL_URL=https://acme.bitrix24.com", "B24_CLIENT_ID=local.1", "B24_CLIENT_SECRET=s"}
	for name, tt := range map[string]struct {
		env  []string
		says string
	}{
		"no key":          {[]string{"SYNCSOURCES_STORE=postgres://u:canary@db/x"}, "SYNCSOURCES_STORE_KEY is not set"},
		"a short key":     {[]string{"SYNCSOURCES_STORE=postgres://db/x", "SYNCSOURCES_STORE_KEY=Y2FuYXJ5"}, "SYNCSOURCES_STORE_KEY: the key has 6 bytes, not 32"},
		"a bad old key":   {[]string{"SYNCSOURCES_STORE=postgres://db/x", "SYNCSOURCES_STORE_KEY=" + key, "SYNCSOURCES_STORE_KEY_OLD=?"}, "SYNCSOURCES_STORE_KEY_OLD: the key is not base64"},
		"not a database":  {[]string{"SYNCSOURCES_STORE=redis://canary", "SYNCSOURCES_STORE_KEY=" + key}, "SYNCSOURCES_STORE: not an address like postgres://"},
		"two places":      {[]string{"SYNCSOURCES_STORE=postgres://db/x", "SYNCSOURCES_STORE_KEY=" + key, "B24_TOKEN_FILE=t.json"}, "B24_TOKEN_FILE and SYNCSOURCES_STORE are both set"},
		"nowhere to keep": {nil, "B24_TOKEN_FILE is not set"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := FromEnvironment(context.Background(), Config{Env: env(append(tt.env, app...)...)})
			var e *Error
			if !errors.As(err, &e) || e.Stopped || !strings.Contains(e.Message, tt.says) || len(e.Hints) == 0 && name != "not a database" || strings.Contains(e.Message, "canary") {
				t.Errorf("%+v", err)
			}
		})
	}
}

// A store that is down is not the fault of what was given, and is found out in
// time.
func TestStoreThatIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := FromEnvironment(context.Background(), Config{Env: env("B24_PORTAL_URL=https://acme.bitrix24.com", "B24_CLIENT_ID=local.1", "B24_CLIENT_SECRET=s",
			"SYNCSOURCES_STORE=postgres://u:canary@127.0.0.1:1/x?connect_timeout=1", "SYNCSOURCES_STORE_KEY=MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		_, err = c.Application.Stored(ctx)
		var e *Error
		if !errors.As(err, &e) || !e.Stopped || !strings.Contains(e.Message, "nothing was renewed") || strings.Contains(e.Message, "canary") {
			t.Errorf("%v", err)
		}
	})
}
