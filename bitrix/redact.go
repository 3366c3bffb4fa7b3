package bitrix

import (
	"encoding/json"
	"errors"
	"net/url"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxText is the most characters of a text of the portal that is passed on.
const maxText = 500

// cleanText makes a text from outside safe to print on one line: control and
// other invisible characters become blanks, runs of blanks one, and what is
// longer than maxText is cut.
func cleanText(s string) string {
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
		if n >= maxText {
			b.WriteString("...")
			break
		}
		if blank {
			b.WriteByte(' ')
			n++
		}
		blank = false
		b.WriteRune(r)
		n++
	}
	return b.String()
}

// scrubber removes the secrets of one request from texts that answer it. The
// portal may repeat parts of a request in an error, so this is the one place
// where output is searched for values; all other redaction goes by field.
type scrubber []string

// scrub collects the secrets of commands: every value of a setting. Further
// secrets are the credentials of the request.
func scrub(commands []Command, further ...string) scrubber {
	secrets := further
	for _, c := range commands {
		for _, p := range c.parameters() {
			fields, _ := p.value.(params)
			for _, f := range fields {
				if f.key == "settings" {
					walk(f.value, func(_ string, v any) {
						if s, ok := v.(string); ok {
							secrets = append(secrets, s)
						}
					})
				}
			}
		}
	}
	var all scrubber
	for _, s := range secrets {
		if s = strings.TrimSpace(s); s == "" {
			continue
		}
		quoted, _ := json.Marshal(s)
		all = append(all, s, url.QueryEscape(s), url.PathEscape(s), string(quoted[1:len(quoted)-1]))
	}
	sort.Slice(all, func(i, j int) bool { return len(all[i]) > len(all[j]) })
	return all
}

// text returns s cleaned and with every secret replaced by Mask. A secret of
// fewer than four bytes is replaced only where it stands as a word, so that
// the text stays readable.
func (secrets scrubber) text(s string) string {
	for _, secret := range secrets {
		if len(secret) >= 4 {
			s = strings.ReplaceAll(s, secret, Mask)
		} else {
			s = replaceWord(s, secret)
		}
	}
	return cleanText(s)
}

func replaceWord(s, word string) string {
	var b strings.Builder
	for {
		i := strings.Index(s, word)
		if i < 0 {
			b.WriteString(s)
			return b.String()
		}
		before, _ := utf8.DecodeLastRuneInString(s[:i])
		after, _ := utf8.DecodeRuneInString(s[i+len(word):])
		b.WriteString(s[:i])
		if wordRune(before) || wordRune(after) {
			b.WriteString(word)
		} else {
			b.WriteString(Mask)
		}
		s = s[i+len(word):]
	}
}

func wordRune(r rune) bool { return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r)) }

// withoutURL strips the address off an error of net/http: it holds the code
// of a webhook.
func withoutURL(err error) error {
	var ue *url.Error
	if errors.As(err, &ue) {
		return ue.Err
	}
	return err
}
