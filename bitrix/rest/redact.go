package rest

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"syncsources/bitrix/secret"
)

// maxText is the most characters of a text of the portal that is passed on.
const maxText = 500

// maxSearched is the most bytes of a text that are searched for secrets; the
// rest is dropped. Without it, a hostile portal could keep us searching for
// minutes. maxText characters fit several times over.
const maxSearched = 4 << 10

// Clean makes a text from outside safe to print on one line: control and
// other invisible characters become blanks, runs of blanks one, and what is
// longer than maxText is cut.
func Clean(s string) string {
	var b strings.Builder
	n, blank := 0, false
	for _, r := range strings.ToValidUTF8(s, "\uFFFD") {
		if !unicode.IsPrint(r) {
			r = ' '
		}
		if r == ' ' {
			blank = b.Len() > 0
			continue
		}
		if blank {
			n++
		}
		if n++; n > maxText {
			b.WriteString("...")
			break
		}
		if blank {
			b.WriteByte(' ')
		}
		blank = false
		b.WriteRune(r)
	}
	return b.String()
}

// Scrubber removes the secrets of one request from texts that answer it. The
// portal may repeat parts of a request in an error, so this is the one place
// where output is searched for values; all other redaction goes by field.
type Scrubber []string

// Scrub collects the secrets of a request, in all the spellings an answer may
// hold them in: those that its commands name, and its credentials.
func Scrub(secrets ...string) Scrubber {
	var all Scrubber
	for _, s := range secrets {
		if s = strings.TrimSpace(s); s == "" {
			continue
		}
		s = s[:min(len(s), maxSearched)] // no more of it fits
		quoted, _ := json.Marshal(s)
		goText := strconv.Quote(s) // net/http repeats malformed answers like this
		all = append(all, s, url.QueryEscape(s), urlencode(s), url.PathEscape(s), string(quoted[1:len(quoted)-1]), goText[1:len(goText)-1], phpJSON(s), phpHexJSON.Replace(s), phpHTML.Replace(s))
	}
	slices.SortFunc(all, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	return slices.Compact(all)
}

// phpHTML is PHP's htmlspecialchars.
var phpHTML = strings.NewReplacer("&", "&amp;", `"`, "&quot;", "'", "&#039;", "<", "&lt;", ">", "&gt;")

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

// Code returns the portal's code of an error, cleaned. A documented code is
// passed on even where a secret is part of it: what the program does about an
// error depends on it, and it tells nothing that is not public.
func (secrets Scrubber) Code(s string) Code {
	code := Code(strings.TrimSpace(s))
	if _, known := reactions[code]; known || documented[code] {
		return code
	}
	if code = Code(secrets.Text(s)); code == "" {
		return PortalError
	}
	return code
}

// documented are further codes of the methods called and of the REST
// interface as a whole.
var documented = map[Code]bool{
	SourceNotFound: true, "SOURCE_CREATE_CONNECTION_ERROR": true, "BX_ERROR": true,
	"VALIDATION_ID_NOT_PROVIDED": true, "VALIDATION_INVALID_ID_FORMAT": true, "VALIDATION_FIELDS_NOT_PROVIDED": true,
	"VALIDATION_UNKNOWN_PARAMETERS": true, "VALIDATION_REQUIRED_FIELD_MISSING": true, "VALIDATION_READ_ONLY_FIELD": true,
	"VALIDATION_IMMUTABLE_FIELD": true, "VALIDATION_INVALID_FIELD_TYPE": true,
	"ERROR_BATCH_LENGTH_EXCEEDED": true, "ERROR_ARGUMENT": true,
}

// Text returns s cleaned and with every secret replaced by secret.Mask, also where
// the end of it is cut off. A secret of fewer than four bytes is replaced only
// where it stands as a word, so that the text stays readable.
func (secrets Scrubber) Text(s string) string {
	s = s[:min(len(s), maxSearched)]
	for _, hidden := range secrets {
		if len(hidden) >= 4 {
			s = strings.ReplaceAll(s, hidden, secret.Mask)
		} else {
			s = replaceWord(s, hidden)
		}
	}
	for _, hidden := range secrets {
		s = replaceBeginning(s, hidden)
	}
	return Clean(s)
}

// enough is how many bytes are known to be of a secret, however long it is.
const enough = 24

// replaceBeginning masks what is left of a secret where a text was cut: its
// beginning, if that is half of it or enough, and at least six bytes.
func replaceBeginning(s, hidden string) string {
	least := max(6, min((len(hidden)+1)/2, enough))
	if len(hidden) <= least {
		return s
	}
	var b strings.Builder
	for {
		i := strings.Index(s, hidden[:least])
		if i < 0 {
			b.WriteString(s)
			return b.String()
		}
		end := least
		for end < len(hidden) && i+end < len(s) && s[i+end] == hidden[end] {
			end++
		}
		b.WriteString(s[:i])
		b.WriteString(secret.Mask)
		s = s[i+end:]
	}
}

func replaceWord(s, word string) string {
	var b strings.Builder
	for at := 0; ; {
		i := strings.Index(s[at:], word)
		if i < 0 {
			b.WriteString(s[at:])
			return b.String()
		}
		start, end := at+i, at+i+len(word)
		before, _ := utf8.DecodeLastRuneInString(s[:start])
		after, _ := utf8.DecodeRuneInString(s[end:])
		b.WriteString(s[at:start])
		if wordRune(before) || wordRune(after) {
			b.WriteString(word)
		} else {
			b.WriteString(secret.Mask)
		}
		at = end
	}
}

func wordRune(r rune) bool { return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r)) }

// WithoutURL strips the address off an error of net/http: it holds the code
// of a webhook.
func WithoutURL(err error) error {
	var ue *url.Error
	if errors.As(err, &ue) {
		return ue.Err
	}
	return err
}
