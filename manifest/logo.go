package manifest

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"strings"
	"unicode/utf8"
)

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
