package bitrix

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"unicode"

	"gopkg.in/yaml.v3"
)

func TestCleanText(t *testing.T) {
	for in, want := range map[string]string{
		"plain": "plain", "  a \t\r\n b  ": "a b", "a\x1b[31mb": "a [31mb", "a\xffb": "a\uFFFDb", "a\u202eb\u200bc": "a b c",
		strings.Repeat("x", maxText+1): strings.Repeat("x", maxText) + "...", "": "", "Ошибка: 日本": "Ошибка: 日本",
	} {
		if got := cleanText(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestScrubberMasksEverySpelling(t *testing.T) {
	const secret = `pä"ss/w'o<r>d &~+😀`
	s := scrub([]Command{UpdateSource(4, Fields{Title: "t", Settings: []Setting{{"password", NewSecret(" " + secret + "\n")}}})}, "a-token")
	quoted, _ := json.Marshal(secret)
	for _, text := range []string{
		secret, url.QueryEscape(secret), url.PathEscape(secret), urlencode(secret), string(quoted), fmt.Sprintf("%q", secret),
		`"p\u00e4\"ss\/w'o<r>d &~+\ud83d\ude00"`, "p\u00e4&quot;ss/w&#039;o&lt;r&gt;d &amp;~+😀", "a-token",
		`pä\u0022ss\/w\u0027o\u003Cr\u003Ed \u0026~+😀`,
	} {
		if got := s.text("<" + text + ">"); !strings.Contains(got, Mask) || strings.Contains(got, "ss") || strings.Contains(got, "token") {
			t.Errorf("%s became %s", text, got)
		}
	}
}

func TestShortSecretsAreMaskedAsWords(t *testing.T) {
	s := scrub(nil, "4", "ab")
	if got, want := s.text("source 4 of 44, port=4; ab, cab"), "source (sensitive) of 44, port=(sensitive); (sensitive), cab"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestBeginningsOfSecretsAreMasked(t *testing.T) {
	s := scrub(nil, "a-long-password", "short")
	for in, want := range map[string]string{
		"login a-long-pass...": "login (sensitive)...", "a-long-p a-long-passwor": "(sensitive) (sensitive)", "a-long way": "a-long way", "shor": "shor",
	} {
		if got := s.text(in); got != want {
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
	s := scrub(nil, key.String())
	for _, n := range []int{enough, 255, maxSearched - 10, maxSearched, key.Len()} {
		if got := s.text("refused: " + key.String()[:n]); got != "refused: "+Mask {
			t.Errorf("cut after %d bytes: %q", n, got)
		}
	}
}

// What an update leaves alone is part of what the portal checks, and of what it
// may say about that.
func TestHiddenValuesAreMasked(t *testing.T) {
	s := scrub([]Command{UpdateSource(4, Fields{Title: "t", Hidden: []Secret{NewSecret("a-live-one")}})})
	if got, want := s.text("mysql://bi:a-live-one@db refused"), "mysql://bi:"+Mask+"@db refused"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestRedirectToASecretIsMasked(t *testing.T) {
	e := lost(thePortal, 302, &redirected{"https://a-token.evil.example/rest/"}, scrub(nil, "a-token"))
	if got, want := e.Message, "the portal's address redirects to https://"+Mask+".evil.example"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestKnownCodesSurviveScrubbing(t *testing.T) {
	s := scrub(nil, "ERROR", "DENIED", "SOURCE_NOT_FOUND")
	for in, want := range map[string]Code{"ACCESS_DENIED": AccessDenied, "SOURCE_NOT_FOUND": SourceNotFound, "": PortalError, " \n": PortalError, "X DENIED": "X (sensitive)"} {
		if got := s.code(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestSecretHasNoWayOut(t *testing.T) {
	s := NewSecret("canary")
	j, _ := json.Marshal(map[string]any{"a": s, "b": &s, "c": []Secret{s}, "d": map[Secret]int{s: 1}})
	y, _ := yaml.Marshal(map[string]any{"a": s, "b": []Secret{s}})
	var log strings.Builder
	for _, h := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(h).Info("x", "a", s, "b", &s, slog.Group("g", "c", []Secret{s}))
	}
	all := fmt.Sprint(string(j), string(y), log.String(), fmt.Errorf("%w %v", fmt.Errorf("%v", s), s))
	if strings.Contains(all, "canary") || strings.Count(all, Mask) < 10 {
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
		got := scrub(nil, a, b).text(text + a + b + url.QueryEscape(a))
		for _, r := range got {
			if !unicode.IsPrint(r) {
				t.Fatalf("%q is not fit to print", got)
			}
		}
		if len([]rune(got)) > maxText+3 {
			t.Fatalf("%d characters", len([]rune(got)))
		}
		// What masking itself writes is no secret.
		rest := strings.ReplaceAll(got, Mask, "\n")
		for _, s := range []string{a, b} {
			if s = strings.TrimSpace(s); len(s) >= 4 && !strings.Contains(Mask, s) && strings.Contains(rest, s) {
				t.Fatalf("%q is left in %q", s, got)
			}
		}
	})
}

// A hostile portal must not keep us busy with texts of megabytes, to be
// searched for the spellings of hundreds of secrets.
func TestOnlyTheBeginningOfATextIsSearched(t *testing.T) {
	s := scrub(nil, "a-long-password")
	if got := s.text(strings.Repeat(" ", maxSearched) + "more"); got != "" {
		t.Errorf("got %q", got)
	}
	for cut := range len("a-long-password") {
		got := s.text(strings.Repeat(" ", maxSearched-cut) + "a-long-password")
		if strings.Contains(got, "a-long-p") {
			t.Errorf("cut after %d bytes: %q", cut, got)
		}
	}
}
