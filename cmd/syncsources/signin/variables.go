package signin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"syncsources/bitrix/secret"
	"syncsources/cmd/syncsources/option"
)

// Variables that hold credentials. Those that are secret also have a _FILE
// variant, which names a file that holds the value.
const (
	Webhook      = "B24_WEBHOOK_URL"
	Portal       = "B24_PORTAL_URL"
	AccessToken  = "B24_ACCESS_TOKEN"
	ClientID     = "B24_CLIENT_ID"
	ClientSecret = "B24_CLIENT_SECRET"
	TokenFile    = "B24_TOKEN_FILE"
	TokenHelper  = "B24_TOKEN_HELPER"
	RefreshToken = "B24_REFRESH_TOKEN"
	OAuth        = "B24_OAUTH_URL"
)

// Variables of a store for several machines. All of them are secret.
const (
	Store       = "SYNCSOURCES_STORE"
	StoreKey    = "SYNCSOURCES_STORE_KEY"
	StoreKeyOld = "SYNCSOURCES_STORE_KEY_OLD"
)

// StoreVariables are the names of the variables of a store that begin as those
// of flags do.
func StoreVariables() []string {
	var names []string
	for _, name := range []string{Store, StoreKey, StoreKeyOld} {
		names = append(names, name, name+"_FILE")
	}
	return names
}

// maxSecretFile is the maximum number of bytes that are read of a file with a secret.
const maxSecretFile = 64 << 10

const byteOrderMark = "\ufeff"

// secretVariable returns the value of a variable, or of the file that its
// _FILE variant names, without white space around it. Both unset is the empty
// text.
func secretVariable(ctx context.Context, e option.Environment, name string) (secret.Text, error) {
	value, path := e.Get(name), e.Get(name+"_FILE")
	switch {
	case strings.Contains(value, byteOrderMark):
		return secret.Text{}, refuse(name+" begins with a byte order mark or holds one", "save the file that it comes from as UTF-8 without BOM")
	case !utf8.ValidString(value):
		return secret.Text{}, refuse(name + " is not UTF-8 text")
	case path == "":
		return secret.New(strings.TrimSpace(value)), nil
	case strings.TrimSpace(value) != "":
		return secret.Text{}, refuse(name+" and "+name+"_FILE are both set", "unset one of them")
	}
	content, err := readSecretFile(ctx, path)
	if err != nil {
		// What names no file may be the secret itself, put into the wrong variable.
		if failed, ok := errors.AsType[*fs.PathError](err); ok {
			err = failed.Err
		}
		return secret.Text{}, refuse(fmt.Sprintf("%s_FILE: cannot read the file that it names: %v", name, err),
			"it is the path of a file that holds the secret; the secret itself goes into "+name)
	}
	value = strings.TrimSpace(strings.TrimPrefix(string(content), byteOrderMark))
	switch {
	case len(content) > maxSecretFile:
		return secret.Text{}, refuse(fmt.Sprintf("%s_FILE: the file %s is too long for a secret", name, path))
	case value == "":
		return secret.Text{}, refuse(fmt.Sprintf("%s_FILE: the file %s is empty", name, path))
	case !utf8.ValidString(value) || strings.ContainsRune(value, 0):
		return secret.Text{}, refuse(fmt.Sprintf("%s_FILE: the file %s is not UTF-8 text", name, path))
	}
	return secret.New(value), nil
}

// readSecretFile reads a file, or what a process substitution writes into a
// pipe, until ctx ends. A pipe that nobody writes to is empty.
func readSecretFile(ctx context.Context, path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // or a pipe without a writer would keep us
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() && info.Mode()&fs.ModeNamedPipe == 0 {
		return nil, errors.New("it is not a file")
	}
	stop := context.AfterFunc(ctx, func() { _ = f.SetReadDeadline(time.Now()) }) // regular files do not wait
	defer stop()
	content, err := io.ReadAll(io.LimitReader(f, maxSecretFile+1))
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return content, err
}

// Files returns the files that hold our own credentials, whatever variable of
// ours names them. A manifest, which may come from anybody who can open a pull
// request, must not send them to a portal as settings, and no report must
// overwrite them.
func Files(e option.Environment) []string {
	var paths []string
	for name, path := range e.All() {
		name = strings.ToUpper(name)
		ours := strings.HasPrefix(name, "B24_") || strings.HasPrefix(name, Store)
		if ours && strings.HasSuffix(name, "_FILE") && path != "" {
			paths = append(paths, path)
		}
	}
	if path := e.Get(TokenFile); path != "" {
		if target, err := filepath.EvalSymlinks(path); err == nil {
			path = target
		}
		// Where a renewal keeps the pair until it takes the file's place, and its lock.
		paths = append(paths, path+".new", path+".lock")
	}
	return paths
}
