package render

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"syncsources/runner"
	"syncsources/runner/render/clean"
)

// JSON writes the run as one indented JSON document, as
// schema/report.schema.json or, of many portals,
// schema/portals-report.schema.json describes it. Characters that do not print,
// and commands to a CI system, are escaped: the document can be shown as it is.
func JSON(w io.Writer, run Run, _ Options) error {
	if run.Report != nil {
		doc, err := document(complete(run.Report), "")
		if err != nil {
			return err
		}
		_, err = w.Write(append(doc, '\n'))
		return err
	}
	// The reports of many portals may not fit into memory together: each goes
	// out before the next comes in.
	head, err := document(struct {
		*runner.PortalsReport
		Portals *struct{} `json:"portals,omitempty"` // hides them
	}{PortalsReport: completePortals(run.Portals)}, "")
	if err != nil {
		return err
	}
	between := ",\n  \"portals\": ["
	if _, err := w.Write(bytes.TrimSuffix(head, []byte("\n}"))); err != nil {
		return err
	}
	err = run.each(func(p portal) error {
		doc, err := document(struct {
			Name   string         `json:"name"`
			Report *runner.Report `json:"report"`
		}{p.name, complete(p.report)}, "    ")
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w, "%s\n    %s", between, doc)
		between = ","
		return err
	})
	if err != nil {
		return err
	}
	if between == "," {
		_, err = io.WriteString(w, "\n  ]\n}\n")
	} else {
		_, err = io.WriteString(w, between+"]\n}\n")
	}
	return err
}

// document encodes v with prefix before each line but the first.
func document(v any, prefix string) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent(prefix, "  ")
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	return clean.JSON(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), nil
}

// complete returns the report as it goes out: with empty lists where it has
// none, since a reader goes through the changes of every object, and the
// findings of every invalid run, without asking first whether they are there;
// with a timeline of limited length; and without any value of a sensitive
// change. The runner never puts one there; this is the last place where a slip
// of its could still be caught.
func complete(r *runner.Report) *runner.Report {
	full := *r
	if full.Outcome == runner.OutcomeInvalid && full.Findings == nil {
		full.Findings = []runner.Finding{}
	}
	full.Timeline = thin(r.Timeline, timelineLimit)
	full.Waits = r.Waits[:min(len(r.Waits), timelineLimit)]
	full.Objects = slices.Clone(r.Objects)
	if full.Objects == nil && full.Outcome != runner.OutcomeInvalid && (r.Command == "plan" || r.Command == "apply") {
		full.Objects = []runner.Object{}
	}
	for i := range full.Objects {
		full.Objects[i].Changes = masked(full.Objects[i].Changes)
	}
	return &full
}

func completePortals(r *runner.PortalsReport) *runner.PortalsReport {
	full := *r
	if full.Outcome == runner.OutcomeInvalid && len(full.Portals) == 0 && full.Findings == nil {
		full.Findings = []runner.Finding{}
	}
	return &full
}

// masked returns changes, never nil, of which the sensitive ones have no value.
func masked(changes []runner.Change) []runner.Change {
	if changes == nil {
		return []runner.Change{}
	}
	slip := func(c runner.Change) bool { return c.Sensitive && (c.From != nil || c.To != nil) }
	if !slices.ContainsFunc(changes, slip) {
		return changes
	}
	changes = slices.Clone(changes)
	for i := range changes {
		if changes[i].Sensitive {
			changes[i].From, changes[i].To = nil, nil
		}
	}
	return changes
}

// timelineLimit is how many requests the timeline of a report has at most.
const timelineLimit = 2_000

// thin returns at most n requests of a timeline, in its order. What the portal
// did not simply answer is kept before the rest, of which an even share
// remains.
func thin(all []runner.Exchange, n int) []runner.Exchange {
	if len(all) <= n {
		return all
	}
	rare := 0
	for _, e := range all {
		if e.Result != answered {
			rare++
		}
	}
	keepRare := min(rare, n)
	keepPlain := min(len(all)-rare, n-keepRare)
	out := make([]runner.Exchange, 0, n)
	seenRare, seenPlain := 0, 0
	for _, e := range all {
		if e.Result != answered {
			if share(seenRare, rare, keepRare) {
				out = append(out, e)
			}
			seenRare++
			continue
		}
		if share(seenPlain, len(all)-rare, keepPlain) {
			out = append(out, e)
		}
		seenPlain++
	}
	return out
}

// answered is the result of a request that the portal carried out.
const answered = "ok"

// share reports whether the i-th of all items is among n evenly spread ones.
func share(i, all, n int) bool { return (i+1)*n/all > i*n/all }
