package runner_test

import (
	"strings"
	"testing"
	"time"

	"syncsources/runner"
)

// A shard without portals, and one that could not begin, count as well.
func TestJoinEmptyShards(t *testing.T) {
	begin := time.Date(2026, 3, 20, 14, 50, 0, 0, time.UTC)
	var j runner.Joining
	for i, part := range []*runner.PortalsReport{
		{Command: "apply", Outcome: runner.OutcomeOK, Started: begin.Add(time.Minute), Finished: begin.Add(time.Minute)},
		{Command: "apply", Outcome: runner.OutcomeInvalid, Started: begin, Finished: begin.Add(time.Second), Error: &runner.Failure{Code: "NO_TOKEN"}},
	} {
		check(t, j.Add(string(rune('a'+i)), nil, part))
	}
	got := j.Report()
	if got.Outcome != runner.OutcomeInvalid || got.Error == nil || got.Portals == nil || got.Duration != 60 || !got.Started.Equal(begin) {
		t.Errorf("got %+v", got)
	}
}

// A report that is damaged is not taken for another one.
func TestReadReportDamaged(t *testing.T) {
	for doc, want := range map[string]string{
		"":     "not a JSON document",
		"[]":   "not a JSON document",
		"null": "not a report of this program",
		`{"schema": "syncsources.report/2", "command": "sing", "outcome": "ok"}`:                                    `unknown command "sing"`,
		`{"schema": "syncsources.report/2", "outcome": "fine"}`:                                                     `unknown outcome "fine"`,
		`{"schema": "syncsources.report/2", "command": "plan", "outcome": "ok", "objects": 3}`:                      "damaged report",
		`{"schema": "syncsources.portals/1", "command": "plan", "outcome": "ok", "portals": [{"name": "a"}]}`:       "portal 1 lacks",
		`{"schema": "syncsources.portals/1", "command": "plan", "outcome": "ok", "portals": [{"report": {}}]}`:      "portal 1 lacks",
		`{"schema": "syncsources.report/2", "command": "plan", "outcome": "ok"} {"schema": "syncsources.report/2"}`: "not a JSON document",
	} {
		if _, _, err := runner.ReadReport([]byte(doc)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", doc, err, want)
		}
	}
}
