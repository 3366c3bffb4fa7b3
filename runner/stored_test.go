package runner

import (
	"strings"
	"testing"
)

// What portals make of a text when they store it, and what is another text.
func TestStoredForm(t *testing.T) {
	long := strings.Repeat("я", 60)
	for _, tt := range []struct{ declared, live, want string }{
		{"a", "a", ""},
		{" a\n", "a", "without the white space around it"},
		{"e\u0301", "\u00e9", "with other code points for the same characters (NFC)"},
		{"a🚀b", "ab", "without its characters of four bytes, such as emoji"},
		{"한🚀", "한", "without its characters of four bytes, such as emoji"}, // of three bytes it keeps them
		{`<a & "b">`, "&lt;a &amp; &quot;b&quot;&gt;", "with characters escaped as in HTML"},
		{`'"`, "&#039;&quot;", "with characters escaped as in HTML"},
		{`'"`, "'&quot;", "with characters escaped as in HTML"},
		{long, long[:2*50], cut},
		{long, long[:2*49], "another"},
		{long, "a" + long[:2*55], "another"},
		{"a", "b", "another"},
		{"ab", "a", "another"},
		{"🚀", "", "another"}, // nothing is no trace of a text
		{" ", "", "another"},
		{"", "a", "another"},
	} {
		how, is := storedForm(tt.declared, tt.live)
		if is != (tt.want != "another") || is && how != tt.want {
			t.Errorf("%q, shown as %q: %t, %q, want %q", tt.declared, tt.live, is, how, tt.want)
		}
	}
}

func TestStoredNumber(t *testing.T) {
	for _, tt := range []struct {
		declared, live string
		want           bool
	}{
		{"007", "7", true}, {"007", "07", true}, {"000", "0", true}, {"7", "7", true},
		{"007", "8", false}, {"70", "7", false}, {"0a", "a", false}, {"", "0", false}, {"0x", "x", false}, {"1.0", "1", false},
	} {
		if got := storedNumber(tt.declared, tt.live); got != tt.want {
			t.Errorf("%q, shown as %q: %t", tt.declared, tt.live, got)
		}
	}
}
