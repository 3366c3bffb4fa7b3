package render_test

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"

	"syncsources/runner"
	"syncsources/runner/render"
)

func TestHTML(t *testing.T) {
	for name, run := range map[string]render.Run{
		"apply": render.One(applied()), "kinds": render.One(kinds()), "stopped": render.One(stopped()), "invalid": render.One(invalid()),
		"portals": render.Many(fleet(4, 12)),
	} {
		t.Run(name, func(t *testing.T) {
			golden(t, "html-"+name, body(t, renderedRun(t, render.HTML, run, render.Options{})))
		})
	}
	t.Run("rotation", func(t *testing.T) { // large: not golden
		page := string(rendered(t, render.HTML, rotation(300), render.Options{}))
		for want, n := range map[string]int{
			`<article class="o `: 354, `<article class="o failed"`: 4, `<article class="o update"`: 296, `<article class="o create"`: 3, `<article class="o delete"`: 1,
			`<b>290 sources</b>`: 1, `not on the portal`: 3, `<svg class="chart"`: 1,
		} {
			if got := strings.Count(page, want); got != n {
				t.Errorf("%d of %s, want %d", got, want, n)
			}
		}
		if failed, changes := strings.Index(page, `id="failed"`), strings.Index(page, `<h3>Changes`); failed < 0 || failed > changes {
			t.Error("what failed does not come first")
		}
	})
}

// body is the page without its style and script, which are the same for all,
// and the policy that names them.
func body(t *testing.T, page []byte) []byte {
	t.Helper()
	for _, part := range []string{"style", "script"} {
		begin, end := []byte("<"+part+">"), []byte("</"+part+">")
		if bytes.Count(page, begin) != 1 || bytes.Count(page, end) != 1 {
			t.Fatalf("%d times <%s>", bytes.Count(page, begin), part)
		}
		page = slices.Concat(page[:bytes.Index(page, begin)], page[bytes.Index(page, end)+len(end):])
	}
	if n := len(policy.FindAll(page, -1)); n != 1 {
		t.Fatalf("%d policies", n)
	}
	return policy.ReplaceAllLiteral(page, nil)
}

var policy = regexp.MustCompile(` content="default-src 'none'; style-src 'sha256-[\w+/=]+'; script-src 'sha256-[\w+/=]+'; img-src data:; base-uri 'none'; form-action 'none'"`)

// ourTag is a tag that the page has: without style, without handlers, with
// links to its own parts only.
var ourTag = regexp.MustCompile(`^</?(html|head|meta|link|title|body|header|main|footer|section|article|div|details|summary|p|span|h1|h2|h3|ul|ol|li|b|i|em|small|code|time|label|input|button|a|table|thead|tbody|tr|th|td|del|ins|svg|rect|path|text)` +
	`(| [a-z-]+| (lang|charset|http-equiv|name|content|rel|class|id|datetime|type|data-s|data-k|data-p|aria-[a-z]+|role|placeholder|autocomplete|spellcheck|scope|viewBox|preserveAspectRatio|x|y|dy|rx|width|height|d)="[^"<>]*"| href="(data:,|#[a-z0-9-]+)")*/?>$`)

// knownTags are those that were matched already.
var knownTags = map[string]bool{}

// checkMarkup finds markup on a page that is not the page's own.
func checkMarkup(t *testing.T, page []byte) {
	t.Helper()
	page = bytes.TrimPrefix(body(t, page), []byte("<!doctype html>"))
	for i, part := range bytes.Split(page, []byte("<")) {
		if i == 0 {
			continue
		}
		end := bytes.IndexByte(part, '>')
		tag := "<" + string(part[:end+1])
		if knownTags[tag] {
			continue
		}
		if !ourTag.MatchString(tag) {
			t.Errorf("a tag that is not ours: %s", tag)
		}
		knownTags[tag] = true
	}
}

func TestHTMLMarkup(t *testing.T) {
	for _, r := range samples() {
		checkMarkup(t, rendered(t, render.HTML, r, render.Options{}))
	}
	checkMarkup(t, renderedRun(t, render.HTML, render.Many(fleet(14, 30)), render.Options{}))
	for _, s := range hostile {
		checkMarkup(t, rendered(t, render.HTML, hostileReport(s), render.Options{}))
		checkMarkup(t, rendered(t, render.HTML, hostileInvalid(s), render.Options{}))
	}
	// The check itself sees what it is for.
	for _, evil := range []string{"<script>", `<p style="x">`, `<p onclick="x">`, `<a href="javascript:x">`, `<a href="//evil.example">`, `<img src="x">`, `<p class="a" onclick=x>`} {
		if ourTag.MatchString(evil) {
			t.Errorf("%s passes for ours", evil)
		}
	}
}

// FuzzHTML puts one text wherever a run has foreign text: none leaves its
// place on the page, and no value that must not be seen is on it.
func FuzzHTML(f *testing.F) {
	for _, s := range hostile {
		f.Add(s, 0.5, "ok")
	}
	f.Add("x", -1e300, `"><script>`)
	const secret = "hunter2-is-not-for-you"
	f.Fuzz(func(t *testing.T, s string, at float64, result string) {
		if strings.Contains(s+result, secret) || len(s) > 4096 {
			t.Skip()
		}
		r := hostileReport(s)
		r.Notes, r.Limits = []string{s}, &runner.Limits{Rate: at, Burst: 3, Concurrency: 2}
		r.Waits = []runner.Wait{{At: at, Seconds: 1e9, Reason: s}}
		r.Timeline = []runner.Exchange{{At: at, Seconds: at, Method: s, Commands: 3, Result: result}, {At: 1, Seconds: 1, Method: s, Commands: -1, Result: "ok"}}
		for i := range r.Objects {
			o := &r.Objects[i]
			o.Kind, o.Notes = runner.Kind(s), []string{s}
			o.Changes = append(o.Changes, runner.Change{Path: "settings.password", From: secret, To: secret, Sensitive: true})
		}
		many := &runner.PortalsReport{Command: "apply", Outcome: runner.Outcome(s), Portals: []runner.PortalReport{{Name: s, Report: r}, {Name: s + "2", Report: hostileInvalid(s)}}}
		for _, run := range []render.Run{render.One(r), render.Many(many)} {
			page := renderedRun(t, render.HTML, run, render.Options{})
			checkMarkup(t, page)
			checkPrintable(t, "html", body(t, page))
			if bytes.Contains(page, []byte(secret)) {
				t.Error("the secret is on the page")
			}
		}
	})
}

// A timeline shows waits, refusals, and the limits near by.
func TestHTMLTimeline(t *testing.T) {
	page := string(rendered(t, render.HTML, large(3_000), render.Options{}))
	for _, want := range []string{
		"Requests in flight", "Commands in each request", "Requests that count against the rate limit", ">limit 16<", ">burst 50<", ">waited ",
		"throttled (503, 429)", "answer lost", "waiting, nothing in flight", "120 requests, at most ",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("nothing says %q", want)
		}
	}
	r := unchanged()
	if strings.Contains(string(rendered(t, render.HTML, r, render.Options{})), `class="chart"`) {
		t.Error("a picture of no requests")
	}
	// Ten thousand requests make a picture of limited size.
	timelineOf(r, 250_000)
	if n := len(r.Timeline); n != 10_000 {
		t.Fatalf("%d requests", n)
	}
	page = string(rendered(t, render.HTML, r, render.Options{}))
	if n := strings.Count(page, `<rect class="r-`); n > 2_010 || !strings.Contains(page, "bars of 2,000 of them") {
		t.Errorf("%d bars", n)
	}
	if len(page) > 1<<20 {
		t.Errorf("%d bytes", len(page))
	}
}

// More unchanged objects than anybody looks at are counted, not listed.
func TestHTMLUnchanged(t *testing.T) {
	r := rotation(10)
	for i := range 20_001 {
		r.Objects = append(r.Objects, same("s", int64(i+5000)))
	}
	r.Count()
	page := string(rendered(t, render.HTML, r, render.Options{}))
	if n := strings.Count(page, `<article class="o unchanged"`); n != 0 || !strings.Contains(page, "20,002 unchanged objects, not listed") {
		t.Errorf("%d unchanged objects are listed", n)
	}
	if n := strings.Count(page, `<article class="o update"`); n != 9 {
		t.Errorf("%d updates", n)
	}
}
