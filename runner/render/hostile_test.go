package render_test

import (
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"syncsources/runner"
	"syncsources/runner/render"
)

// sgr is an escape sequence that sets a colour.
var sgr = regexp.MustCompile("\x1b\\[[0-9;]*m")

// ourHTML are the lines of HTML that markdown writes itself.
var ourHTML = regexp.MustCompile(`^(<!-- syncsources:\w+( [\pL\pN.:_\[\]-]+)* -->|<details( open)?><summary>\d+ (object|portal)s? [a-z ]+</summary>|<details( open)?><summary>[A-Z][a-z ]+</summary>|</details>|)$`)

// hostile are texts that a manifest or a portal may hold, each an attempt on
// one of the formats.
var hostile = []string{
	"\x1b[31mred\x1b[0m", "\x1b]8;;http://evil.example\x07link\x1b]8;;\x07", "\x9b2J", "a\rb", "a\nb", "a\r\n\r\nb", "tab\there",
	"\u202ereversed\u202c", "\u2066isolated\u2069", "zero\u200bwidth", "\ufeffmark", "line\u2028separator", "nul\x00", "del\x7f", "invalid\xff\xfe", "\uFFFE", "\U000E0001tag",
	"|", `\|`, `\\|`, "a | b | c", "`", "``", "```", "`` ` ``", "```\n<script>alert(1)</script>\n```", " ", "  two spaces  ", "`edge", "edge`",
	"<script>alert(1)</script>", "<!-- syncsources:plan -->", "--> <b>", "</details>", "<img src=x onerror=alert(1)>", "&lt;b&gt;", "&#64;",
	"@octocat", "@org/team", "#1", "GH-1", "org/repo#1", "http://evil.example/", "www.evil.example", "ann@mail.example", "[x](http://evil.example)",
	"![x](http://evil.example/i.png)", "[x]: http://evil.example", "**bold**", "_em_", "~~gone~~", "# heading", "- [ ] task", "1. one", "> quote", "---", "\\", "\\`",
	"::error::injected", "::set-output name=x::y", "\n::add-mask::x", "##[error]x", "##vso[task.setvariable variable=x]y", "###[debug]", "  ::error::x", "a::b", "100%", "%0A::error::x", "a,b=c:d", "file=/etc/passwd,line=1",
	"]]>", "<![CDATA[", "</testsuites>", "<?xml?>", "&", "\"", "'", "\\\"", "{{.}}", "${{ secrets.X }}", "%s%n", "$x$", `a"} 1`,
	"販売 📈", "é e\u0301", strings.Repeat("long ", 2000), strings.Repeat("`", 300), strings.Repeat("\n", 300), strings.Repeat("|", 300),
}

// hostileReport holds s wherever a report has foreign text.
func hostileReport(s string) *runner.Report {
	f := &runner.Failure{Code: s, Message: s, Hint: s}
	all := runner.Object{Name: s, ID: 1, Title: s, Error: f, Changes: []runner.Change{
		{Path: "title", From: s, To: s + "x"},
		{Path: "description", From: "x\n" + s + "\ny", To: "x\n" + s + "z\ny"},
		{Path: "settings." + s, From: "", To: s},
		{Path: "settings." + s, Sensitive: true},
	}}
	failed, planned, updated := all, all, all
	failed.Status, planned.Status, updated.Status = runner.StatusFailed, runner.StatusPlanned, runner.StatusUpdated
	planned.Error, updated.Error = nil, nil
	r := report("plan", runner.OutcomeFailed, failed, planned, updated)
	for i := range r.Objects {
		r.Objects[i].File = s
	}
	r.Portal, r.Checksum, r.Error = s, s, f
	r.Unmanaged = []runner.Unmanaged{{Kind: runner.KindSource, ID: 2, Title: s, ConnectorID: 3}}
	return r
}

// hostileInvalid is a report of findings that hold s.
func hostileInvalid(s string) *runner.Report {
	r := invalid()
	r.Findings = []runner.Finding{{File: s, Line: 1, Column: 1, Rule: s, Message: s}}
	r.Error = &runner.Failure{Code: s, Message: s, Hint: s}
	return r
}

// visible is s with everything that does not print as an escape, and cut.
func visible(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		part := s[:size]
		if part == string(r) && strconv.IsPrint(r) {
			b.WriteString(part)
		} else {
			b.WriteString(strings.Trim(strconv.Quote(part), `"`))
		}
		s = s[size:]
	}
	all := ciStart.ReplaceAllString(ciOrder.ReplaceAllString(b.String(), `#\x23$1`), `$1\x3a`)
	if r := []rune(all); len(r) > 400 {
		return string(r[:399]) + "…"
	}
	return all
}

// formats are all renderers that write characters to somewhere.
var formats = map[string]render.Func{
	"text":     render.Text,
	"error":    render.RunError,
	"json":     render.JSON,
	"markdown": render.Markdown,
	"github":   render.GitHub,
	"html":     render.HTML,
	"findings": func(w io.Writer, run render.Run, o render.Options) error {
		return render.Findings(w, run.Report.Findings, o)
	},
}

// What a CI system takes for a command anywhere in a line, and at its start.
var (
	ciOrder = regexp.MustCompile(`##([A-Za-z]*\[)`)
	ciStart = regexp.MustCompile(`^(\s*:):`)
)

// What goes to a log gives no commands to the CI system that reads it.
// GitHub's format does, and its own test says which.
func TestNoCICommands(t *testing.T) {
	for name, format := range formats {
		for _, s := range hostile {
			for _, r := range []*runner.Report{hostileReport(s), hostileInvalid(s)} {
				for line := range strings.Lines(string(rendered(t, format, r, render.Options{}))) {
					if name != "github" && strings.HasPrefix(strings.TrimSpace(line), "::") || ciOrder.MatchString(line) {
						t.Errorf("%s, %q: %s", name, s, line)
					}
				}
			}
		}
	}
}

// No format lets through a character that does not print, except for the line
// ends between its own lines.
func TestNoControlCharacters(t *testing.T) {
	for name, format := range formats {
		for _, s := range hostile {
			for _, r := range []*runner.Report{hostileReport(s), hostileInvalid(s)} {
				checkPrintable(t, name, rendered(t, format, r, render.Options{}))
			}
		}
	}
}

func checkPrintable(t *testing.T, format string, out []byte) {
	t.Helper()
	for i, r := range string(out) {
		if r != '\n' && (!strconv.IsPrint(r) || r == unicode.ReplacementChar && !strings.HasPrefix(string(out[i:]), "\uFFFD")) {
			t.Errorf("%s: %q in %q", format, r, out[max(0, i-20):min(len(out), i+20)])
			return
		}
	}
}
