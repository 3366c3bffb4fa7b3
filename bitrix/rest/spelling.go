package rest

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf16"
)

// formsOf are the ways in which an answer may spell a secret, its case apart.
func formsOf(s string) []string {
	quoted, _ := json.Marshal(s)
	goText := strconv.Quote(s) // net/http repeats malformed answers like this
	forms := []string{s,
		url.QueryEscape(s), urlencode(s), url.PathEscape(s),
		string(quoted[1 : len(quoted)-1]), goText[1 : len(goText)-1], phpJSON(s), phpHexJSON.Replace(s),
		phpHTML.Replace(s), goHTML.Replace(s),
	}
	if len(s) < shortest {
		return forms // encoded, it would be any four characters
	}
	return append(append(forms,
		url.QueryEscape(url.QueryEscape(s)), url.PathEscape(url.PathEscape(s)),
		hex.EncodeToString([]byte(s)),
		entities(s, "&#%d;", false), entities(s, "&#x%x;", false), entities(s, "&#%d;", true), entities(s, "&#x%x;", true),
	), inBase64(s)...)
}

// inBase64 is what base64 makes of s wherever it is in the text encoded,
// as in login:password: the characters that depend on s alone.
func inBase64(s string) []string {
	var forms []string
	for before := range 3 {
		text := append(make([]byte, before), s...)
		from, to := (before*8+5)/6, len(text)*8/6 // in characters of six bits
		for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			if form := enc.EncodeToString(text)[from:to]; len(form) >= 6 {
				forms = append(forms, form)
			}
		}
	}
	return forms
}

// entities writes the characters of s as HTML's numeric ones: all of them, or
// only those that are neither a letter nor a digit of ASCII.
func entities(s, format string, all bool) string {
	var b strings.Builder
	for _, r := range s {
		if !all && r < 0x80 && (r >= '0' && r <= '9' || r|0x20 >= 'a' && r|0x20 <= 'z') {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, format, r)
		}
	}
	return b.String()
}

// phpHTML is PHP's htmlspecialchars, goHTML that of Go and others.
var (
	phpHTML = strings.NewReplacer("&", "&amp;", `"`, "&quot;", "'", "&#039;", "<", "&lt;", ">", "&gt;")
	goHTML  = strings.NewReplacer("&", "&amp;", `"`, "&#34;", "'", "&#39;", "<", "&lt;", ">", "&gt;")
)

// phpHexJSON is what PHP's json_encode writes between the quotes with the
// options JSON_HEX_* and JSON_UNESCAPED_UNICODE.
var phpHexJSON = strings.NewReplacer(`\`, `\\`, "/", `\/`, "'", `\u0027`, `"`, `\u0022`, "&", `\u0026`, "<", `\u003C`, ">", `\u003E`,
	"\b", `\b`, "\f", `\f`, "\n", `\n`, "\r", `\r`, "\t", `\t`)

// phpJSON is what PHP's json_encode writes between the quotes: "/" as "\/",
// and all beyond ASCII as UTF-16 in hexadecimal.
func phpJSON(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch i := strings.IndexRune("\"\\/\b\f\n\r\t", r); {
		case i >= 0:
			b.WriteByte('\\')
			b.WriteByte(`"\/bfnrt`[i])
		case r >= ' ' && r < 0x7f:
			b.WriteRune(r)
		default:
			for _, u := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&b, `\u%04x`, u)
			}
		}
	}
	return b.String()
}
