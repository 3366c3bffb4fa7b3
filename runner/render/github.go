package render

import (
	"fmt"
	"io"
	"strings"

	"syncsources/runner"
)

// GitHub writes workflow commands, which GitHub Actions shows as annotations
// in the changed files: one for each source that failed, or for each finding
// where the manifests are invalid. Only ten of a step are shown, so that the
// first one counts them all. A run without a failure gets a notice if it
// changed anything or would, and otherwise a plain line: an annotation that is
// always there is not read.
//
// The table of changes goes to the step summary, in the form of Markdown.
func GitHub(w io.Writer, r *runner.Report, _ Options) error {
	var b strings.Builder
	title := "syncsources " + r.Command
	total := headline(r)
	if r.Error != nil {
		total += "\n" + advised(r.Error)
	}
	switch {
	case r.Outcome != runner.OutcomeOK && r.Outcome != runner.OutcomeChanges:
		b.WriteString(command("error", annotation{title: title}, total))
	case r.Summary.Planned+r.Summary.Updated > 0:
		b.WriteString(command("notice", annotation{title: title}, total))
	default:
		b.WriteString(total + "\n")
	}
	for _, f := range r.Findings {
		message := clean(f.Message)
		for _, advice := range f.Advice {
			message += "\n" + clean(advice)
		}
		b.WriteString(command("error", annotation{file: f.File, line: f.Line, column: f.Column, title: f.Rule}, message))
	}
	for i := range r.Objects {
		s := &r.Objects[i]
		if s.Status == runner.StatusFailed && s.Error != nil {
			at := annotation{file: s.File, line: s.Line, column: s.Column, title: label(s)}
			b.WriteString(command("error", at, advised(s.Error)))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// advised is a failure with its hint on a line of its own.
func advised(f *runner.Failure) string {
	if f.Hint == "" {
		return failure(f)
	}
	return failure(f) + "\n" + clean(f.Hint)
}

// annotation is where a workflow command points to.
type annotation struct {
	file         string
	line, column int
	title        string
}

// command writes a workflow command:
//
//	::error file=manifest.yaml,line=5,col=3,title=unknown-key::unknown key "titel"
//
// The message may hold line ends; of everything else it has to be clean.
func command(name string, at annotation, message string) string {
	var properties []string
	if at.file == stdin { // no file that GitHub could show
		message = fmt.Sprintf("%s:%d:%d: %s", at.file, at.line, at.column, message)
	} else if at.file != "" {
		properties = append(properties, "file="+property.Replace(clean(at.file)))
		if at.line > 0 {
			properties = append(properties, fmt.Sprintf("line=%d", at.line))
		}
		if at.line > 0 && at.column > 0 {
			properties = append(properties, fmt.Sprintf("col=%d", at.column))
		}
	}
	properties = append(properties, "title="+property.Replace(clean(at.title)))
	return "::" + name + " " + strings.Join(properties, ",") + "::" + data.Replace(message) + "\n"
}

// stdin is the file of a manifest that came from standard input.
const stdin = "<stdin>"

// How GitHub's own toolkit escapes the message of a command, and a property.
var (
	data     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)
