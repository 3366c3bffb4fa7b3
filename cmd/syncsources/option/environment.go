// Package option has the values of command-line flags: how they are checked,
// which environment variables set them, how help groups them and what shells
// complete.
package option

import (
	"runtime"
	"strings"

	"golang.org/x/term"
)

// Environment is the process's environment, as main received it. The zero
// value is an empty one.
type Environment struct{ values map[string]string }

// NewEnvironment reads the NAME=VALUE form of os.Environ. Of a name that
// appears twice the first counts, as in package os.
func NewEnvironment(environ []string) Environment {
	e := Environment{make(map[string]string, len(environ))}
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

// Lookup is os.LookupEnv.
func (e Environment) Lookup(name string) (string, bool) {
	value, ok := e.values[envKey(name)]
	return value, ok
}

// Get is os.Getenv.
func (e Environment) Get(name string) string { return e.values[envKey(name)] }

// All returns every variable. Do not change it.
func (e Environment) All() map[string]string { return e.values }

// descriptor is a stream with a file behind it, as *os.File.
type descriptor interface{ Fd() uintptr }

// IsTerminal reports whether a stream is a terminal.
func IsTerminal(stream any) bool {
	f, ok := stream.(descriptor)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Colored decides about colour on a stream: --no-color, then NO_COLOR
// (no-color.org), then FORCE_COLOR, then whether it is a terminal that can.
func (e Environment) Colored(noColor bool, stream any) bool {
	switch force := e.Get("FORCE_COLOR"); {
	case noColor || e.Get("NO_COLOR") != "":
		return false
	case force != "":
		return force != "0" && force != "false"
	}
	return e.Get("TERM") != "dumb" && IsTerminal(stream)
}

// Width is how many columns a terminal has, 80 where that is not known.
func Width(stream any) int {
	if f, ok := stream.(descriptor); ok {
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil && columns > 0 {
			return columns
		}
	}
	return 80
}
