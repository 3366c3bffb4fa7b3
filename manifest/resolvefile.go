package manifest

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"unicode/utf8"
)

// secretsDir is where container platforms mount secrets.
const secretsDir = "/run/secrets"

// allowed returns the directories whose files a manifest in dir may reference.
// Those that do not exist allow nothing, but for the one of the secrets: where
// a manifest is only validated, it need not be mounted.
func (r *resolving) allowed(dir string) []root {
	if roots, known := r.roots[dir]; known {
		return roots
	}
	secrets := cmp.Or(r.SecretsDir, secretsDir)
	var roots []root
	for _, d := range append([]string{dir, secrets}, r.AllowDirs...) {
		real, err := realPath(d)
		if err != nil && d == secrets {
			real = wouldBe(d)
		}
		if real != "" {
			roots = append(roots, root(real))
		}
	}
	if r.roots == nil {
		r.roots = map[string][]root{}
	}
	r.roots[dir] = roots
	return roots
}

// file returns the text in a referenced file.
func (r *resolving) file(ref *reference) (string, *unresolved) {
	data, problem := r.content(ref, maxReferenced)
	if problem != nil {
		return "", problem
	}
	s := string(trimNewline(bytes.TrimPrefix(data, mark)))
	return s, unfit("the file "+Quote(ref.file), "file", s)
}

// content returns what a referenced file holds, a little more than most bytes
// if there is more. The file is opened through the allowed directory that it
// lies below, which no link leads out of, even one that has been put there
// since it was located.
func (r *resolving) content(ref *reference, most int) ([]byte, *unresolved) {
	shown := "the file " + Quote(ref.file)
	dir, name, problem := r.locate(ref)
	if problem != nil {
		return nil, problem
	}
	opened, err := os.OpenRoot(string(dir))
	if err != nil {
		return nil, unreadable(shown, err)
	}
	defer opened.Close()
	data, err := readRegular(opened.OpenFile, name, most, r.DenyFiles)
	if errors.Is(err, errDenied) {
		return nil, &unresolved{"reserved-file", shown + " cannot be referenced", []string{errDenied.Error()}}
	}
	if err != nil {
		return nil, unreadable(shown, err)
	}
	return data, nil
}

// locate returns the allowed directory that a referenced file lies below, and
// its path from there.
//
// A manifest may come from anybody who can open a pull request, and what it
// references is sent to the portal. So links are resolved first. Kernel file
// systems are refused wherever they are mounted below: they show the
// environment, and with it our credentials.
func (r *resolving) locate(ref *reference) (dir root, name string, problem *unresolved) {
	shown := "the file " + Quote(ref.file)
	path := ref.path()
	roots := r.allowed(ref.dir)
	real, err := realPath(path)
	if err != nil {
		// Whether a file exists outside is nobody's business either.
		if _, _, ok := below(wouldBe(path), roots); !ok {
			return "", "", outside(shown)
		}
		return "", "", unreadable(shown, err)
	}
	dir, name, ok := below(real, roots)
	if !ok || kernel(real) {
		return "", "", outside(shown)
	}
	return dir, name, nil
}

func outside(shown string) *unresolved {
	return &unresolved{"file-outside", shown + " is not below a directory that may be referenced",
		[]string{"allowed are files below the manifest's directory or /run/secrets, after resolving links, and below each --allow-file DIR"}}
}

func unreadable(shown string, err error) *unresolved {
	if failure, ok := errors.AsType[*fs.PathError](err); ok {
		err = failure.Err
	}
	return &unresolved{"file-unreadable", fmt.Sprintf("%s cannot be read: %v", shown, err), nil}
}

// maxLogo is the longest logo that the portal stores, in bytes: that of a TEXT
// column.
const maxLogo = 1<<16 - 1

// logo returns the picture in a file as a data: URI.
func (r *resolving) logo(ref *reference) outcome {
	shown := "the file " + Quote(ref.file)
	data, problem := r.content(ref, maxLogo)
	if problem != nil {
		return outcome{problem: problem}
	}
	kind := pictureType(data)
	if kind == "" {
		return outcome{problem: &unresolved{"logo-type", shown + " is not a picture", []string{"a logo is an SVG, PNG, JPEG, GIF or WebP file"}}}
	}
	uri := "data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(data)
	if len(uri) > maxLogo {
		return outcome{problem: &unresolved{"file-too-large", shown + " is too large for a logo", []string{"the portal stores 64 KiB, which a picture of 48 KiB fills"}}}
	}
	return outcome{plain: uri}
}

// pictureType returns the media type of a picture, "" for anything else.
func pictureType(data []byte) string {
	if t := http.DetectContentType(data); strings.HasPrefix(t, "image/") {
		return t
	}
	if utf8.Valid(data) && bytes.Contains(data, []byte("<svg")) {
		return "image/svg+xml"
	}
	return ""
}
