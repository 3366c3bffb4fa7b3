package manifest

import (
	"strings"
	"testing"
	"unicode"
)

func TestDetail(t *testing.T) {
	e := &Finding{
		Position: Position{"dir/m.yaml", 5, 3},
		Rule:     "unknown-key",
		Message:  `unknown key "titel"`,
		Excerpt:  "titel: a",
		Hints:    []string{`did you mean "title"?`, "allowed here: title"},
	}
	want := `dir/m.yaml:5:3: unknown key "titel" [unknown-key]
    titel: a
  did you mean "title"?
  allowed here: title`
	if got := e.Detail(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	e.Excerpt, e.Hints = "", nil
	if got := e.Detail(); got != e.Error() {
		t.Errorf("without excerpt and hints it says\n%s", got)
	}
}

func TestQuoteIsSafeForTerminals(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"plain", `"plain"`},
		{"Größe 数据", `"Größe 数据"`},
		{"a\x1b[31m\r\n\"", `"a\x1b[31m\r\n\""`},
		{"\u202eabc\u2028", `"\u202eabc\u2028"`},
		{"\xff", `"\xff"`},
		{strings.Repeat("x", 61), `"` + strings.Repeat("x", 60) + `"...`},
	} {
		if got := Quote(c.in); got != c.want {
			t.Errorf("%q is quoted as %s, want %s", c.in, got, c.want)
		}
	}
	for _, s := range []string{Quote("\x1b\u009b\u202e\u0000"), printable("a\x1b]0;\x07\u202e\u009b\u2028\r\nb"), Position{"\x1b[2J\n.yaml", 1, 1}.String()} {
		for _, r := range s {
			if !unicode.IsPrint(r) && r != '\t' {
				t.Errorf("%q holds %U", s, r)
			}
		}
	}
	if got := quoteAll(strings.Split("abcdefghijklmn", "")); !strings.HasSuffix(got, `"l" and 2 more`) {
		t.Errorf("a long list reads %s", got)
	}
}
