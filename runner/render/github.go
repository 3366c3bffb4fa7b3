package render

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"syncsources/runner"
	"syncsources/runner/render/clean"
)

// GitHub writes workflow commands, which GitHub Actions shows as annotations
// in the changed files: one for each object that failed, or for each finding
// where the manifests are invalid. Only ten of a step are shown, so that the
// first one counts them all. A run without a failure gets a notice if it
// changed anything or would, and otherwise a plain line: an annotation that is
// always there is not read.
//
// The table of changes goes to the step summary (see AppendStepSummary).
func GitHub(w io.Writer, run Run, o Options) error {
	line, err := run.lastLine(clean.Line)
	if err != nil {
		return err
	}
	sum, err := run.total()
	if err != nil {
		return err
	}
	title := "syncsources " + run.Command()
	total := headline(run.Outcome(), line)
	if run.Portals != nil && run.Command() != "validate" { // what the line counts does not show them
		if sum.stopped > 0 {
			total += fmt.Sprintf(" Stopped: %s.", count(sum.stopped, "portal"))
		}
		if sum.invalid > 0 {
			total += fmt.Sprintf(" Invalid: %s.", count(sum.invalid, "portal"))
		}
	}
	if f := run.Failure(); f != nil {
		total += "\n" + withHint(f)
	}
	switch {
	case run.Failed():
		_, err = io.WriteString(w, command("error", annotation{title: title}, total))
	case run.Command() != "validate" && sum.changes() > 0:
		_, err = io.WriteString(w, command("notice", annotation{title: title}, total))
	default:
		_, err = io.WriteString(w, total+"\n")
	}
	if err != nil {
		return err
	}
	found, err := run.Findings()
	if err != nil {
		return err
	}
	if err := annotateFindings(w, found, o); err != nil {
		return err
	}
	return run.each(func(p portal) error {
		_, err := io.WriteString(w, annotations(p, o))
		return err
	})
}

func annotations(p portal, o Options) string {
	var b strings.Builder
	r := p.report
	if p.name != "" && r.Error != nil {
		b.WriteString(command("error", annotation{title: p.title()}, withHint(r.Error)))
	}
	for i := range r.Objects {
		object := &r.Objects[i]
		if object.Status == runner.StatusFailed && object.Error != nil {
			at := annotation{file: o.inWorkspace(object.File), line: object.Line, column: object.Column, title: p.prefix() + kindLabel(object)}
			b.WriteString(command("error", at, withHint(object.Error)))
		}
	}
	return b.String()
}

func annotateFindings(w io.Writer, findings []runner.Finding, o Options) error {
	var b strings.Builder
	for _, f := range findings {
		message := clean.Line(f.Message)
		for _, hint := range f.Hints {
			message += "\n" + clean.Line(hint)
		}
		at := annotation{file: o.inWorkspace(f.File), line: f.Line, column: f.Column, title: f.Rule}
		b.WriteString(command("error", at, message))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// inWorkspace is a file as GitHub names it: relative to the repository. A file
// outside of it stays as it is.
func (o Options) inWorkspace(file string) string {
	if file == "" || file == stdin || o.Workspace == "" {
		return file
	}
	path := file
	if !filepath.IsAbs(path) {
		path = filepath.Join(o.Dir, path)
	}
	inside, err := filepath.Rel(o.Workspace, path)
	if err != nil || !filepath.IsLocal(inside) {
		return file
	}
	return filepath.ToSlash(inside)
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
// The message may hold line ends; of everything else it is clean.
func command(name string, at annotation, message string) string {
	var properties []string
	if at.file == stdin { // no file that GitHub could show
		message = fmt.Sprintf("%s:%d:%d: %s", at.file, at.line, at.column, message)
	} else if at.file != "" {
		properties = append(properties, "file="+property.Replace(clean.Line(at.file)))
		if at.line > 0 {
			properties = append(properties, fmt.Sprintf("line=%d", at.line))
		}
		if at.line > 0 && at.column > 0 {
			properties = append(properties, fmt.Sprintf("col=%d", at.column))
		}
	}
	properties = append(properties, "title="+property.Replace(clean.Line(at.title)))
	return "::" + name + " " + strings.Join(properties, ",") + "::" + data.Replace(message) + "\n"
}

// stdin is the file of a manifest that came from standard input.
const stdin = "<stdin>"

// How GitHub's own toolkit escapes the message of a command, and a property.
var (
	data     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// summaryLimit is how much a step summary may hold, in bytes. GitHub shows
// nothing of a longer one.
const summaryLimit = 1 << 20

// AppendStepSummary adds the run, as markdown, to the file at path: the page
// that GitHub Actions shows of a step. What is there already stays, and leaves
// that much less room.
func AppendStepSummary(path string, run Run, o Options) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY|syscall.O_NONBLOCK, 0o644) // or a pipe without a reader would keep us
	if err != nil {
		return fmt.Errorf("step summary: %w", err)
	}
	room := summaryLimit
	if info, err := f.Stat(); err == nil {
		room -= int(min(info.Size(), summaryLimit))
	}
	err = nil
	if room > 2*reserve {
		err = markdown(f, run, o, newPage(room, func(s string) int { return len(s) }))
	}
	return errors.Join(err, f.Close())
}
