package rest

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"unicode"

	"gopkg.in/yaml.v3"

	"syncsources/bitrix/secret"
)

func TestCleanText(t *testing.T) {
	for in, want := range map[string]string{
		"plain": "plain", "  a \t\r\n b  ": "a b", "a\x1b[31mb": "a [31mb", "a\xffb": "a\uFFFDb", "a\u202eb\u200bc": "a b c",
		strings.Repeat("x", maxText+1): strings.Repeat("x", maxText) + "...", "": "", "Ошибка: 日本": "Ошибка: 日本",
	} {
		if got := Clean(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestScrubberMasksEverySpelling(t *testing.T) {
	const password = `pä"ss/w'o<r>d &~+😀`
	s := Scrub(" "+password+"\n", "a-token")
	quoted, _ := json.Marshal(password)
	for _, text := range []string{
		password, url.QueryEscape(password), url.PathEscape(password), urlencode(password), string(quoted), fmt.Sprintf("%q", password),
		`"p\u00e4\"ss\/w'o<r>d &~+\ud83d\ude00"`, "p\u00e4&quot;ss/w&#039;o&lt;r&gt;d &amp;~+😀", "a-token",
		`pä\u0022ss\/w\u0027o\u003Cr\u003Ed \u0026~+😀`,
		strings.ToUpper(password), strings.ToLower(url.QueryEscape(password)),
		url.QueryEscape(url.QueryEscape(password)), url.PathEscape(url.PathEscape(password)),
		html.EscapeString(password), "&#112;&#228;&#34;&#115;&#115;&#47;&#119;&#39;&#111;&#60;&#114;&#62;&#100;&#32;&#38;&#126;&#43;&#128512;",
		"p&#xe4;&#x22;ss&#x2F;w&#x27;o&#x3c;r&#x3e;d&#x20;&#x26;&#x7e;&#x2b;&#x1f600;",
		hex.EncodeToString([]byte(password)), strings.ToUpper(hex.EncodeToString([]byte(password))),
	} {
		// Each is masked to its end, and not only where two spellings begin alike.
		if got := s.Text("<" + text + ">"); strings.Trim(strings.ReplaceAll(got, secret.Mask, ""), `"`) != "<>" && got != "<\""+secret.Mask+"\">" {
			t.Errorf("%s became %s", text, got)
		}
	}
}

// A password may stand anywhere in what is encoded, as in login:password.
func TestSecretsInBase64AreMasked(t *testing.T) {
	const password = "a>long?pä~word>>??" // with all that the two alphabets write differently
	s := Scrub(password)
	for before := range 7 {
		for after := range 4 {
			text := strings.Repeat("x", before) + password + strings.Repeat("y", after)
			for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.RawURLEncoding} {
				encoded := enc.EncodeToString([]byte(text))
				got := s.Text("Basic " + encoded)
				// What is left may hold no more than parts of the first and the
				// last character.
				if !strings.Contains(got, secret.Mask) || len(got) > len("Basic (sensitive)")+len(encoded)-len(password)*8/6+2 {
					t.Errorf("%s in %s became %s", text, encoded, got)
				}
			}
		}
	}
}

func TestOverlappingSecretsAreMasked(t *testing.T) {
	for _, secrets := range [][]string{{"abcdef", "defghi"}, {"abcdefghi", "cdef"}, {"abcdefghi", "ghi"}} {
		if got, want := Scrub(secrets...).Text("<abcdefghi>"), "<(sensitive)>"; got != want {
			t.Errorf("%q: got %q, want %q", secrets, got, want)
		}
	}
}

// A control character of a secret is a blank in what is printed.
func TestSecretsAreMaskedAsTheyArePrinted(t *testing.T) {
	for _, text := range []string{"pass\nword", "pass\x01word", "pass word", "pass \t word"} {
		if got, want := Scrub("pass\nword").Text("<"+text+">"), "<(sensitive)>"; got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestShortSecretsAreMaskedAsWords(t *testing.T) {
	s := Scrub("4", "ab")
	if got, want := s.Text("source 4 of 44, port=4; ab, cab"), "source (sensitive) of 44, port=(sensitive); (sensitive), cab"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestBeginningsOfSecretsAreMasked(t *testing.T) {
	s := Scrub("a-long-password", "short")
	for in, want := range map[string]string{
		"login a-long-pass...": "login (sensitive)...", "a-long-p a-long-passwor": "(sensitive) (sensitive)", "a-long way": "a-long way", "shor": "shor",
	} {
		if got := s.Text(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

// A key of several kilobytes may be cut anywhere, by the portal or by us.
func TestLongSecretsAreMaskedWhereTheyAreCut(t *testing.T) {
	var key strings.Builder
	for i := 0; key.Len() < 3*maxSearched; i++ {
		fmt.Fprintf(&key, "%d,", i*i)
	}
	s := Scrub(key.String())
	for _, n := range []int{enough, 255, maxSearched - 10, maxSearched, key.Len()} {
		if got := s.Text("refused: " + key.String()[:n]); got != "refused: "+secret.Mask {
			t.Errorf("cut after %d bytes: %q", n, got)
		}
	}
}

func TestRedirectToASecretIsMasked(t *testing.T) {
	e := Lost(ThePortal, 302, &redirected{"https://a-token.evil.example/rest/"}, Scrub("a-token"))
	if got, want := e.Message, "the portal's address redirects to https://"+secret.Mask+".evil.example"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestKnownCodesSurviveScrubbing(t *testing.T) {
	s := Scrub("ERROR", "DENIED", "SOURCE_NOT_FOUND")
	for in, want := range map[string]Code{"ACCESS_DENIED": AccessDenied, "SOURCE_NOT_FOUND": SourceNotFound, "": PortalError, " \n": PortalError, "X DENIED": "X (sensitive)"} {
		if got := s.Code(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestSecretHasNoWayOut(t *testing.T) {
	s := secret.New("canary")
	j, _ := json.Marshal(map[string]any{"a": s, "b": &s, "c": []secret.Text{s}, "d": map[secret.Text]int{s: 1}})
	y, _ := yaml.Marshal(map[string]any{"a": s, "b": []secret.Text{s}})
	var log strings.Builder
	for _, h := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(h).Info("x", "a", s, "b", &s, slog.Group("g", "c", []secret.Text{s}))
	}
	all := fmt.Sprint(string(j), string(y), log.String(), fmt.Errorf("%w %v", fmt.Errorf("%v", s), s))
	if strings.Contains(all, "canary") || strings.Count(all, secret.Mask) < 10 {
		t.Error(all)
	}
}

// FuzzScrubber checks that no secret of four characters and more is left in a
// text, wherever and however often it stood there, and that the text is fit
// to print on one line.
func FuzzScrubber(f *testing.F) {
	f.Add("secret", "other", "before secret after other secretother\x1b[0m")
	f.Add("aaaa", "aa", "aaaaaaaaa")
	f.Add("pä/ss", "se%63ret", `{"p":"p\u00e4\/ss"} se%2563ret`)
	f.Add("(sensitive)", "sens", "(sensitive)")
	f.Add("x", "y", strings.Repeat("a", maxText-1)+" b c d")
	f.Fuzz(func(t *testing.T, a, b, text string) {
		// As every secret is; between others, half a character would join up.
		a, b = strings.ToValidUTF8(a, "?"), strings.ToValidUTF8(b, "?")
		got := Scrub(a, b).Text(text + a + b + url.QueryEscape(a))
		for _, r := range got {
			if !unicode.IsPrint(r) {
				t.Fatalf("%q is not fit to print", got)
			}
		}
		if len([]rune(got)) > maxText+3 {
			t.Fatalf("%d characters", len([]rune(got)))
		}
		// What masking itself writes is no secret.
		for _, rest := range strings.Split(got, secret.Mask) {
			for _, s := range []string{a, b} {
				if s = strings.TrimSpace(s); len(s) >= 4 && !strings.Contains(secret.Mask, s) && strings.Contains(rest, s) {
					t.Fatalf("%q is left in %q", s, got)
				}
			}
		}
	})
}

// A hostile portal must not keep us busy with texts of megabytes, to be
// searched for the spellings of hundreds of secrets.
func TestOnlyTheBeginningOfATextIsSearched(t *testing.T) {
	s := Scrub("a-long-password")
	if got := s.Text(strings.Repeat(" ", maxSearched) + "more"); got != "" {
		t.Errorf("got %q", got)
	}
	for cut := range len("a-long-password") {
		got := s.Text(strings.Repeat(" ", maxSearched-cut) + "a-long-password")
		if strings.Contains(got, "a-long-p") {
			t.Errorf("cut after %d bytes: %q", cut, got)
		}
	}
}
