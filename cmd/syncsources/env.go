package main

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sort"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"syncsources/manifest"
)

// envPrefix begins the variables that stand for flags.
const envPrefix = "SYNCSOURCES_"

// environment is the process's environment, as main received it.
type environment struct{ values map[string]string }

// newEnvironment reads the NAME=VALUE form of os.Environ. Of a name that
// stands twice the first counts, as in package os.
func newEnvironment(environ []string) environment {
	e := environment{make(map[string]string, len(environ))}
	for _, entry := range environ {
		name, value, ok := strings.Cut(entry, "=")
		if _, twice := e.values[envKey(name)]; ok && !twice {
			e.values[envKey(name)] = value
		}
	}
	return e
}

// envKey is the name as the operating system compares it.
func envKey(name string) string {
	if runtime.GOOS == "windows" {
		return strings.ToUpper(name)
	}
	return name
}

// lookup is os.LookupEnv.
func (e environment) lookup(name string) (string, bool) {
	value, ok := e.values[envKey(name)]
	return value, ok
}

// get is os.Getenv.
func (e environment) get(name string) string { return e.values[envKey(name)] }

// flagVariable is the variable that stands for a flag.
func flagVariable(flag string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// setFromEnvironment gives each flag of cmd that the command line leaves alone
// the value of its variable. An empty variable counts as unset.
func setFromEnvironment(cmd *cobra.Command, e environment) error {
	var first error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		value := e.get(flagVariable(f.Name))
		if first != nil || f.Changed || value == "" || f.Name == "help" {
			return
		}
		if err := setFlag(f, value); err != nil {
			first = invalid(codeCommandLine, fmt.Sprintf("environment variable %s: %s", flagVariable(f.Name), flagProblem(f, value, err)))
			return
		}
		f.Changed = true
	})
	return first
}

// setFlag sets a flag to the text of a variable: for one that may be repeated
// a comma-separated list. A list of nothing, as "$A,$B" can become one, is not
// the same as none: without targets all sources are meant.
func setFlag(f *pflag.Flag, value string) error {
	if !repeatable(f) {
		return f.Value.Set(value)
	}
	if strings.Trim(value, ", \t") == "" {
		return fmt.Errorf("must be a comma-separated list with an item")
	}
	for _, item := range strings.Split(value, ",") {
		if item = strings.TrimSpace(item); item == "" {
			continue
		}
		if err := f.Value.Set(item); err != nil {
			return err
		}
	}
	return nil
}

// misspelledVariables returns a warning for each SYNCSOURCES_ variable that no
// command knows but that is near one that is known.
func misspelledVariables(root *cobra.Command, e environment) []string {
	known := map[string]bool{}
	visitCommands(root, func(c *cobra.Command) {
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			known[strings.TrimPrefix(flagVariable(f.Name), envPrefix)] = true
		})
	})
	names := slices.Sorted(maps.Keys(known))
	var warnings []string
	for variable := range e.values {
		name, ours := strings.CutPrefix(variable, envPrefix)
		if !ours || known[name] {
			continue
		}
		if near := manifest.Nearest(name, names); near != "" {
			warnings = append(warnings, fmt.Sprintf("environment variable %s stands for no flag; did you mean %s%s?", variable, envPrefix, near))
		}
	}
	sort.Strings(warnings)
	return warnings
}

// visitCommands calls visit for c and everything below it.
func visitCommands(c *cobra.Command, visit func(*cobra.Command)) {
	visit(c)
	for _, child := range c.Commands() {
		visitCommands(child, visit)
	}
}
