package manifest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"unicode/utf8"
)

// LoadEnvFile reads a file of variables as docker and systemd have it: NAME=VALUE
// a line, perhaps after "export"; empty lines and lines that begin with # are
// skipped. A value may be quoted; nothing in it is replaced. The
// function returned finds a variable as os.LookupEnv does.
func LoadEnvFile(path string) (lookup func(name string) (string, bool), found []*Finding, err error) {
	data, err := readRegular(os.OpenFile, path, maxEnvFile, nil)
	if err == nil && len(data) > maxEnvFile {
		err = fmt.Errorf("larger than %d MiB", maxEnvFile>>20)
	}
	if err != nil {
		return nil, nil, pathError(path, err)
	}
	name := filepath.ToSlash(path)
	values := map[string]string{}
	for i, line := range strings.Split(string(bytes.TrimPrefix(data, mark)), "\n") {
		line = strings.TrimRight(line, "\r")
		if text := strings.TrimSpace(line); text == "" || text[0] == '#' {
			continue
		}
		m := assignment.FindStringSubmatch(line)
		if m == nil || !utf8.ValidString(line) {
			found = append(found, &Finding{Position: Position{name, i + 1, 1}, Rule: "env-file", Message: "the line is not NAME=VALUE", Hints: []string{"write comments on lines of their own, after #"}})
			continue
		}
		values[m[1]] = unquote(strings.TrimSpace(m[2]))
	}
	return func(name string) (string, bool) {
		s, ok := values[name]
		return s, ok
	}, found, nil
}

// maxEnvFile is the largest file of variables, in bytes.
const maxEnvFile = 1 << 20

var assignment = regexp.MustCompile(`^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)$`)

// unquote takes off quotes of one kind at both ends. Between double quotes,
// \" and \\ are a quote and a backslash.
func unquote(s string) string {
	if len(s) < 2 || s[0] != s[len(s)-1] {
		return s
	}
	switch s[0] {
	case '\'':
		return s[1 : len(s)-1]
	case '"':
		return strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(s[1 : len(s)-1])
	}
	return s
}
