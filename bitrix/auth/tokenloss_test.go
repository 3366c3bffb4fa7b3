package auth

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"syncsources/bitrix/rest"
	"syncsources/bitrix/sandbox"
	"syncsources/bitrix/secret"
)

// renewal sets up a renewal, in the middle of which, when the refresh token
// is spent, spent is called.
func renewal(t *testing.T, path string, spent func()) (*sandbox.Portal, *TokenFile, func() error) {
	t.Helper()
	p, _ := sandboxServer(t, "")
	server := sandboxAuth(t, roundTrip(func(req *http.Request) (*http.Response, error) {
		resp, err := p.RoundTripper().RoundTrip(req)
		spent()
		return resp, err
	}))
	file := tokenFile(t, path)
	source := tokenSource(t, server, file, "")
	return p, file, func() error {
		_, err := source.Renew(context.Background(), &oauth2.Token{AccessToken: sandbox.AccessToken})
		return err
	}
}

// accepted reports whether the refresh token in the file at path is the one
// that the authorization server takes.
func accepted(t *testing.T, p *sandbox.Portal, path string) bool {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		return false
	}
	pair, err := parsePair(content, time.Time{})
	if err != nil {
		return false
	}
	_, err = sandboxAuth(t, p.RoundTripper()).Refresh(context.Background(), "", pair)
	return err == nil
}

// awkwardDir is a directory whose name a shell takes apart.
func awkwardDir(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "it's $HOME (x)")
	check(t, os.Mkdir(dir, 0o700))
	return dir
}

// follow does what a hint advises to run.
func follow(t *testing.T, e *rest.Error) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the hint is for a shell")
	}
	_, command, ok := strings.Cut(e.Hint, "run: ")
	if !ok {
		t.Fatalf("the hint %q has no command", e.Hint)
	}
	if out, err := exec.Command("sh", "-c", command).CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", command, err, out)
	}
}

func TestStoreThatFails(t *testing.T) {
	full := func(f *os.File, b []byte) error {
		return &fs.PathError{Op: "write", Path: f.Name(), Err: syscall.ENOSPC}
	}
	readOnly := func(from, to string) error {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: syscall.EROFS}
	}
	advised := func(t *testing.T, path string, e *rest.Error) string { follow(t, e); return path }
	for _, tt := range []struct {
		name string
		// before and after the refresh token is spent
		before, spent func(*TokenFile)
		renewals      int
		kept          func(t *testing.T, path string, e *rest.Error) string // where the pair that counts is
		message       string                                                // "" means success
	}{
		{"disk full from the start", func(f *TokenFile) { f.write = full }, nil, 0,
			func(_ *testing.T, path string, _ *rest.Error) string { return path }, "nothing is lost"},
		{"cannot be replaced from the start", func(f *TokenFile) { f.rename = readOnly }, nil, 0,
			func(_ *testing.T, path string, _ *rest.Error) string { return path }, "nothing is lost"},
		{"cannot be replaced when it counts", nil, func(f *TokenFile) { f.rename = readOnly }, 1, advised, "it is kept in"},
		{"disk full when it counts, but the old file can be written", nil, func(f *TokenFile) {
			f.write = func(to *os.File, b []byte) error {
				if strings.HasSuffix(to.Name(), ".new") {
					return full(to, b)
				}
				return writeSynced(to, b)
			}
		}, 1, func(_ *testing.T, path string, _ *rest.Error) string { return path }, ""},
		{"disk dead when it counts", nil, func(f *TokenFile) { f.write = full }, 1, advised, "is kept in"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("TMPDIR", awkwardDir(t))
			path := filepath.Join(awkwardDir(t), "token.json")
			check(t, os.Rename(writePair(t, ""), path))
			var file *TokenFile
			p, file, renew := renewal(t, path, func() {
				if tt.spent != nil {
					tt.spent(file)
				}
			})
			if tt.before != nil {
				tt.before(file)
			}
			err := renew()
			var e *rest.Error
			errors.As(err, &e)
			if (err == nil) != (tt.message == "") || err != nil && (!strings.Contains(e.Message, tt.message) || e.Reaction() != rest.Fatal || e.Hint == "") {
				t.Errorf("%v (%+v)", err, e)
			}
			if n := p.Stats().Renewals; n != tt.renewals {
				t.Errorf("%d renewals, want %d", n, tt.renewals)
			}
			if where := tt.kept(t, path, e); !accepted(t, p, where) {
				t.Errorf("the refresh token that counts is not in %s", where)
			}
			if strings.Contains(fmt.Sprintf("%v %+v", e, e), "sandbox-") {
				t.Errorf("%v", e)
			}
		})
	}
}

// On a real file system that is full.
func TestFullDisk(t *testing.T) {
	if runtime.GOOS != "linux" || os.Getuid() != 0 {
		t.Skip("mounting a small file system needs Linux and root")
	}
	small := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=128k", "none", small).CombinedOutput(); err != nil {
		t.Skipf("a small file system cannot be mounted: %s", out)
	}
	defer func() { _ = exec.Command("umount", small).Run() }()
	fill := func() {
		f, err := os.Create(filepath.Join(small, "filler"))
		check(t, err)
		for err == nil {
			_, err = f.Write(make([]byte, 4096))
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
		_ = f.Close()
	}
	seed := func() string {
		path := filepath.Join(small, "token.json")
		check(t, os.WriteFile(path, []byte(`{"access_token":"`+sandbox.AccessToken+`","refresh_token":"`+sandbox.RefreshToken+`"}`), 0o600))
		return path
	}

	t.Run("before the renewal", func(t *testing.T) {
		path := seed()
		fill()
		defer func() { _ = os.Remove(filepath.Join(small, "filler")) }()
		p, _, renew := renewal(t, path, func() {})
		err := renew()
		if err == nil || !strings.Contains(err.Error(), "no space left") || p.Stats().Tokens != 0 {
			t.Errorf("%v, %d requests", err, p.Stats().Tokens)
		}
		if !accepted(t, p, path) {
			t.Error("the refresh token is lost")
		}
	})
	t.Run("during the renewal", func(t *testing.T) {
		path := seed()
		defer func() { _ = os.Remove(filepath.Join(small, "filler")) }()
		p, _, renew := renewal(t, path, fill)
		if err := renew(); err != nil || p.Stats().Renewals != 1 {
			t.Errorf("%v, %d renewals", err, p.Stats().Renewals)
		}
		if !accepted(t, p, path) {
			t.Error("the new refresh token is lost")
		}
	})
}

// A process that is killed between the answer and the rename leaves FILE.new.
func TestKilledBetweenWriteAndRename(t *testing.T) {
	_, server := sandboxServer(t, "")
	path := writePair(t, "")
	pair := must(server.Refresh(context.Background(), "", seedPair(secret.New(sandbox.RefreshToken))))(t)
	check(t, os.WriteFile(path+".new", pair.encode(), 0o600))
	source := tokenSource(t, server, tokenFile(t, path), "")
	token, err := source.Renew(context.Background(), &oauth2.Token{AccessToken: sandbox.AccessToken})
	if err != nil || token.AccessToken != pair.AccessToken.Plain() {
		t.Errorf("%v", err)
	}
	if names := dir(t, path); names != "token.json token.json.lock" {
		t.Errorf("the directory holds %s", names)
	}

	// So does one that is killed a moment before, with the pair in the room of
	// the rehearsal and the rest of that not yet cut off.
	second := must(server.Refresh(context.Background(), "", pair))(t)
	killed := must(tokenFile(t, path).Lock(context.Background()))(t)
	check(t, killed.Prepare(context.Background(), pair))
	killed.Unlock()
	f := must(os.OpenFile(path+".new", os.O_WRONLY, 0))(t)
	must(f.WriteAt(second.encode(), 0))(t)
	check(t, f.Close())
	if p, err := tokenFile(t, path).Load(context.Background()); err != nil || p.AccessToken != second.AccessToken {
		t.Errorf("the pair in the room of the rehearsal is lost: %v", err)
	}
	pair = second

	// It is found even where there was no file yet: in the first login.
	first := filepath.Join(t.TempDir(), "token.json")
	check(t, os.WriteFile(first+".new", pair.encode(), 0o600))
	if p, err := tokenFile(t, first).Load(context.Background()); err != nil || p.AccessToken != pair.AccessToken {
		t.Errorf("%v", err)
	}

	// While a renewal is at work it is left alone.
	locked := must(tokenFile(t, first).Lock(context.Background()))(t)
	check(t, os.WriteFile(first+".new", []byte(strings.Repeat(" ", reserve)), 0o600))
	if _, err := tokenFile(t, first).Load(context.Background()); err != nil || dir(t, first) != "token.json token.json.lock token.json.new" {
		t.Errorf("%v, %s", err, dir(t, first))
	}
	locked.Unlock()

	// What is not a whole pair, or older than the file, does not count.
	for name, content := range map[string]string{"room": strings.Repeat(" ", reserve), "half": `{"access_token":"x`, "seed": `{"refresh_token":"x"}`, "stale": `{"access_token":"x","refresh_token":"x"}`} {
		check(t, os.WriteFile(path+".new", []byte(content), 0o600))
		if name == "stale" {
			old := time.Now().Add(-time.Hour)
			check(t, os.Chtimes(path+".new", old, old))
		}
		if p, err := tokenFile(t, path).Load(context.Background()); err != nil || p.AccessToken != pair.AccessToken {
			t.Errorf("%s: taken for a pair: %v", name, err)
		}
		locked := must(tokenFile(t, path).Lock(context.Background()))(t)
		locked.Unlock()
		if names := dir(t, path); name != "stale" && names != "token.json token.json.lock" {
			t.Errorf("%s: the directory holds %s", name, names)
		}
	}
}

// What cannot be read may be the only pair that is worth something: it is
// named, not removed.
func TestUnreadableRestIsKept(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no such modes")
	}
	path := writePair(t, "")
	check(t, os.WriteFile(path+".new", seedPair(secret.New("x")).encode(), 0o600))
	check(t, os.Chmod(path+".new", 0o644)) // for root, too, it is not to be read then
	_, err := tokenFile(t, path).Load(context.Background())
	if err == nil || !strings.Contains(err.Error(), path+".new") {
		t.Errorf("%v", err)
	}
	if names := dir(t, path); names != "token.json token.json.lock token.json.new" {
		t.Errorf("the directory holds %s", names)
	}
}
