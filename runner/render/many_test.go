package render_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	junit "github.com/joshdk/go-junit"

	"syncsources/runner"
	"syncsources/runner/render"
)

// Many equal changes are one block, where their objects are; a creation, a
// removal and a failure always have one of their own.
func TestFolding(t *testing.T) {
	objects := func(n int) (all []runner.Object) {
		for i := range n {
			o := crm(runner.StatusPlanned)
			o.Name, o.ID = fmt.Sprintf("s%d", i), int64(100+i)
			all = append(all, o)
		}
		return all
	}
	text := func(all []runner.Object) string {
		return string(rendered(t, render.Text, report("plan", runner.OutcomeChanges, all...), render.Options{}))
	}
	if few := text(objects(19)); strings.Contains(few, "the same change") || strings.Contains(few, "by field") || strings.Count(few, "\n~ ") != 19 {
		t.Errorf("19 changes:\n%s", few)
	}
	if all := text(objects(20)); strings.Count(all, "\n~ ") != 1 || !strings.Contains(all, "~ 20 sources, the same change\n") || !strings.Contains(all, "\n20 changes:\n") {
		t.Errorf("20 changes:\n%s", all)
	}
	// Two are not worth a block of their own, three are.
	pairs := objects(20)
	for i := range pairs {
		pairs[i].Changes = []runner.Change{{Path: "title", From: "a", To: fmt.Sprint(min(i/2, 8))}}
	}
	if two := text(pairs); strings.Count(two, "\n~ s") != 16 || !strings.Contains(two, "~ 4 sources, the same change\n") {
		t.Errorf("pairs:\n%s", two)
	}
	pairs[16].Changes = []runner.Change{{Path: "columns.A", From: "int", To: "double"}}
	pairs[16].Kind, pairs[16].Action = runner.KindTable, runner.ActionReplace
	if three := text(pairs); !strings.Contains(three, "~ 3 sources, the same change\n") || !strings.Contains(three, "by field:  title 19, columns.A 1\n") {
		t.Errorf("a group of three:\n%s", three)
	}
	many := objects(20)
	many[3].Changes = nil // not like the others
	many[3].Changes = append(many[3].Changes, runner.Change{Path: "title", From: "a", To: "b"})
	for i := 6; i < 20; i++ {
		many[i].Notes = []string{"all have this"}
	}
	many[4].Notes = []string{"look at this"}
	many[5].Status, many[5].Error = runner.StatusFailed, missing().Error
	many = append(many, runner.Object{Action: runner.ActionDelete, Status: runner.StatusPlanned, ID: 1, Title: "x"},
		runner.Object{Action: runner.ActionDelete, Status: runner.StatusPlanned, ID: 2, Title: "x"},
		runner.Object{Action: runner.ActionDelete, Status: runner.StatusPlanned, ID: 3, Title: "x"})
	got := text(many)
	for _, want := range []string{
		"~ 3 sources, the same change\n", "s0 (#100), s1 (#101), s2 (#102)\n", "~ 14 sources, the same change\n", "    note: all have this\n      s6 (#106), s7 (#107)", "\n~ s3 (#103) ", "\n~ s4 (#104) ", "\n  ! s5 (#105) ",
		"\n- #1 \"x\"\n", "\n- #2 \"x\"\n", "\n- #3 \"x\"\n", "\n22 changes:\n  by action: update 19, delete 3\n  by field:  title 19, active 18, settings.login 18, settings.password 18\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not found in\n%s", want, got)
		}
	}
}

// A note that many objects have is one line of a comment.
func TestMarkdownNotes(t *testing.T) {
	r := many(30, 0)
	for i := range r.Objects {
		r.Objects[i].Notes = []string{"this portal may ignore active"}
	}
	r.Objects[7].Notes = append(r.Objects[7].Notes, "a rename needs the id")
	out := string(rendered(t, render.Markdown, r, render.Options{}))
	for _, want := range []string{"\n- `30 objects`: `this portal may ignore active`\n", "\n- `source- (#8) \"New source name\"`: `a rename needs the id`\n"} {
		if strings.Count(out, want) != 1 {
			t.Errorf("%q is not found once in\n%.2000s", want, out)
		}
	}
}

// What failed is never cut in favour of what did not.
func TestMarkdownFailuresFirst(t *testing.T) {
	out := string(rendered(t, render.Markdown, many(4000, 4000), render.Options{}))
	if failures, changes := strings.Count(out, "SOURCE_NOT_FOUND` | "), strings.Count(out, "\n| `~` |"); failures < 100 || changes > 0 {
		t.Errorf("%d failures and %d changes", failures, changes)
	}
	if !strings.Contains(out, "4,000 objects to change: and 16000 more changes") {
		t.Errorf("the changes are not counted: %s", out[len(out)-300:])
	}
	// A failure has its changes in its own row, up to ten of them.
	long := crm(runner.StatusFailed)
	long.Error, long.Changes = missing().Error, nil
	for i := range 13 {
		long.Changes = append(long.Changes, runner.Change{Path: fmt.Sprintf("columns.C%d", i), From: "int", To: "double"})
	}
	if row := string(rendered(t, render.Markdown, report("plan", runner.OutcomeFailed, long), render.Options{})); strings.Count(row, "`columns.C") != 10 || !strings.Contains(row, "<br>and 3 more fields |") {
		t.Errorf("got\n%s", row)
	}
	out = string(rendered(t, render.Markdown, applied(), render.Options{}))
	if !strings.Contains(out, "| `notes (#11) \"Notes\"` | `manifest.yaml:26` | `NOT_CONVERGED` |") || !strings.Contains(out, "`! description: ") {
		t.Errorf("got\n%s", out)
	}
}

// Of many portals those that failed come first, and the table of portals is
// cut like any other.
func TestMarkdownPortals(t *testing.T) {
	out := string(renderedRun(t, render.Markdown, render.Many(fleet(4, 12)), render.Options{}))
	golden(t, "markdown-portals", []byte(out))
	out = string(renderedRun(t, render.Markdown, render.Many(fleet(3000, 30)), render.Options{}))
	if len([]rune(out)) > 60_000 || !strings.Contains(out, "more portals") || !strings.Contains(out, "<summary>752 portals failed</summary>") {
		t.Errorf("%d characters: %.2000s", len([]rune(out)), out)
	}
}

func TestMarker(t *testing.T) {
	for _, c := range []struct {
		run  render.Run
		id   string
		want string
	}{
		{render.One(planned()), "", "<!-- syncsources:plan acme.bitrix24.com -->"},
		{render.One(planned()), "team-a", "<!-- syncsources:plan acme.bitrix24.com team-a -->"},
		{render.One(&runner.Report{Command: "apply", Portal: "http://127.0.0.1:8924"}), "", "<!-- syncsources:apply 127.0.0.1:8924 -->"},
		{render.One(&runner.Report{Command: "apply", Portal: "https://портал.рф"}), "", "<!-- syncsources:apply портал.рф -->"},
		{render.One(&runner.Report{Command: "validate"}), "", "<!-- syncsources:validate -->"},
		{render.Many(fleet(2, 3)), "x", "<!-- syncsources:apply portals x -->"},
		{render.One(&runner.Report{Command: "plan", Portal: "a- b--c"}), "", "<!-- syncsources:plan a-b-c -->"},
		{render.One(&runner.Report{Command: "plan", Portal: "a --> b"}), "--> <b>", "<!-- syncsources:plan a-b b -->"},
	} {
		if got := render.Marker(c.run, c.id); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
		out := string(renderedRun(t, render.Markdown, c.run, render.Options{CommentID: c.id}))
		if !strings.HasPrefix(out, c.want+"\n") {
			t.Errorf("markdown begins with %.60q", out)
		}
	}
}

// A step summary has a limit of its own, and what is there counts.
func TestStepSummary(t *testing.T) {
	file := filepath.Join(t.TempDir(), "summary.md")
	run := render.One(many(900, 0))
	size := func() int {
		t.Helper()
		info := must(os.Stat(file))(t)
		return int(info.Size())
	}
	last := 0
	for i := range 8 {
		check(t, render.AppendStepSummary(file, run, render.Options{}))
		n := size()
		if n < last || n > 1<<20 || i == 1 && n < last+last/2 || i == 7 && n < 1_000_000 {
			t.Errorf("after %d runs: %d bytes, before %d", i+1, n, last)
		}
		last = n
	}
	if err := render.AppendStepSummary(t.TempDir(), run, render.Options{}); err == nil {
		t.Error("a directory is no page")
	}
}

// A plan with changes and no failure is a success: a notice, no error.
func TestChangesAreNoFailure(t *testing.T) {
	r := report("plan", runner.OutcomeChanges, crm(runner.StatusPlanned))
	out := string(rendered(t, render.GitHub, r, render.Options{}))
	if !strings.HasPrefix(out, "::notice title=syncsources plan::Plan for acme.bitrix24.com: 0 to create, 1 to update") || strings.Contains(out, "::error") {
		t.Errorf("got %s", out)
	}
	file := filepath.Join(t.TempDir(), "m.prom")
	check(t, render.WriteMetrics(file, render.One(r)))
	if got := string(read(t, file)); strings.Contains(got, `last_success_timestamp_seconds{command="plan",portal="acme.bitrix24.com"} 0`) {
		t.Errorf("no success in\n%s", got)
	}
}

// Annotations name files as GitHub does: from the top of the repository.
func TestGitHubWorkspace(t *testing.T) {
	for _, c := range []struct{ dir, file, want string }{
		{"/home/runner/work/repo", "manifests/m.yaml", "file=manifests/m.yaml,"},
		{"/home/runner/work/repo/bi", "manifests/m.yaml", "file=bi/manifests/m.yaml,"},
		{"/home/runner/work/repo/bi", "../m.yaml", "file=m.yaml,"},
		{"/home/runner/work/repo", "/home/runner/work/repo/m.yaml", "file=m.yaml,"},
		{"/tmp", "m.yaml", "file=m.yaml,"},
		{"/home/runner/work/repo", "/etc/m.yaml", "file=/etc/m.yaml,"},
		{"", "m.yaml", "file=m.yaml,"},
	} {
		r := invalid()
		r.Findings = r.Findings[:1]
		r.Findings[0].File = c.file
		out := string(rendered(t, render.GitHub, r, render.Options{Dir: c.dir, Workspace: "/home/runner/work/repo"}))
		if !strings.Contains(out, c.want) {
			t.Errorf("%s in %s: %s", c.file, c.dir, out)
		}
	}
}

func TestGitHubPortals(t *testing.T) {
	golden(t, "github-portals", renderedRun(t, render.GitHub, render.Many(fleet(4, 12)), render.Options{}))
}

// Each portal is a suite, named by it; so is what is wrong with the run itself.
func TestJUnitPortals(t *testing.T) {
	all := fleet(4, 12)
	out := renderedRun(t, render.JUnit, render.Many(all), render.Options{})
	for i := range 4 {
		if id := fmt.Sprintf(` id="%d"`, i); strings.Count(string(out), id) != 1 {
			t.Errorf("%d suites with%s", strings.Count(string(out), id), id)
		}
	}
	suites, err := junit.Ingest(out)
	if err != nil || len(suites) != 4 {
		t.Fatalf("%d suites, %v", len(suites), err)
	}
	var names []string
	failed := 0
	for _, s := range suites {
		names = append(names, s.Name)
		failed += s.Totals.Failed
	}
	if got, want := strings.Join(names, ", "), "acme (acme.bitrix24.com), beta (beta.bitrix24.com), gamma (gamma.bitrix24.com), delta (delta.bitrix24.com)"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if failed != all.Summary.Failed+2 { // and two findings
		t.Errorf("%d failed", failed)
	}
	suites, err = junit.Ingest(renderedRun(t, render.JUnit, render.Many(&runner.PortalsReport{Command: "plan", Outcome: runner.OutcomeInvalid, Findings: invalid().Findings}), render.Options{}))
	if err != nil || len(suites) != 1 || suites[0].Totals.Failed != 2 {
		t.Errorf("%v, %v", suites, err)
	}
}

// A plan says how long an apply takes, where that is over a minute.
func TestEstimate(t *testing.T) {
	for seconds, want := range map[float64]string{
		0: "", 60: "", 61: "about 1 min.", 552: "about 9 min.", 3599: "about 1 h.", 3600: "about 1 h.", 4800: "about 1 h 20 min.", 90_000: "about 25 h.",
	} {
		r := planned()
		r.Estimate = seconds
		out := string(rendered(t, render.Text, r, render.Options{}))
		if got := strings.Contains(out, "Applying this takes "); got != (want != "") || !strings.Contains(out, want) {
			t.Errorf("%v s: want %q in\n%s", time.Duration(seconds*float64(time.Second)), want, out)
		}
		r.Command = "apply"
		if out := string(rendered(t, render.Text, r, render.Options{})); strings.Contains(out, "takes about") {
			t.Error("an apply says how long it takes")
		}
	}
}

// Findings end with their count, and show the node and the hints.
func TestFindings(t *testing.T) {
	all := invalid().Findings
	all[0].Excerpt, all[0].Hints = "titel: 5", []string{`did you mean "title"?`}
	var b strings.Builder
	check(t, render.Findings(&b, all, render.Options{}))
	want := "manifest.yaml:5:3: unknown key \"titel\" [unknown-key]\n    titel: 5\n  did you mean \"title\"?\n" +
		"<stdin>:9:11: active is \"yes\", a string: write true or false [type]\n2 findings in 2 files\n"
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
	b.Reset()
	if err := render.Findings(&b, all[:1], render.Options{}); err != nil || !strings.HasSuffix(b.String(), "\n1 finding\n") {
		t.Errorf("%v, %s", err, b.String())
	}
	b.Reset()
	if err := render.Findings(&b, nil, render.Options{}); err != nil || b.Len() > 0 {
		t.Errorf("%v, %s", err, b.String())
	}
}

// Reports that are stored elsewhere are read one at a time: memory does not
// grow with their number, but for what a page shows of each.
func TestPortalsMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("writes reports of many portals")
	}
	const portals, objects = 30, 250
	all := &runner.PortalsReport{Schema: runner.PortalsSchema, Command: "apply", Outcome: runner.OutcomeFailed}
	for i := range portals {
		all.Portals = append(all.Portals, runner.PortalReport{Name: fmt.Sprint("portal-", i), Stored: func() (*runner.Report, error) {
			return large(objects), nil
		}})
	}
	for _, c := range []struct {
		name  string
		write render.Func
		limit uint64 // bytes alive at most, beside what was before
	}{
		{"text", render.Text, 2 << 20}, {"json", render.JSON, 2 << 20}, {"markdown", render.Markdown, 4 << 20},
		{"github", render.GitHub, 2 << 20}, {"junit", render.JUnit, 2 << 20}, {"html", render.HTML, 12 << 20},
	} {
		runtime.GC()
		var before, during runtime.MemStats
		runtime.ReadMemStats(&before)
		peak := uint64(0)
		w := writerFunc(func(b []byte) (int, error) {
			if len(b) > 20_000 || rand.IntN(20) == 0 {
				runtime.GC()
				runtime.ReadMemStats(&during)
				peak = max(peak, during.HeapAlloc-min(during.HeapAlloc, before.HeapAlloc))
			}
			return len(b), nil
		})
		check(t, c.write(w, render.Many(all), render.Options{}))
		t.Logf("%s: %d KiB", c.name, peak>>10)
		if peak > c.limit {
			t.Errorf("%s: %d KiB are alive", c.name, peak>>10)
		}
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }
