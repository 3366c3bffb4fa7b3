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
	b := must(os.ReadFile(filepath.Join("..", "..", "docs", "sandbox.md")))(t)
	page := string(b)
	var keys func(v any) []string
	keys = func(v any) (out []string) {
		for typ, i := reflect.TypeOf(v), 0; i < typ.NumField(); i++ {
			switch key := typ.Field(i).Tag.Get("yaml"); key {
			case "-":
			case ",inline":
				out = append(out, keys(reflect.Zero(typ.Field(i).Type).Interface())...)
			default:
				out = append(out, key)
			}
		}
		return out
	}
	for _, key := range slices.Concat(keys(State{}), keys(Limits{}), keys(Connector{}), keys(SettingType{}), keys(Source{}), keys(Table{}), keys(Column{}), keys(Fault{}), keys(Deed{}), keys(OtherJob{})) {
		if !regexp.MustCompile("`[^`]*\\b" + key + "\\b[^`]*`").MatchString(page) {
			t.Errorf("the page does not mention the key %s", key)
		}
	}
	for _, kind := range faultKinds {
		if !strings.Contains(page, "`"+kind+"`") {
			t.Errorf("the page does not mention the fault %s", kind)
		}
	}
	for name := range newPortal(t, "").methods {
		last := name[strings.LastIndex(name, ".")+1:]
		if !strings.Contains(page, "`"+name+"`") && !strings.Contains(page, "`"+last+"`") {
			t.Errorf("the page does not mention the method %s", name)
		}
	}
	var rows []string
	for _, table := range regexp.MustCompile("(?s)\\| key \\| means \\| default \\|\n(.*?)\n\n").FindAllString(page, -1) {
		for _, m := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\|").FindAllStringSubmatch(table, -1) {
			rows = append(rows, m[1])
		}
	}
	have := keys(State{})
	slices.Sort(rows)
	slices.Sort(have)
	if !slices.Equal(rows, have) {
		t.Errorf("the tables have\n%v\na state has\n%v", rows, have)
	}
}
