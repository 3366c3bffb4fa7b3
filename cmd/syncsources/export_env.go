package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"

	"syncsources/manifest"
)

// variablePrefix checks what the names of variables are to begin with.
func variablePrefix(text string) (string, error) {
	switch upper := strings.ToUpper(text); {
	case !regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`).MatchString(text):
		return "", errors.New("must be the beginning of a variable's name: letters, digits and underscores")
	case strings.HasPrefix(upper, "B24_") || strings.HasPrefix(upper, "SYNCSOURCES_"):
		return "", errors.New("must not begin with B24_ or SYNCSOURCES_: manifests cannot refer to those variables")
	}
	return text, nil
}

// portalPrefix makes the beginning of variables' names from a portal's name.
func portalPrefix(name string) string {
	word := manifest.VariableWord(name)
	if word == "" || '0' <= word[0] && word[0] <= '9' {
		word = "PORTAL_" + word
	}
	return strings.TrimSuffix(word, "_") + "_"
}

// addVariables adds the variables that a file does not have yet to it, without
// values. What is in it stays as it is: it may hold the values of others.
func addVariables(path string, variables []manifest.Variable) (err error) {
	if endless(path) {
		return fmt.Errorf("%s: it is not a regular file", path)
	}
	have := func(string) (string, bool) { return "", false }
	content, err := os.ReadFile(path)
	switch {
	case err == nil:
		var findings []*manifest.Finding
		if have, findings, err = manifest.LoadEnvFile(path); err != nil {
			return err
		}
		if len(findings) > 0 {
			return findings[0]
		}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	var b bytes.Buffer
	if len(content) > 0 && !bytes.HasSuffix(content, []byte("\n")) {
		b.WriteByte('\n')
	}
	var last int64
	for _, v := range variables {
		if _, there := have(v.Name); there {
			continue
		}
		if v.ID != last {
			fmt.Fprintf(&b, "# source %d, %+q\n", v.ID, v.Title)
			last = v.ID
		}
		fmt.Fprintf(&b, "%s=\n", v.Name)
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b.Bytes())
	return errors.Join(err, f.Close())
}
