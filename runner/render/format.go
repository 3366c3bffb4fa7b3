package render

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
)

// Options say how to write a report. The zero value is plain and complete.
type Options struct {
	// Color lets text use colours. Whether the output is a terminal, and what
	// NO_COLOR and the flags say, is for the caller to know.
	Color bool
	// Quiet makes text print failures and last lines only.
	Quiet bool
	// CommentID goes into the marker of markdown (see Marker).
	CommentID string
	// Dir is the working directory, to which the files of a report are
	// relative, and Workspace the directory to which GitHub's annotations have
	// to be: GITHUB_WORKSPACE. Where one is empty, files stay as they are.
	Dir, Workspace string
}

// Func writes a run in one format.
type Func func(w io.Writer, run Run, o Options) error

// Format is one way to write a run.
type Format struct {
	Name   string // of --output; "" where standard output cannot have it
	Ending string // of a file of --report; "" where a file cannot have it
	Write  Func
}

// formats are all formats, the default first. A new one is a file and a line
// here.
var formats = []Format{
	{"text", "", Text},
	{"json", ".json", JSON},
	{"markdown", ".md", Markdown},
	{"github", "", GitHub},
	{"junit", ".xml", JUnit},
	{"html", ".html", HTML},
}

// GitHubName is the format whose findings are annotations and that has a page
// of its own, the step summary.
const GitHubName = "github"

// Names lists the formats of standard output, the default first.
func Names() []string { return list(func(f Format) string { return f.Name }) }

// Endings lists the endings that files of reports may have.
func Endings() []string { return list(func(f Format) string { return f.Ending }) }

func list(of func(Format) string) []string {
	var all []string
	for _, f := range formats {
		if s := of(f); s != "" {
			all = append(all, s)
		}
	}
	return all
}

// Named returns the format of standard output with this name. Its error names
// those that exist.
func Named(name string) (Func, error) {
	for _, f := range formats {
		if f.Name == name && name != "" {
			return f.Write, nil
		}
	}
	return nil, fmt.Errorf("unknown output format %q: use one of %s", name, strings.Join(Names(), ", "))
}

// ofFile returns the format that the ending of a file selects.
func ofFile(path string) (Func, error) {
	ending := strings.ToLower(filepath.Ext(path))
	for _, f := range formats {
		if f.Ending == ending && ending != "" {
			return f.Write, nil
		}
	}
	return nil, fmt.Errorf("report file %q: the extension selects the format: %s", path, strings.Join(Endings(), ", "))
}
