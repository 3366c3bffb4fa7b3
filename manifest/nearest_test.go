package manifest_test

import (
	"strings"
	"testing"

	"syncsources/manifest"
)

func TestNearest(t *testing.T) {
	keys := []string{"name", "id", "title", "description", "active", "settings", "reveal"}
	for _, c := range []struct{ word, want string }{
		{"titel", "title"},
		{"Title", "title"},
		{"tilte", "title"},
		{"desription", "description"},
		{"descritpoin", "description"},
		{"setings", "settings"},
		{"setting", "settings"},
		{"di", "id"},
		{"ids", "id"},
		{"nmae", "name"},
		{"password", ""},
		{"x", ""},
		{"", ""},
		{"login", ""},
		{strings.Repeat("title", 1000), ""},
	} {
		if got := manifest.Nearest(c.word, keys); got != c.want {
			t.Errorf("Nearest(%q) is %q, want %q", c.word, got, c.want)
		}
	}
	if got := manifest.Nearest("crm2", []string{"crm1", "crm3"}); got != "crm1" {
		t.Errorf("of two equally near ones %q is taken, not the first", got)
	}
	if got := manifest.Nearest("crm", nil); got != "" {
		t.Errorf("%q is near to crm among nothing", got)
	}
}
