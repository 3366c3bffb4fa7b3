package manifest_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"syncsources/manifest"
	"syncsources/schema"
)

func findings(yaml string) []*manifest.Finding {
	_, found, _ := manifest.Load([]string{"-"}, manifest.Options{Stdin: strings.NewReader(yaml), Check: schema.Check})
	return found
}

// layers is an alias bomb: each level names the one below ten times.
func layers(levels int, at string) string {
	var b strings.Builder
	b.WriteString("version: 1\nx-a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < levels; i++ {
		fmt.Fprintf(&b, "x-a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	return b.String() + at
}

func TestAliasBombsAreRefused(t *testing.T) {
	for _, c := range []struct{ name, yaml string }{
		{"small", layers(5, "sources: []\n")},
		{"unused", layers(6, "sources: []\n")},
		{"huge", layers(400, "sources: []\n")},
		{"in settings", layers(9, "sources: [{id: 1, settings: {a: *a8}}]\n")},
		{"as sources", layers(9, "sources: *a8\n")},
		{"as a text", layers(9, "sources: [{id: 1, title: *a8}]\n")},
		{"as a document", "x: &x " + strings.ReplaceAll(layers(9, "sources: []\n"), "\n", "\n   ") + "\nversion: *x\n"},
		{"as keys", layers(9, "sources: [{? *a8 : 1}]\n")},
		{"merged, not quite as much", "version: 1\nx-m: &m {" + keys(150) + "}\nsources:\n" + merges(2000)},
		{"merged", "version: 1\nx-m: &m {" + keys(2000) + "}\nsources:\n" + merges(2000)},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		found := findings(c.yaml)
		runtime.ReadMemStats(&after)
		if c.name == "as a document" {
			if len(found) == 0 {
				t.Errorf("%s: nothing found", c.name)
			}
		} else if len(found) != 1 || found[0].Rule != "alias-bomb" {
			t.Errorf("%s: found %v", c.name, found)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 256<<20 {
			t.Errorf("%s: %d bytes were used for a file of %d", c.name, used, len(c.yaml))
		}
	}
}

func keys(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "k%d: v, ", i)
	}
	return b.String()
}

func merges(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "  - {id: %d, settings: {<<: *m}}\n", i+1)
	}
	return b.String()
}

// What large installations do with anchors must pass: a block of settings
// that thousands of sources merge.
func TestProportionateAliasesPass(t *testing.T) {
	set := parse(t, "version: 1\nx-m: &m {"+keys(60)+"}\nsources:\n"+merges(5_000))
	if len(set.Sources) != 5_000 || len(set.Sources[4_999].Settings) != 60 {
		t.Errorf("got %d sources", len(set.Sources))
	}
	parse(t, layers(2, "sources: []\n"))
}

func TestAliasCycles(t *testing.T) {
	for _, yaml := range []string{
		"version: 1\nx-a: &a [*a]\nsources: []\n",
		"version: 1\nx-a: &a {b: {c: [*a]}}\nsources: *a\n",
		"version: 1\nx-a: &a {<<: *a, host: b}\nsources: [{id: 1, settings: *a}]\n",
		"version: 1\nsources: &s [{id: 1, settings: {a: *s}}]\n",
		"&r\nversion: 1\nsources: *r\n",
		"&r\n<<: *r\nversion: 1\nsources: []\n",
		"version: 1\nsources: [&s {id: 1, title: a, ? *s : b}]\n",
	} {
		found := findings(yaml)
		if len(found) != 1 || found[0].Rule != "alias-cycle" {
			t.Errorf("%q: found %v", yaml, found)
		}
	}
}

// Depth is limited by the YAML library; up to there nothing may overflow.
func TestDeepNesting(t *testing.T) {
	for _, n := range []int{9_000, 20_000} {
		for _, c := range [][2]string{{"[", "]"}, {"{a: ", "}"}} {
			for _, at := range []string{"x-a: %s\nsources: []", "sources: [{id: 1, settings: {a: %s}}]"} {
				findings("version: 1\n" + fmt.Sprintf(at, strings.Repeat(c[0], n)+strings.Repeat(c[1], n)))
			}
		}
	}
}

// A line may hold any number of keys without a value: none of them may cost
// as much as the whole line.
func TestManyKeysOnOneLine(t *testing.T) {
	var line strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&line, ", key%d", i)
	}
	for _, yaml := range []string{
		"version: 1\nsources: [{id: 1, settings: {a: b" + line.String() + "}}]\n",
		"version: 1\nsources: [{id: 1" + line.String() + "}]\n",
		"version: 1\nsources: []\n? " + strings.ReplaceAll(line.String()[2:], ", ", "\n? ") + "\n",
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		found := findings(yaml)
		runtime.ReadMemStats(&after)
		if len(found) < 5000 {
			t.Errorf("%d findings in %.40q", len(found), yaml)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 {
			t.Errorf("%d bytes were used for a file of %d: %.40q", used, len(yaml), yaml)
		}
	}
}
