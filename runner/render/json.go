package render

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"unicode/utf8"

	"syncsources/runner"
)

// JSON writes the report as one indented JSON document, as
// schema/report.schema.json describes it. Characters that do not print, and
// orders to a CI system, are escaped: the document can be shown as it is.
func JSON(w io.Writer, r *runner.Report, _ Options) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(complete(withoutSensitive(r))); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	_, err := w.Write(order.ReplaceAll(escapeInvisible(b.Bytes()), []byte(`#\u0023$1`)))
	return err
}

// complete returns the report with empty lists where it has none: a reader
// goes through the changes of every source, and the findings of every invalid
// run, without asking first whether they are there.
func complete(r *runner.Report) *runner.Report {
	full := *r
	if full.Outcome == runner.OutcomeInvalid && full.Findings == nil {
		full.Findings = []runner.Finding{}
	}
	full.Objects = slices.Clone(r.Objects)
	for i := range full.Objects {
		if full.Objects[i].Changes == nil {
			full.Objects[i].Changes = []runner.Change{}
		}
	}
	return &full
}

// withoutSensitive returns the report without any value of a sensitive change.
// The runner never puts one there; this is the last place where a slip of its
// could still be caught.
func withoutSensitive(r *runner.Report) *runner.Report {
	slip := func(c runner.Change) bool { return c.Sensitive && (c.From != nil || c.To != nil) }
	if !slices.ContainsFunc(r.Objects, func(s runner.Object) bool { return slices.ContainsFunc(s.Changes, slip) }) {
		return r
	}
	masked := *r
	masked.Objects = slices.Clone(r.Objects)
	for i := range masked.Objects {
		changes := slices.Clone(masked.Objects[i].Changes)
		for j := range changes {
			if changes[j].Sensitive {
				changes[j].From, changes[j].To = nil, nil
			}
		}
		masked.Objects[i].Changes = changes
	}
	return &masked
}

// escapeInvisible writes the characters of a JSON document that do not print
// as \u escapes, which encoding/json does only for some. Such characters can
// only stand in strings: outside of them JSON is ASCII.
func escapeInvisible(doc []byte) []byte {
	visible := func(r rune) bool { return r == '\n' || strconv.IsPrint(r) }
	if bytes.IndexFunc(doc, func(r rune) bool { return !visible(r) }) < 0 {
		return doc
	}
	out := make([]byte, 0, len(doc)+64)
	for len(doc) > 0 {
		r, size := utf8.DecodeRune(doc)
		switch {
		case visible(r):
			out = append(out, doc[:size]...)
		case r > 0xFFFF:
			r -= 0x10000
			out = fmt.Appendf(out, `\u%04x\u%04x`, 0xD800+r>>10, 0xDC00+r&0x3FF)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		doc = doc[size:]
	}
	return out
}
