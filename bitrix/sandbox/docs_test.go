package sandbox

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The page on the sandbox has every key of a state file, every kind of fault
// and every method, and none that do not exist.
func TestDocumentation(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "..", "docs", "sandbox.md"))
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	keys := func(v any) (out []string) {
		for typ, i := reflect.TypeOf(v), 0; i < typ.NumField(); i++ {
			if key := typ.Field(i).Tag.Get("yaml"); key != "-" {
				out = append(out, key)
			}
		}
		return out
	}
	for _, key := range slices.Concat(keys(State{}), keys(Limits{}), keys(Connector{}), keys(SettingType{}), keys(Source{}), keys(Fault{})) {
		if !regexp.MustCompile("`[^`]*\\b" + key + "\\b[^`]*`").MatchString(page) {
			t.Errorf("the page does not mention the key %s", key)
		}
	}
	for _, kind := range faultKinds {
		if !strings.Contains(page, "`"+kind+"`") {
			t.Errorf("the page does not mention the fault %s", kind)
		}
	}
	for name := range methods {
		last := name[strings.LastIndex(name, ".")+1:]
		if !strings.Contains(page, "`"+name+"`") && !strings.Contains(page, "`"+last+"`") {
			t.Errorf("the page does not mention the method %s", name)
		}
	}
	table := regexp.MustCompile("(?s)\\| key \\| means \\| default \\|\n(.*?)\n\n").FindString(page)
	var rows []string
	for _, m := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\|").FindAllStringSubmatch(table, -1) {
		rows = append(rows, m[1])
	}
	have := keys(State{})
	slices.Sort(rows)
	slices.Sort(have)
	if !slices.Equal(rows, have) {
		t.Errorf("the table has %v, a state %v", rows, have)
	}
}
