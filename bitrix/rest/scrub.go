package rest

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"syncsources/bitrix/secret"
)

// maxSearched is the maximum number of bytes of a text that are searched for secrets; the
// rest is dropped. Without it, a hostile portal could keep us searching for
// minutes. maxText characters fit several times over.
const maxSearched = 4 << 10

// Scrubber removes the secrets of one request from texts that answer it. The
// portal may repeat parts of a request in an error, so this is the one place
// where output is searched for values; all other redaction goes by field. The
// zero Scrubber knows no secrets.
type Scrubber struct{ known **spellings } // fmt does not follow a pointer to a pointer

// Scrub collects the secrets of a request: those that its commands name, and
// its credentials. They are valid UTF-8; whatever reads a secret refuses
// others.
func Scrub(secrets ...string) Scrubber {
	known := &spellings{secrets: secrets}
	return Scrubber{&known}
}

func (Scrubber) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, secret.Mask) }

// spellings are the spellings of secrets that an answer may hold, in lower
// case, found by their first bytes. They are made when a first text is to be
// searched: most requests have no error.
type spellings struct {
	secrets []string
	once    sync.Once
	long    map[[shortest]byte][]string // longest first
	words   []string                    // shorter ones, which count as words only
}

// shortest is the length from which a secret is searched for anywhere.
const shortest = 4

func (k *spellings) make() {
	k.long = map[[shortest]byte][]string{}
	seen := map[string]bool{}
	for _, s := range k.secrets {
		if s = strings.TrimSpace(s); s == "" {
			continue
		}
		for _, form := range formsOf(s[:min(len(s), maxSearched)]) {
			form = lower(oneLine(form))
			if form == "" || seen[form] {
				continue
			}
			seen[form] = true
			if len(form) < shortest {
				k.words = append(k.words, form)
				continue
			}
			begin := [shortest]byte([]byte(form[:shortest]))
			k.long[begin] = append(k.long[begin], form)
		}
	}
	for _, forms := range k.long {
		slices.SortFunc(forms, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	}
}

// Text returns s cleaned and with every secret replaced by the mask, whatever
// its case, also where the end of it is cut off. A secret of fewer than four
// bytes is replaced only as a word of its own, so that the text stays
// readable.
func (s Scrubber) Text(text string) string {
	text = oneLine(text[:min(len(text), maxSearched)])
	if s.known != nil {
		known := *s.known
		known.once.Do(known.make)
		text = known.mask(text)
	}
	return cut(text, maxText)
}

// mask replaces what the spellings cover. All of it is found before anything
// is replaced: secrets may overlap.
func (k *spellings) mask(text string) string {
	low := lower(text)
	var b strings.Builder
	done := 0 // all before it is written
	from, to := -1, -1
	flush := func() {
		if to >= 0 {
			b.WriteString(text[done:from])
			b.WriteString(secret.Mask)
			done = to
		}
	}
	for i := range low { // at the beginning of each character
		n := k.at(low, i)
		if n == 0 {
			continue
		}
		end := i + n
		for end < len(text) && !utf8.RuneStart(text[end]) {
			end++
		}
		if i >= to {
			flush()
			from = i
		}
		to = max(to, end)
	}
	flush()
	b.WriteString(text[done:])
	return b.String()
}

// at is how many bytes at i belong to a secret: all of it, or, where a text
// was cut, its beginning.
func (k *spellings) at(low string, i int) int {
	most := 0
	if i+shortest <= len(low) {
		for _, form := range k.long[[shortest]byte([]byte(low[i:i+shortest]))] {
			n := common(low[i:], form)
			if n == len(form) || n >= telling(form) {
				most = max(most, n)
			}
		}
	}
	for _, word := range k.words {
		if strings.HasPrefix(low[i:], word) && standsAlone(low, i, i+len(word)) {
			most = max(most, len(word))
		}
	}
	return most
}

// enough is how many bytes are known to be of a secret, however long it is.
const enough = 24

// telling is how many bytes of a secret's beginning are taken for it: half of
// it or enough, and at least six.
func telling(form string) int { return max(6, min((len(form)+1)/2, enough)) }

func common(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

func standsAlone(s string, from, to int) bool {
	before, _ := utf8.DecodeLastRuneInString(s[:from])
	after, _ := utf8.DecodeRuneInString(s[to:])
	return !wordRune(before) && !wordRune(after)
}

func wordRune(r rune) bool { return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r)) }

// lower is s in lower case, with each character in its place.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if l := unicode.ToLower(r); utf8.RuneLen(l) == utf8.RuneLen(r) {
			return l
		}
		return r
	}, s)
}

// Code returns the portal's code of an error, cleaned. A documented code is
// passed on even where a secret is part of it: what the program does about an
// error depends on it, and it gives away nothing. 0 and the empty text mean an
// error without a code.
func (s Scrubber) Code(text string) Code {
	code := Code(strings.TrimSpace(text))
	if _, known := reactions[code]; known || documented[code] {
		return code
	}
	if code = Code(s.Text(text)); code == "" || code == "0" {
		return PortalError
	}
	return code
}

// WithoutURL strips the address off an error of net/http: it holds the code
// of a webhook.
func WithoutURL(err error) error {
	if ue, ok := errors.AsType[*url.Error](err); ok {
		return ue.Err
	}
	return err
}
