package main

import (
	"os"
	"regexp"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"syncsources/cmd/syncsources/exit"
	"syncsources/cmd/syncsources/option"
	"syncsources/manifest"
)

// Every flag of every command can be set by its variable.
func TestEveryFlagHasAVariable(t *testing.T) {
	samples := map[string]string{
		"FORMAT": "json", "LEVEL": "info", "N": "7", "R": "3", "B": "9", "N|P%": "5%", "DURATION": "90s", "SUM": "abc",
		"WHEN": "never", "NAME": "enterprise", "ADDRESS": "127.0.0.1:0", "ID": "4", "bool": "true",
		"string": "text", "NAME|ID|GLOB": "a, b", "GLOB": "a, b", "FILE": "f.yaml", "NAME|GLOB": "a, b", "I/N": "1/2", "CODE|GLOB": "a, b", "PREFIX": "X_", "PATH": "a, b", "DIR": "., ..", "CODE": "abc",
	}
	option.VisitCommands(newRoot(&app{}), func(c *cobra.Command) {
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Name == "help" {
				return
			}
			sample, ok := samples[f.Value.Type()]
			if !ok {
				t.Fatalf("%s --%s: no sample of a %s", c.CommandPath(), f.Name, f.Value.Type())
			}
			before := f.Value.String()
			if err := option.FromEnvironment(c.Flags(), option.NewEnvironment([]string{option.VariableName(f.Name) + "=" + sample})); err != nil {
				t.Errorf("%s --%s: %v", c.CommandPath(), f.Name, err)
			}
			if !f.Changed || f.Value.String() == before && before != sample {
				t.Errorf("%s --%s is not set by %s", c.CommandPath(), f.Name, option.VariableName(f.Name))
			}
		})
	})
}

func TestCommandLineWinsOverTheEnvironment(t *testing.T) {
	c, _, err := newRoot(&app{}).Find([]string{"plan"})
	check(t, err)
	check(t, c.ParseFlags([]string{"--burst", "3", "--target", "crm"}))
	err = option.FromEnvironment(c.Flags(), option.NewEnvironment([]string{"SYNCSOURCES_BURST=nonsense", "SYNCSOURCES_TARGET=erp", "SYNCSOURCES_RATE="}))
	targets := c.Flags().Lookup("target").Value.String()
	if err != nil || c.Flags().Lookup("burst").Value.String() != "3" || targets != "crm" || c.Flags().Lookup("rate").Changed {
		t.Errorf("%v, burst %s, targets %q", err, c.Flags().Lookup("burst").Value, targets)
	}
}

// A list whose items have all been lost must not select everything.
func TestListOfNothing(t *testing.T) {
	for _, value := range []string{",", " , ", " "} {
		got := program(t.Context(), []string{"SYNCSOURCES_TARGET=" + value}, "apply", "absent.yaml")
		if got.code != exit.Invalid || !strings.Contains(got.stderr, "SYNCSOURCES_TARGET: "+strconv.Quote(value)+" must be a comma-separated list with at least one item") {
			t.Errorf("%q: exit code %d, standard error %q", value, got.code, got.stderr)
		}
	}
}

// The tables of exit codes, in the package comment and in the README, name the
// same codes, which are those of the constants.
func TestExitCodesAreDocumented(t *testing.T) {
	want := []string{"0", "1", "129", "130", "143", "2", "3", "4"}
	for path, line := range map[string]*regexp.Regexp{
		"doc.go":          regexp.MustCompile(`(?m)^//\t(\d+)  `),
		"../../README.md": regexp.MustCompile(`(?m)^\| (\d+(?:, \d+)*) \| `),
	} {
		content := must(os.ReadFile(path))(t)
		var codes []string
		for _, m := range line.FindAllStringSubmatch(string(content), -1) {
			codes = append(codes, strings.Split(m[1], ", ")...)
		}
		slices.Sort(codes)
		if !slices.Equal(codes, want) {
			t.Errorf("%s has a table of the exit codes %v, not %v", path, codes, want)
		}
	}
}

// The collector waits while large manifests are read, unless GOGC says when it
// is to run.
func TestGOGC(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	percent := func() uint64 {
		now := []metrics.Sample{{Name: "/gc/gogc:percent"}}
		metrics.Read(now)
		return now[0].Value.Uint64()
	}
	paths := files(t, "version: 1\nsources: []\nx-note: "+strings.Repeat("x", largeManifests))
	for environ, want := range map[string]uint64{"GOGC=100": 100, "GOMEMLIMIT=1GiB": patient} {
		a := &app{env: option.NewEnvironment([]string{environ})}
		meanwhile := uint64(0)
		_, found, err := a.load(t.Context(), paths, func(*manifest.Set) []*manifest.Finding { meanwhile = percent(); return nil })
		if err != nil || found != nil || meanwhile != want || percent() != 100 {
			t.Errorf("%s: %d while it reads, then %d; %v, %v", environ, meanwhile, percent(), found, err)
		}
	}
}
