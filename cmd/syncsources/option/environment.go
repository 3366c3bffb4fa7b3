// Package option has the values of command-line flags: how they are checked,
// which environment variables set them, how help groups them and what shells
// complete.
package option

import (
	"runtime"
	"strings"
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
