package manifest_test

import (
	"testing"

	"syncsources/manifest"
	"syncsources/schema"
)

func TestExamples(t *testing.T) {
	set := valid(manifest.Load([]string{"../examples/docs-example.yaml", "../examples/fleet.yaml"}, manifest.Options{Check: schema.Check}))(t)
	resolved, found := (&manifest.Resolver{}).Resolve(t.Context(), set, nil)
	sources := resolved.Sources
	for _, e := range found {
		t.Error(e.Detail())
	}
	const documented = `#4 4 title="New source name" description="Updated source description" active=false login="new_admin" password="new_password"`
	if got := show(sources[0]); got != documented {
		t.Errorf("the documentation's example is\n%s\nwant\n%s", got, documented)
	}
	// The larger one is there to show what manifests can do.
	var references, revealed, hosts int
	for _, s := range sources[1:] {
		for _, setting := range s.Settings {
			switch {
			case setting.Value.IsReference():
				references++
			case setting.Reveal:
				revealed++
			}
			if setting.Code == "host" {
				hosts++
			}
		}
	}
	if len(sources) < 5 || references < 2 || revealed < 2 || hosts < 2 {
		t.Errorf("%d sources with %d references, %d revealed settings and %d hosts show too little", len(sources), references, revealed, hosts)
	}
}
