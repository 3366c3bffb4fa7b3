// Package render writes the report of a run in the forms that its readers
// want: text for a terminal, JSON for programs, Markdown for a pull request,
// annotations for GitHub Actions, JUnit XML for CI systems and metrics for
// Prometheus. One file holds one form.
//
// Everything is made from a runner.Report and nothing else: a renderer asks no
// clock, decides no exit status and reads no terminal. The same report always
// gives the same bytes.
//
// Names, titles, values and messages come from manifests and from the portal,
// and are foreign text to every form: control characters, escape sequences and
// bidirectional overrides leave a renderer only as visible escapes (see
// clean.go), and markup only as text.
package render

import (
	"fmt"
	"io"
	"strings"

	"syncsources/runner"
)

// Options say how to render. The zero value is plain and complete.
type Options struct {
	// Color lets Text use colours. Whether the output is a terminal, and what
	// NO_COLOR and the flags say, is for the caller to know.
	Color bool
	// Quiet makes Text print failures and the last line only.
	Quiet bool
}

// Func writes a report in one form.
type Func func(w io.Writer, r *runner.Report, o Options) error

// Names of the forms that standard output can take.
const (
	FormText     = "text"
	FormJSON     = "json"
	FormMarkdown = "markdown"
	FormGitHub   = "github"
)

// Forms lists the forms of standard output, the default first.
func Forms() []string {
	return []string{FormText, FormJSON, FormMarkdown, FormGitHub}
}

// Form returns the renderer of a form of standard output. Its error names the
// forms there are.
func Form(name string) (Func, error) {
	switch name {
	case FormText:
		return Text, nil
	case FormJSON:
		return JSON, nil
	case FormMarkdown:
		return Markdown, nil
	case FormGitHub:
		return GitHub, nil
	}
	return nil, fmt.Errorf("unknown output form %q: use one of %s", name, strings.Join(Forms(), ", "))
}
