package runner

import (
	"iter"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// leastCut is the length from which on a title that begins like the declared
// one is taken for that one, cut by the portal: databases cut at 50 characters
// and more.
const leastCut = 50

// cut is what became of a text that is longer than the portal takes.
const cut = "cut"

// storedForm reports whether a live text is what some portals make of the
// declared one when they store it, and says what they do to it.
func storedForm(declared, live string) (how string, is bool) {
	if declared == live || live == "" {
		return "", declared == live
	}
	for form, how := range storedForms(declared) {
		if form == live {
			return how, true
		}
	}
	if strings.HasPrefix(declared, live) && utf8.RuneCountInString(live) >= leastCut {
		return cut, true
	}
	return "", false
}

// storedForms are what some portals make of a text, with what they do to it.
func storedForms(declared string) iter.Seq2[string, string] {
	return func(yield func(form, how string) bool) {
		html := escaped.Replace(declared)
		_ = yield(strings.TrimSpace(declared), "without the white space around it") &&
			yield(norm.NFC.String(declared), "with other code points for the same characters (NFC)") &&
			yield(narrow(declared), "without its characters of four bytes, such as emoji") &&
			yield(html, "with characters escaped as in HTML") &&
			yield(strings.ReplaceAll(html, "'", "&#039;"), "with characters escaped as in HTML")
	}
}

// escaped is what PHP makes of markup; depending on its flags it also escapes
// the apostrophe.
var escaped = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")

// narrow leaves out what MySQL's three-byte UTF-8 cannot hold.
func narrow(s string) string {
	return strings.Map(func(r rune) rune {
		if r > 0xffff {
			return -1
		}
		return r
	}, s)
}

// storedNumber reports whether a live value is the declared one without the
// zeros before it: 007 shown as 7.
func storedNumber(declared, live string) bool {
	return declared != "" && strings.Trim(declared, "0123456789") == "" && strings.TrimLeft(declared, "0") == strings.TrimLeft(live, "0")
}
