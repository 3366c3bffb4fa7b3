package manifest_test

import (
	"strings"
	"testing"

	"syncsources/manifest"
	"syncsources/schema"
)

func TestLogoOfAFile(t *testing.T) {
	tree(t, map[string]string{
		"m/svg.svg":   "<?xml version=\"1.0\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\"/>",
		"m/p.png":     "\x89PNG\r\n\x1a\n" + strings.Repeat("x", 100),
		"m/text.txt":  "no picture",
		"m/large.png": "\x89PNG\r\n\x1a\n" + strings.Repeat("x", 50_000),
		"out.png":     "\x89PNG\r\n\x1a\n",
	})
	for _, c := range []struct{ logo, want, rule string }{
		{"{file: svg.svg}", "data:image/svg+xml;base64,PD94bWwg", ""},
		{"{file: p.png}", "data:image/png;base64,iVBORw0KGgp4", ""},
		{"https://erp.example/logo.svg", "https://erp.example/logo.svg", ""},
		{"'data:image/gif;base64,R0lGODdh'", "data:image/gif;base64,R0lGODdh", ""},
		{"{literal: '{{ x }}'}", "{{ x }}", ""},
		{"{file: text.txt}", "", "logo-type"},
		{"{file: large.png}", "", "file-too-large"},
		{"{file: gone.png}", "", "file-unreadable"},
		{"{file: ../out.png}", "", "file-outside"},
	} {
		tree := "version: 1\nconnectors:\n  - {id: 1, logo: " + c.logo + "}\n"
		write(t, "m/m.yaml", tree)
		set := valid(manifest.Load([]string{"m/m.yaml"}, manifest.Options{Check: schema.Check}))(t)
		resolved, found := (&manifest.Resolver{}).Resolve(t.Context(), set, nil)
		if c.rule != "" {
			if len(found) != 1 || found[0].Rule != c.rule || found[0].Position.String() != "m/m.yaml:3:19" {
				t.Errorf("%s: found %v, want %s", c.logo, found, c.rule)
			}
			if _, found = (&manifest.Resolver{}).Resolve(t.Context(), set, func(manifest.Object) bool { return false }); len(found) > 0 {
				t.Errorf("%s: nobody selected the connector, and found is %v", c.logo, found)
			}
			continue
		}
		if got := resolved.Connectors[0].Logo.URL; len(found) > 0 || !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: got %q and %v, want %s", c.logo, got, found, c.want)
		}
	}
}
