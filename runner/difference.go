package runner

import (
	"strconv"
	"strings"

	"syncsources/bitrix/secret"
)

// value is what a field holds: a text, a number or a truth value. The zero
// value is nothing: what is created has none before, what is removed none
// after. The text is held as a secret, so that no way of printing a plan shows
// a password.
type value struct {
	text secret.Text
	kind valueKind
}

type valueKind byte

const (
	nothing valueKind = iota
	isText
	isNumber
	isBool
)

func textValue(s string) value  { return value{secret.New(s), isText} }
func numberValue(n int64) value { return value{secret.New(strconv.FormatInt(n, 10)), isNumber} }
func boolValue(b bool) value    { return value{secret.New(strconv.FormatBool(b)), isBool} }
func (v value) plain() string   { return v.text.Plain() }

// quoted is the value as messages show it.
func (v value) quoted() string {
	if v.kind == isText {
		return strconv.Quote(v.plain())
	}
	return v.plain()
}

func (v value) shown() (show any) {
	switch v.kind {
	case isText:
		return v.plain()
	case isNumber:
		n, _ := strconv.ParseInt(v.plain(), 10, 64)
		return n
	case isBool:
		return v.plain() == "true"
	}
	return nil
}

// difference is one field in which a live object is not as declared.
type difference struct {
	path      string // title, settings.CODE, columns.NAME.visible
	code      string // of a setting, or the name of a column; else empty
	from, to  value
	sensitive bool
	replace   bool // a column that is deleted and added again
}

// setting is the path of a setting, column that of a column.
func settingPath(code string) string { return "settings." + code }
func columnPath(name string) string  { return "columns." + name }

// isSetting reports whether the difference is one of a setting.
func (d difference) isSetting() bool { return strings.HasPrefix(d.path, "settings.") }

func (d difference) change() Change {
	if d.sensitive {
		return Change{Path: d.path, Sensitive: true}
	}
	return Change{Path: d.path, From: d.from.shown(), To: d.to.shown()}
}

func changes(diffs []difference) []Change {
	if len(diffs) == 0 {
		return nil
	}
	list := make([]Change, len(diffs))
	for i, d := range diffs {
		list[i] = d.change()
	}
	return list
}

// paths joins the paths of differences for a message.
func paths(diffs []difference) string {
	names := make([]string, len(diffs))
	for i, d := range diffs {
		names[i] = d.path
	}
	return strings.Join(names, ", ")
}

// fields collects the differences of an object's plain fields. An object that
// is created is compared with what the portal would make without them.
type fields struct {
	created bool
	list    []difference
}

// text compares a declared text with the live one. What is not declared is
// not looked at.
func (f *fields) text(path string, declared *string, live string) {
	if declared != nil && *declared != live {
		f.add(difference{path: path, from: textValue(live), to: textValue(*declared)})
	}
}

func (f *fields) number(path string, declared *int64, live int64) {
	if declared != nil && *declared != live {
		f.add(difference{path: path, from: numberValue(live), to: numberValue(*declared)})
	}
}

func (f *fields) boolean(path string, declared *bool, live bool) {
	if declared != nil && *declared != live {
		f.add(difference{path: path, from: boolValue(live), to: boolValue(*declared)})
	}
}

// add takes a difference in.
func (f *fields) add(d difference) {
	if f.created {
		d.from = value{}
	}
	f.list = append(f.list, d)
}

// find returns the difference of a path, nil if there is none.
func find(diffs []difference, path string) *difference {
	for i := range diffs {
		if diffs[i].path == path {
			return &diffs[i]
		}
	}
	return nil
}
