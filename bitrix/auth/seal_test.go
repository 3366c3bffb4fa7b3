package auth

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"syncsources/bitrix/secret"
)

func testSealer(t testing.TB, keys ...string) *sealer {
	t.Helper()
	var texts []secret.Text
	for _, k := range keys {
		texts = append(texts, secret.New(k))
	}
	s := must(newSealer(texts...))(t)
	return s
}

func TestSealIsBoundToItsOwner(t *testing.T) {
	s := testSealer(t, key)
	plain := []byte("a pair")
	sealed := s.seal(plain, "acme\x00local.1")
	if bytes.Contains(sealed, plain) || bytes.Equal(sealed, s.seal(plain, "acme\x00local.1")) {
		t.Error("sealed twice the same, or not at all")
	}
	if got, outdated, err := s.open(sealed, "acme\x00local.1"); err != nil || outdated || !bytes.Equal(got, plain) {
		t.Errorf("%s, %v, %v", got, outdated, err)
	}
	for _, owner := range []string{"", "acme", "acme\x00local.2", "other\x00local.1"} {
		if _, _, err := s.open(sealed, owner); !errors.Is(err, errUnsealed) {
			t.Errorf("as a pair of %q: %v", owner, err)
		}
	}
	if _, _, err := testSealer(t, otherKey).open(sealed, "acme\x00local.1"); !errors.Is(err, errUnsealed) {
		t.Errorf("with another key: %v", err)
	}
	if got, outdated, err := testSealer(t, otherKey, key).open(sealed, "acme\x00local.1"); err != nil || !outdated || !bytes.Equal(got, plain) {
		t.Errorf("with the old key: %s, %v, %v", got, outdated, err)
	}
}

// Every bit of what is stored counts.
func TestSealNoticesEveryChange(t *testing.T) {
	s := testSealer(t, key)
	sealed := s.seal([]byte("a pair"), "acme")
	for i := range sealed {
		for bit := range 8 {
			changed := bytes.Clone(sealed)
			changed[i] ^= 1 << bit
			if _, _, err := s.open(changed, "acme"); err == nil {
				t.Fatalf("bit %d of byte %d may change", bit, i)
			}
		}
		if _, _, err := s.open(sealed[:i], "acme"); err == nil {
			t.Fatalf("%d bytes are enough", i)
		}
	}
}

func TestStoreKey(t *testing.T) {
	raw := make([]byte, 32)
	for i := range raw {
		raw[i] = byte(255 - i)
	}
	for text, ok := range map[string]bool{
		base64.StdEncoding.EncodeToString(raw):              true,
		base64.URLEncoding.EncodeToString(raw):              true,
		base64.RawStdEncoding.EncodeToString(raw):           true,
		" " + base64.StdEncoding.EncodeToString(raw) + "\n": true,
		base64.StdEncoding.EncodeToString(raw[:31]):         false,
		base64.StdEncoding.EncodeToString(append(raw, 0)):   false,
		"":                           false,
		strings.Repeat("canary ", 6): false,
	} {
		got, err := ParseStoreKey(secret.New(text))
		if (err == nil) != ok || ok && !bytes.Equal(got, raw) || err != nil && strings.Contains(err.Error(), "canary") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestDatabaseConfig(t *testing.T) {
	for _, tt := range []struct{ url, key, old, want string }{
		{"postgres://u:p@db/x", key, "", ""},
		{"postgresql://db/x?sslmode=disable", key, otherKey, ""},
		{"mysql://u:canary@db/x", key, "", "not an address like postgres://"},
		{"postgres://u:canary@db:port/x", key, "", "cannot be read"},
		{"postgres://u:can%ary@db/x", key, "", "cannot be read"},
		{"postgres://db/x", "canary!", "", "not base64"},
		{"postgres://db/x", "", "", "the key has 0 bytes, not 32"},
		{"postgres://db/x", key, "canary!=", "not base64"},
	} {
		d, err := OpenDatabase(DatabaseConfig{URL: secret.New(tt.url), Key: secret.New(tt.key), OldKey: secret.New(tt.old)})
		if err == nil {
			d.Close()
		}
		if (err == nil) != (tt.want == "") || err != nil && (!strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "can%ary")) {
			t.Errorf("%s: %v", tt.url, err)
		}
		var wrong *KeyError
		if isKey := errors.As(err, &wrong); isKey != strings.HasPrefix(tt.url, "postgres://db/x") || isKey && wrong.Old != (tt.old != "") {
			t.Errorf("%s: %v is about a key: %v", tt.url, err, isKey)
		}
	}
}

// A pair as an earlier run stored it. It is fixed, because each worker of a
// fuzz run is a process of its own, and no two seals of one text are equal.
const storedPair = "AVnX4X7335EjYKDjpdHP8jzjeKyDz+Ftj4Yy2VMcFb7sqwjYa54CuIaqI7mba+iXAligOFvVl1j1PqCrKamn8TEVTyxt"

// What is stored today stays readable.
func TestUnsealsWhatIsStored(t *testing.T) {
	sealed := must(base64.StdEncoding.DecodeString(storedPair))(t)
	got, outdated, err := testSealer(t, key).open(sealed, "acme")
	if want := `{"access_token":"a","refresh_token":"r"}`; err != nil || outdated || string(got) != want {
		t.Errorf("%s, outdated %v, %v; want %s", got, outdated, err, want)
	}
}

// Nothing but what was sealed opens, whatever the bytes are, and nothing makes
// the program fall over.
func FuzzUnseal(f *testing.F) {
	s := testSealer(f, key, otherKey)
	good := must(base64.StdEncoding.DecodeString(storedPair))(f)
	f.Add(good, "acme")
	f.Add(good[:20], "acme")
	f.Add([]byte{}, "")
	f.Add([]byte{sealFormat}, "acme")
	f.Fuzz(func(t *testing.T, sealed []byte, owner string) {
		plain, _, err := s.open(sealed, owner)
		if err == nil && (!bytes.Equal(sealed, good) || owner != "acme") {
			t.Errorf("opened to %q", plain)
		}
	})
}
