package manifest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"syncsources/manifest"
	"syncsources/schema"
)

// fleet is a manifest of n sources as large installations write them: every
// field, merged settings and a reference.
func fleet(n int) string {
	var b strings.Builder
	b.WriteString("version: 1\nx-common: &common {host: db.internal, port: 5432}\nsources:\n")
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&b, `  - name: source-%[1]d
    id: %[1]d
    title: Source number %[1]d
    description: Kept by the manifest
    active: true
    settings:
      <<: *common
      login: user_%[1]d
      password: {env: DB_PASSWORD_%[2]d}
    reveal: [login]
`, i, i%10)
	}
	return b.String()
}

func BenchmarkLoad(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "m.yaml")
			check(b, os.WriteFile(path, []byte(fleet(n)), 0o644))
			b.ReportAllocs()
			for b.Loop() {
				set, found, err := manifest.Load([]string{path}, manifest.Options{Check: schema.Check})
				if err != nil || len(found) > 0 || len(set.Sources) != n {
					b.Fatal(found, err)
				}
			}
		})
	}
}

// BenchmarkLoadErrors has a finding in each of 10,000 sources.
func BenchmarkLoadErrors(b *testing.B) {
	yaml := strings.ReplaceAll(fleet(10_000), "active: true", "active: yes")
	b.ReportAllocs()
	for b.Loop() {
		if found := findings(yaml); len(found) != 10_000 {
			b.Fatal(len(found))
		}
	}
}
