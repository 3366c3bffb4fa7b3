package clean_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"syncsources/runner/render/clean"
)

func TestLine(t *testing.T) {
	for in, want := range map[string]string{
		"":                       "",
		"Продажи 販売 📈 é":         "Продажи 販売 📈 é",
		"a\nb\r\tc":              `a\nb\r\tc`,
		"\x1b[31mred":            `\x1b[31mred`,
		"\x9b2J":                 `\x9b2J`,
		"\u009b31m":              `\u009b31m`,
		"\u202etxt.exe":          `\u202etxt.exe`,
		"a\u200bb\ufeff":         `a\u200bb\ufeff`,
		"\U000E0041":             `\U000e0041`,
		"bad\xff":                `bad\xff`,
		"kept \uFFFD":            "kept \uFFFD",
		`back\slash "quotes"`:    `back\slash "quotes"`,
		"::error::x":             `:\x3aerror::x`,
		"  ::add-mask::x":        `  :\x3aadd-mask::x`,
		"a::b":                   "a::b",
		"##[error]x":             `#\x23[error]x`,
		"x ##vso[task.x]":        `x #\x23vso[task.x]`,
		"###[debug] ## heading":  `##\x23[debug] ## heading`,
		"##teamcity[x]##[group]": `#\x23teamcity[x]#\x23[group]`,
	} {
		if got := clean.Line(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestLines(t *testing.T) {
	if got, want := clean.Lines("one\n::two::\n\x1bthree\n"), "one\n:\\x3atwo::\n\\x1bthree\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := clean.Log("\x1b[31mred\x1b[0m\n  ::x::\n##[y]"), "\x1b[31mred\x1b[0m\n  :\\x3ax::\n#\\x23[y]"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := clean.Quote("##[x]\n\u202e"), `"#\x23[x]\n\u202e"`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Nothing that does not print gets through, once clean is clean, and a JSON
// document keeps its meaning.
func FuzzClean(f *testing.F) {
	for _, s := range []string{"", "a\x1b[0mb", "::x::y", "\n ::x", "##[a]\u2028", "\xff##[\xfe", "\U000E0001", "\u0000\u0085", `\x1b`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		line := clean.Line(s)
		for _, r := range line {
			if !strconv.IsPrint(r) {
				t.Errorf("%q gets through in %q", r, line)
			}
		}
		if !utf8.ValidString(line) || strings.HasPrefix(strings.TrimSpace(line), "::") {
			t.Errorf("%q", line)
		}
		if again := clean.Line(line); again != line {
			t.Errorf("%q becomes %q", line, again)
		}
		if strings.Count(clean.Lines(s), "\n") != strings.Count(s, "\n") {
			t.Errorf("the lines of %q become %q", s, clean.Lines(s))
		}
		doc, err := json.Marshal(map[string]string{"key": s})
		if err != nil {
			t.Fatal(err)
		}
		var was, is map[string]string
		if json.Unmarshal(doc, &was) != nil || json.Unmarshal(clean.JSON(doc), &is) != nil || was["key"] != is["key"] {
			t.Errorf("%q becomes %q", was["key"], is["key"])
		}
		for _, r := range string(clean.JSON(doc)) {
			if !strconv.IsPrint(r) {
				t.Errorf("%q gets through in %s", r, clean.JSON(doc))
			}
		}
	})
}
