package runner

import (
	"slices"
	"strings"

	"syncsources/bitrix"
	"syncsources/bitrix/rest"
	"syncsources/bitrix/secret"
	"syncsources/manifest"
)

// difference is one field in which a live source is not as declared.
type difference struct {
	path    string // title, description, active, settings.CODE
	from    any    // string or bool; of a setting the plain value
	to      any
	setting *manifest.Setting // the declared setting, nil for other fields
}

// compare lists the differences of a live source from its declaration, in the
// order title, description, active, settings as declared. What is not
// declared is not looked at.
//
// A setting that the portal does not show is the empty text: the portal keeps
// no difference between the two, nor between a description of null and "".
func compare(desired *manifest.Source, live *bitrix.Source) []difference {
	var diffs []difference
	if desired.Title != nil && *desired.Title != live.Title {
		diffs = append(diffs, difference{path: "title", from: live.Title, to: *desired.Title})
	}
	if desired.Description != nil && *desired.Description != live.Description {
		diffs = append(diffs, difference{path: "description", from: live.Description, to: *desired.Description})
	}
	if desired.Active != nil && !live.Active.Is(*desired.Active) {
		diffs = append(diffs, difference{path: "active", from: live.Active == rest.True, to: *desired.Active})
	}
	for i := range desired.Settings {
		s := &desired.Settings[i]
		from, to := liveSetting(live, s.Code), trim(s.Value.Text().Plain())
		if from != to {
			diffs = append(diffs, difference{path: "settings." + s.Code, from: from, to: to, setting: s})
		}
	}
	return diffs
}

// untold is the error of a source of which the portal does not tell what is
// declared: nothing can be compared then.
func untold(desired *manifest.Source, live *bitrix.Source) error {
	if desired.Active == nil || live.Active != rest.Unsaid {
		return nil
	}
	return &rest.Error{Code: rest.BadAnswer, Method: bitrix.MethodSourceList, Message: "the portal does not say whether the source is active"}
}

func liveSetting(live *bitrix.Source, code string) string {
	for _, s := range live.Settings {
		if s.Code == code {
			return s.Value.Plain()
		}
	}
	return ""
}

// trim does to a setting's value what the portal does when it stores it:
// PHP's trim takes blank, tab, line feed, carriage return, NUL and vertical
// tab off both ends, and no other white space.
func trim(s string) string { return strings.Trim(s, " \t\n\r\x00\v") }

// change is the difference as reports show it: values of settings only where
// the manifest reveals them.
func (d difference) change() Change {
	if d.setting != nil && !d.setting.Reveal {
		return Change{Path: d.path, Sensitive: true}
	}
	return Change{Path: d.path, From: d.from, To: d.to}
}

// differs reports whether path is among the entry's differences.
func (e *entry) differs(path string) bool { return e.difference(path) != nil }

func (e *entry) difference(path string) *difference {
	for i := range e.diffs {
		if e.diffs[i].path == path {
			return &e.diffs[i]
		}
	}
	return nil
}

// paths joins the paths of differences for a message.
func paths(diffs []difference) string {
	names := make([]string, len(diffs))
	for i, d := range diffs {
		names[i] = d.path
	}
	return strings.Join(names, ", ")
}

// fields are the fields of the update that removes the differences, active
// excepted: it goes as a call of its own. sent are the paths of these
// differences. The title is always among the fields, since the portal demands
// it: the declared one, else the live one.
func fields(desired *manifest.Source, live *bitrix.Source, diffs []difference) (f bitrix.SourceFields, sent []string) {
	f.Title = live.Title
	if desired.Title != nil {
		f.Title = *desired.Title
	}
	for _, d := range diffs {
		switch {
		case d.setting != nil:
			f.Settings = append(f.Settings, bitrix.Setting{Code: d.setting.Code, Value: d.setting.Value.Text()})
		case d.path == "description":
			f.Description = desired.Description
		case d.path == "active":
			continue
		}
		sent = append(sent, d.path)
	}
	return f, sent
}

// hidden are the live values of settings, without those that the manifest
// reveals.
func hidden(desired *manifest.Source, live *bitrix.Source) []secret.Text {
	var values []secret.Text
	for _, s := range live.Settings {
		if !slices.ContainsFunc(desired.Settings, func(d manifest.Setting) bool { return d.Code == s.Code && d.Reveal }) {
			values = append(values, s.Value)
		}
	}
	return values
}
