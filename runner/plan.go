package runner

import (
	"fmt"
	"strings"

	"syncsources/bitrix"
	"syncsources/bitrix/rest"
	"syncsources/manifest"
)

// Live is what the portal showed.
type Live struct {
	// Sources holds the live sources by id.
	Sources map[int64]bitrix.Source
	// Connectors holds the declared settings by connector. A connector that
	// is not in it is not known, and its settings are not judged.
	Connectors map[int64]bitrix.Connector
	// Errors holds the ids that could not be read, with the reason.
	Errors map[int64]error
}

// Changeset is a plan: what there is to do for each source, in the order of
// the declarations. It is a value; making it touches nothing.
type Changeset []Step

// Step is the plan for one source. Its Status is unchanged, planned or failed.
type Step struct {
	Desired *manifest.Source
	Status  Status
	Title   string // declared, else live
	Changes []Change
	Error   *Failure

	live  bitrix.Source
	diffs []difference
}

// Compare plans how to bring live sources to their declared states. It is a
// pure function.
func Compare(desired []manifest.Source, live Live) Changeset {
	steps := make(Changeset, len(desired))
	for i := range desired {
		steps[i] = compareOne(&desired[i], live)
	}
	return steps
}

func compareOne(desired *manifest.Source, live Live) Step {
	step := Step{Desired: desired, Status: StatusUnchanged}
	if desired.Title != nil {
		step.Title = *desired.Title
	}
	found, ok := live.Sources[desired.ID]
	if !ok {
		step.Status = StatusFailed
		if err := live.Errors[desired.ID]; err != nil {
			step.Error = failure(err)
		} else {
			step.Error = notFound()
		}
		return step
	}
	step.live = found
	if desired.Title == nil {
		step.Title = found.Title
	}
	if err := untold(desired, &found); err != nil {
		step.Status, step.Error = StatusFailed, failure(err)
		return step
	}
	step.diffs = compare(desired, &found)
	if len(step.diffs) == 0 {
		return step
	}
	step.Status = StatusPlanned
	for _, d := range step.diffs {
		step.Changes = append(step.Changes, d.change())
	}
	connector, known := live.Connectors[found.ConnectorID]
	if f := checkSettings(step.diffs, &found, connector, known); f != nil {
		step.Status, step.Error = StatusFailed, f
	} else if step.Title == "" || step.Title == "0" {
		step.Status = StatusFailed
		step.Error = &Failure{
			Code:    string(rest.PortalError),
			Message: "the portal demands a title with every update, and the live one is empty (\"0\" counts as empty)",
			Hint:    "declare a title for this source",
		}
	}
	return step
}

// checkSettings holds the settings that would be sent against those that the
// connector declares. The portal itself drops an unknown one without a word.
func checkSettings(diffs []difference, live *bitrix.Source, connector bitrix.Connector, known bool) *Failure {
	if !known || len(connector.Settings) == 0 {
		return nil
	}
	types := make(map[string]string, len(connector.Settings))
	codes := make([]string, 0, len(connector.Settings))
	for _, s := range connector.Settings {
		types[s.Code] = s.Type
		codes = append(codes, s.Code)
	}
	for _, s := range live.Settings {
		if _, ok := types[s.Code]; !ok {
			types[s.Code] = "" // shown by the portal, so it exists
		}
	}
	var unknown, hints []string
	for _, d := range diffs {
		if d.setting == nil {
			continue
		}
		code := d.setting.Code
		kind, ok := types[code]
		switch {
		case !ok:
			unknown = append(unknown, fmt.Sprintf("%q", code))
			if near := manifest.Nearest(code, codes); near != "" {
				hints = append(hints, fmt.Sprintf("did you mean %q instead of %q?", near, code))
			}
		case kind == "INT" && !integer(d.to.(string)):
			return &Failure{
				Code:    "VALIDATION_INVALID_FIELD_TYPE",
				Message: fmt.Sprintf("the setting %q takes an integer, says connector %q (#%d)", code, connector.Title, connector.ID),
				Hint:    "declare a whole number in decimal digits",
			}
		}
	}
	if unknown == nil {
		return nil
	}
	hints = append(hints, "declared settings: "+strings.Join(codes, ", "))
	return &Failure{
		Code:    CodeUnknownSetting,
		Message: fmt.Sprintf("connector %q (#%d) declares no setting %s", connector.Title, connector.ID, strings.Join(unknown, ", ")),
		Hint:    strings.Join(hints, "; "),
	}
}

// integer reports whether s is a decimal integer; the empty text is one that
// is not set.
func integer(s string) bool {
	digits := strings.TrimPrefix(s, "-")
	return s == "" || digits != "" && strings.Trim(digits, "0123456789") == ""
}

// planned counts the steps that would write.
func (c Changeset) planned() int {
	n := 0
	for i := range c {
		if c[i].Status == StatusPlanned {
			n++
		}
	}
	return n
}

// results are the report's entries for the steps.
func (c Changeset) results() []Object {
	results := make([]Object, len(c))
	for i := range c {
		s := &c[i]
		results[i] = Object{
			Kind: KindSource, Action: ActionUpdate,
			Name: s.Desired.Name, ID: s.Desired.ID, Title: s.Title,
			File: s.Desired.Position.File, Line: s.Desired.Position.Line, Column: s.Desired.Position.Column,
			Status: s.Status, Changes: s.Changes, Error: s.Error,
		}
		if s.Status == StatusUnchanged {
			results[i].Action = ActionNone
		}
	}
	return results
}
