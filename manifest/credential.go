package manifest

import (
	"bytes"
	"os"

	"syncsources/bitrix/secret"
)

// Credential is a credential in a portals file: a reference, or a text where
// that is not a secret.
type Credential struct {
	Position Position
	// One of these is given.
	Env     string // the name of a variable
	File    string // a path, joined with the directory of the portals file
	Literal string
}

// Text returns the credential's text, or a finding at its place.
// lookup is os.LookupEnv.
func (c *Credential) Text(lookup func(name string) (string, bool)) (secret.Text, *Finding) {
	text, problem := c.text(lookup)
	if problem != nil {
		if problem.rule != "env-unset" { // the others advise on settings
			problem.hints = nil
		}
		return secret.Text{}, &Finding{Position: c.Position, Rule: problem.rule, Message: problem.message, Hints: problem.hints}
	}
	return secret.New(text), nil
}

func (c *Credential) text(lookup func(name string) (string, bool)) (string, *unresolved) {
	switch {
	case c.Literal != "":
		return c.Literal, nil
	case c.Env != "":
		s, ok := lookup(c.Env)
		if !ok {
			return "", unset(c.Env)
		}
		return s, unfit("the variable "+Quote(c.Env), "env", s)
	}
	shown := "the file " + Quote(c.File)
	data, err := readRegular(os.OpenFile, c.File, maxReferenced, nil)
	if err != nil {
		return "", unreadable(shown, err)
	}
	s := string(trimNewline(bytes.TrimPrefix(data, mark)))
	return s, unfit(shown, "file", s)
}
