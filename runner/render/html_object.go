package render

import (
	"cmp"
	"fmt"
	"strconv"

	"syncsources/runner"
	"syncsources/runner/render/clean"
)

// htmlObject shows an object. Its methods are called by the template, one
// object after the other, so that a page of many objects holds no second copy
// of them.
type htmlObject struct {
	*runner.Object
	Portal   string // of the section
	Many     bool
	PortalID string
}

// Class says what became of the object, for its colour and for the filter.
func (o htmlObject) Class() string {
	switch o.Status {
	case runner.StatusFailed:
		return "failed"
	case runner.StatusSkipped:
		return "skipped"
	case runner.StatusUnchanged:
		return "unchanged"
	}
	switch o.Action {
	case runner.ActionCreate:
		return "create"
	case runner.ActionDelete:
		return "delete"
	}
	return "update"
}

// Sign is that of the text format.
func (o htmlObject) Sign() string {
	if o.Status == runner.StatusUnchanged {
		return "="
	}
	return sign(o.Object)
}

// Named is the name that the manifest gives the object, if any.
func (o htmlObject) Named() string { return clean.Line(ownName(o.Object)) }

// Number is the id; empty where it does not exist yet.
func (o htmlObject) Number() string {
	if o.ID == 0 {
		return ""
	}
	return "#" + strconv.FormatInt(o.ID, 10)
}

// Titled is the title, where it is not the name.
func (o htmlObject) Titled() string {
	if o.Kind == runner.KindTable && o.Title == o.Name {
		return ""
	}
	return clean.Line(cut(o.Title, htmlTitle))
}

// htmlTitle is the maximum number of characters of a title in a heading.
const htmlTitle = 200

// KindName is what the object is.
func (o htmlObject) KindName() string { return clean.Line(cmp.Or(string(o.Kind), "object")) }

// Place is where it is declared.
func (o htmlObject) Place() string { return place(o.Object) }

// State says more about what became of it than the sign does.
func (o htmlObject) State() string {
	switch o.Status {
	case runner.StatusPlanned, runner.StatusUnchanged:
		return ""
	case runner.StatusCreated, runner.StatusUpdated, runner.StatusDeleted:
		state := string(o.Status)
		if o.Verified {
			state += ", read back"
		}
		if o.Attempts > 1 {
			state += fmt.Sprintf(", %d attempts", o.Attempts)
		}
		return state
	}
	if o.Attempts > 0 {
		return count(o.Attempts, "attempt")
	}
	return ""
}

type htmlChange struct {
	Path, From, To   string
	HasFrom, HasTo   bool
	Sensitive, Stuck bool
	Lines            []htmlLine // of a text of several lines, instead of From and To
}

type htmlLine struct{ Class, Text string }

// htmlValue is the maximum number of characters of one side of a change.
const htmlValue = 400

// Differences are the changes.
func (o htmlObject) Differences() []htmlChange {
	views := make([]htmlChange, 0, len(o.Changes))
	for _, c := range o.Changes {
		v := htmlChange{
			Path: clean.Line(c.Path), Sensitive: c.Sensitive, Stuck: c.Failed,
			HasFrom: o.Action != runner.ActionCreate, HasTo: o.Action != runner.ActionDelete,
		}
		if lines := lineDiff(c, htmlValue); lines != nil {
			for _, line := range lines {
				v.Lines = append(v.Lines, htmlLine{map[byte]string{'-': "del", '+': "ins"}[line[0]], line})
			}
		} else {
			v.From, v.To = sides(c, htmlValue)
		}
		views = append(views, v)
	}
	return views
}
