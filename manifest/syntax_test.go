package manifest_test

import (
	"fmt"
	"strings"
	"testing"

	"syncsources/manifest"
	"syncsources/schema"
)

// A syntax error is found at its line wherever it is, in the time of one
// reading: nothing is parsed again.
func TestSyntaxErrorInTheLastLine(t *testing.T) {
	for _, n := range []int{1, 100, 10_000} {
		text := strings.TrimSuffix(fleet(n), "\n")
		lines := strings.Count(text, "\n") + 1
		for i, c := range []struct{ last, message string }{
			{"   - {id: 7, title: mis-indented}", "expected here"},
			{"  - {id: 7, title: a: b}", "comma"},
			{"  - title: a: b", "a colon is not allowed here"},
			{"  - title: \"a\\q\"", "a backslash in double quotes"},
			{"  - title: *nothing", "used before its anchor"},
			{"  - title: @a", "a value cannot begin with this character"},
			{"  - title: \"not closed", "is not closed"},
			{"  - title: |x", "the text after | or >"},
		} {
			if n > 100 && (i > 0 || testing.Short()) {
				break
			}
			_, found, err := manifest.Load([]string{"-"}, manifest.Options{Stdin: strings.NewReader(text + "\n" + c.last + "\n"), Check: schema.Check})
			check(t, err)
			if len(found) != 1 || found[0].Rule != "syntax" || found[0].Position.Line != lines+1 || !strings.Contains(found[0].Message, c.message) || found[0].Excerpt != "" {
				t.Errorf("%d sources, %q: found %v, want line %d", n, c.last, found, lines+1)
			}
		}
	}
}

// The decoder is fed once: what a broken file takes is no more than what a
// right one does.
func TestSyntaxErrorsAreReadOnce(t *testing.T) {
	text := fleet(300)
	right := testing.AllocsPerRun(1, func() { findings(text) })
	broken := testing.AllocsPerRun(1, func() { findings(text + "   - broken\n") })
	if broken > right {
		t.Errorf("a broken file takes %v allocations, a right one %v", broken, right)
	}
}

// Every object of a long list is checked, and reported at its line.
func TestEveryObjectIsChecked(t *testing.T) {
	const n = 600
	for _, kind := range []string{"connectors", "sources", "tables"} {
		var b strings.Builder
		fmt.Fprintf(&b, "version: 1\n%s:\n", kind)
		for i := range n {
			fmt.Fprintf(&b, "  - {bogus: %d, id: %d, title: a, name: n%d}\n", i, i+1, i)
		}
		at := map[int]bool{}
		for _, e := range findings(b.String()) {
			if e.Rule == "unknown-key" && strings.Contains(e.Message, "bogus") {
				at[e.Position.Line] = true
			}
		}
		for i := range n {
			if !at[i+3] {
				t.Fatalf("%s: object %d of %d is not checked", kind, i+1, n)
			}
		}
	}
}
