package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"syncsources/cmd/syncsources/exit"
	"syncsources/cmd/syncsources/option"
)

var update = flag.Bool("update", false, "write docs/reference.md anew")

// docs/reference.md is made from the commands: what --help says, with the
// variable that stands for each flag. After a change of a command:
//
//	go test ./cmd/syncsources -run Reference -update
func TestReference(t *testing.T) {
	const path = "../../docs/reference.md"
	got := must(os.ReadFile(path))(t)
	_, byHand, found := strings.Cut(string(got), "\n<!-- What follows is written by hand. -->\n")
	if !found {
		t.Fatalf("%s: the part that is written by hand is gone", path)
	}
	want := reference() + "\n<!-- What follows is written by hand. -->\n" + byHand
	if *update {
		check(t, os.WriteFile(path, []byte(want), 0o644))
		got = []byte(want)
	}
	if string(got) != want {
		t.Errorf("%s is not what the commands say; write it anew with -update", path)
	}
}

// reference renders all commands as Markdown.
func reference() string {
	root := newRoot(&app{})
	var b strings.Builder
	b.WriteString("# Command reference\n\nMade from the commands by a test; `syncsources COMMAND --help` says the same.\n\n")
	b.WriteString(strings.TrimSpace(root.Long) + "\n")
	option.VisitCommands(root, func(c *cobra.Command) {
		if c == root || c.Hidden || c.Name() == "help" || c.Parent().Name() == "completion" {
			return
		}
		fmt.Fprintf(&b, "\n## %s\n\n", strings.TrimPrefix(c.CommandPath(), "syncsources "))
		if c.Runnable() {
			fmt.Fprintf(&b, "    %s\n\n", c.UseLine())
		}
		long := c.Long
		if long == "" {
			long = c.Short
		}
		b.WriteString(indentCode(strings.TrimSpace(long)) + "\n")
		if c.Example != "" {
			fmt.Fprintf(&b, "\n```sh\n%s\n```\n", strings.TrimSpace(strings.ReplaceAll("\n"+c.Example, "\n  ", "\n")))
		}
		writeFlags(&b, c)
	})
	return b.String()
}

// indentCode makes code blocks of the lines that a help text indents.
func indentCode(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if trimmed := strings.TrimLeft(line, " \t"); trimmed != line {
			lines[i] = "    " + trimmed
		}
	}
	return strings.Join(lines, "\n")
}

// writeFlags writes a table of the flags that only this command has.
func writeFlags(b *strings.Builder, c *cobra.Command) {
	rows := 0
	c.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		if rows++; rows == 1 {
			b.WriteString("\n| flag | variable | default | meaning |\n| --- | --- | --- | --- |\n")
		}
		kind, usage := pflag.UnquoteUsage(f)
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		if kind != "" {
			name += " " + kind
		}
		initial := f.DefValue
		if initial == "[]" || initial == "false" {
			initial = ""
		}
		fmt.Fprintf(b, "| `%s` | `%s` | %s | %s |\n", strings.ReplaceAll(name, "|", `\|`), option.VariableName(f.Name), initial, strings.ReplaceAll(usage, "|", `\|`))
	})
}

// Every flag says what it is for, in the words of a sentence's beginning.
func TestFlagsAreDescribed(t *testing.T) {
	option.VisitCommands(newRoot(&app{}), func(c *cobra.Command) {
		if c.Short == "" || c.Name() != "syncsources" && c.Long == "" {
			t.Errorf("%s has no description", c.CommandPath())
		}
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Name != "help" && len(f.Usage) < 15 || strings.HasSuffix(f.Usage, ".") {
				t.Errorf("%s --%s: %q", c.CommandPath(), f.Name, f.Usage)
			}
		})
	})
}

// The flags of plan and apply are the ones that are promised, and no other.
func TestFlagsOfPlanAndApply(t *testing.T) {
	both := strings.Fields(`target file concurrency batch-size rate burst tariff timeout max-changes fail-fast checksum
		show-unmanaged sandbox prune max-deletes portals portal shard parallel output report metrics-file log-level log-format no-color progress quiet
		allow-file operating-limit request-time comment-id lock-timeout`)
	for command, own := range map[string][]string{"plan": {"detailed-exitcode"}, "apply": {"dry-run", "no-verify", "yes"}} {
		c, _, err := newRoot(&app{}).Find([]string{command})
		check(t, err)
		want := map[string]bool{}
		for _, name := range append(own, both...) {
			want[name] = true
			if c.Flags().Lookup(name) == nil {
				t.Errorf("%s has no flag --%s", command, name)
			}
		}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if !want[f.Name] && f.Name != "help" {
				t.Errorf("%s has a flag --%s", command, f.Name)
			}
		})
	}
}

// A value that cannot be is refused in the same way from the command line and
// from the environment, with the possible ones named.
func TestImpossibleValues(t *testing.T) {
	for flag, values := range map[string][]string{
		"concurrency": {"0", "-1", "x", "1.5"}, "batch-size": {"0", "-1", "51", "x"}, "rate": {"0", "-2", "NaN", "x"}, "burst": {"0", "-1"},
		"tariff": {"gold"}, "timeout": {"0", "-1m", "30"}, "max-changes": {"-1", "101%", "x", "5.5%"}, "output": {"yaml", "TEXTT"},
		"log-level": {"loud"}, "log-format": {"xml"}, "progress": {"sometimes"}, "operating-limit": {"-1s", "x"}, "request-time": {"0", "-1s"},
		"lock-timeout": {"-1s", "soon"}, "no-color": {"perhaps"}, "dry-run": {"x"}, "report": {"r.txt", "nowhere/r.json"},
		"metrics-file": {"nowhere/x.prom"},
	} {
		for _, value := range values {
			want := fmt.Sprintf("flag --%s: ", flag)
			got := program(t.Context(), nil, "apply", "--"+flag+"="+value, "absent.yaml")
			if got.code != exit.Invalid || !strings.Contains(got.stderr, want) {
				t.Errorf("--%s=%s: exit code %d, standard error %q", flag, value, got.code, got.stderr)
			}
			got = program(t.Context(), []string{option.VariableName(flag) + "=" + value}, "apply", "absent.yaml")
			if got.code != exit.Invalid || !strings.Contains(got.stderr, option.VariableName(flag)) && !strings.Contains(got.stderr, want) {
				t.Errorf("%s=%s: exit code %d, standard error %q", option.VariableName(flag), value, got.code, got.stderr)
			}
		}
	}
}
