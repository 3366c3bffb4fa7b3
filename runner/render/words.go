package render

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"syncsources/runner"
	"syncsources/runner/render/clean"
)

// longestTitle is how much of a title a label shows, in characters.
const longestTitle = 60

// label names an object: crm (#4) "New source name", or #4 "New source name"
// where it has no name of its own.
func label(o *runner.Object) string {
	parts := make([]string, 0, 3)
	if name := ownName(o); name != "" {
		parts = append(parts, clean.Line(name))
		if o.ID != 0 {
			parts = append(parts, "(#"+strconv.FormatInt(o.ID, 10)+")")
		}
	} else if o.ID != 0 {
		parts = append(parts, "#"+strconv.FormatInt(o.ID, 10))
	}
	if o.Title != "" && !(o.Kind == runner.KindTable && o.Title == o.Name) {
		title, _ := shorten(o.Title, "", longestTitle)
		parts = append(parts, title)
	}
	return strings.Join(parts, " ")
}

// kindLabel is a label that also says what the object is, unless it is a
// source: erp (#12) "ERP" (connector).
func kindLabel(o *runner.Object) string { return label(o) + kindNote(o) }

// kindNote says what the sign and the label of an object do not: its kind,
// unless it is a source, and that it was to be deleted where the sign says what
// became of that.
func kindNote(o *runner.Object) string {
	var notes []string
	if o.Kind != runner.KindSource && o.Kind != "" {
		notes = append(notes, clean.Line(string(o.Kind)))
	}
	if o.Action == runner.ActionDelete && (o.Status == runner.StatusSkipped || o.Status == runner.StatusFailed) {
		notes = append(notes, "to be deleted")
	}
	if notes == nil {
		return ""
	}
	return " (" + strings.Join(notes, ", ") + ")"
}

// shortLabel is a label for a list of many: the name, else the title, and the
// id.
func shortLabel(o *runner.Object) string {
	short := *o
	if ownName(o) != "" {
		short.Title = ""
	}
	return label(&short)
}

// ownName is the name that the manifest gives an object. The names that the
// program makes, of the id or the title, are none.
func ownName(o *runner.Object) string {
	if o.Name == "#"+strconv.FormatInt(o.ID, 10) || o.Name == o.Title && o.Kind != runner.KindTable {
		return ""
	}
	return o.Name
}

// sign shows what an object's block is about.
func sign(o *runner.Object) string {
	switch o.Status {
	case runner.StatusFailed:
		return "!"
	case runner.StatusSkipped:
		return "/"
	}
	switch o.Action {
	case runner.ActionCreate:
		return "+"
	case runner.ActionDelete:
		return "-"
	case runner.ActionReplace:
		return "-/+"
	}
	return "~"
}

// place is where an object is declared, manifest.yaml:5; empty where it is not.
func place(o *runner.Object) string {
	if o.File == "" {
		return ""
	}
	return fmt.Sprintf("%s:%d", clean.Line(o.File), o.Line)
}

// findingPlace is where a finding is: manifest.yaml:5:3.
func findingPlace(f runner.Finding) string {
	if f.Line == 0 {
		return f.File
	}
	return fmt.Sprintf("%s:%d:%d", f.File, f.Line, f.Column)
}

// failure is the code and the message on one line.
func failure(f *runner.Failure) string {
	if f.Message == "" {
		return clean.Line(f.Code)
	}
	return clean.Line(f.Code) + ": " + clean.Line(f.Message)
}

// withHint is a failure with its hint on a line of its own.
func withHint(f *runner.Failure) string {
	if f.Hint == "" {
		return failure(f)
	}
	return failure(f) + "\n" + clean.Line(f.Hint)
}

// count puts a noun after a number.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return grouped(n) + " " + noun + "s"
}

// grouped writes a number the way people read it: 10,000.
func grouped(n int) string {
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// sandboxHost is where the sandbox inside the program answers. No portal can
// have that name (RFC 2606).
const sandboxHost = "sandbox.invalid"

// host is the portal as people know it: acme.bitrix24.com, or sandbox. The
// text is foreign.
func host(address string) string {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "":
		return address
	case u.Host == sandboxHost:
		return "sandbox"
	}
	return u.Host
}

// title names a portal among many: acme (acme.bitrix24.com).
func (p portal) title() string {
	name := clean.Line(host(p.report.Portal))
	switch {
	case p.name == "" || p.name == host(p.report.Portal):
		return name
	case name == "":
		return clean.Line(p.name)
	}
	return clean.Line(p.name) + " (" + name + ")"
}

// prefix goes before what is said of one portal among many.
func (p portal) prefix() string {
	if p.name == "" {
		return ""
	}
	return clean.Line(p.name) + ": "
}

// hint is what to do about failures of one code.
type hint struct{ code, text string }

// hints collects each hint once, in the order of the failures.
type hints struct {
	all  []hint
	seen map[hint]bool
}

func (h *hints) add(f *runner.Failure) {
	if f == nil || f.Hint == "" {
		return
	}
	one := hint{f.Code, f.Hint}
	if h.seen[one] {
		return
	}
	if h.seen == nil {
		h.seen = map[hint]bool{}
	}
	h.seen[one] = true
	h.all = append(h.all, one)
}
