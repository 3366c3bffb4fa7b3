package runner

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
)

// commands are those that end with a report.
var commands = []string{"plan", "apply", "validate", "report"}

// Add adds a portal to the report of many: it counts its objects, and the
// outcome and the times become those of all.
func (r *PortalsReport) Add(p PortalReport, report *Report) {
	r.Portals = append(r.Portals, p)
	r.Summary.Add(report.Summary)
	r.span(report.Outcome, &PortalsReport{Started: report.Started, Finished: report.Finished})
}

// span takes in the outcome and the times of a part.
func (r *PortalsReport) span(outcome Outcome, part *PortalsReport) {
	r.Outcome = higher(outcome, r.Outcome)
	if r.Started.IsZero() || part.Started.Before(r.Started) {
		r.Started = part.Started
	}
	if part.Finished.After(r.Finished) {
		r.Finished = part.Finished
	}
	r.Duration = max(0, r.Finished.Sub(r.Started).Seconds())
}

// ReadReport reads a JSON report of one portal or of many; the other one is
// nil.
func ReadReport(doc []byte) (*Report, *PortalsReport, error) {
	var head struct {
		Schema  string  `json:"schema"`
		Command string  `json:"command"`
		Outcome Outcome `json:"outcome"`
	}
	if err := json.Unmarshal(doc, &head); err != nil {
		return nil, nil, errors.New("not a JSON document")
	}
	if head.Schema != ReportSchema && head.Schema != PortalsSchema {
		return nil, nil, fmt.Errorf("not a report of this program: its schema is %.40q, not %q or %q", head.Schema, ReportSchema, PortalsSchema)
	}
	if !slices.Contains(claims, head.Outcome) {
		return nil, nil, fmt.Errorf("unknown outcome %.40q", head.Outcome)
	}
	if !slices.Contains(commands, head.Command) {
		return nil, nil, fmt.Errorf("unknown command %.40q", head.Command)
	}
	if head.Schema == ReportSchema {
		one := new(Report)
		if err := json.Unmarshal(doc, one); err != nil {
			return nil, nil, fmt.Errorf("damaged report: %w", err)
		}
		return one, nil, nil
	}
	many := new(PortalsReport)
	if err := json.Unmarshal(doc, many); err != nil {
		return nil, nil, fmt.Errorf("damaged report: %w", err)
	}
	for i := range many.Portals {
		if p := &many.Portals[i]; p.Report == nil || p.Name == "" || p.Report.Command != many.Command || !slices.Contains(claims, p.Report.Outcome) {
			return nil, nil, fmt.Errorf("damaged report: portal %d lacks its name or its report", i+1)
		}
	}
	return nil, many, nil
}

// Joining is several reports on their way to become one, that of many portals.
type Joining struct {
	all  PortalsReport
	from map[string]string // the portals so far, and where each is from
	read int
}

// Add takes in a report as ReadReport returned it. from says where it is from,
// for the error: all must be of one command and of different portals.
func (j *Joining) Add(from string, one *Report, many *PortalsReport) error {
	if one != nil {
		part := &PortalsReport{Schema: PortalsSchema, Command: one.Command}
		part.Add(PortalReport{Name: portalName(one.Portal, from), Report: one}, one)
		many = part
	}
	if j.read++; j.read == 1 {
		j.all = PortalsReport{Schema: PortalsSchema, Command: many.Command}
		j.from = map[string]string{}
	}
	if many.Command != j.all.Command {
		return fmt.Errorf("%s is of the command %q, the others are of %q", from, many.Command, j.all.Command)
	}
	for _, p := range many.Portals {
		if before, twice := j.from[p.Name]; twice {
			return fmt.Errorf("the portal %q is in %s and in %s", p.Name, before, from)
		}
		j.from[p.Name] = from
		j.all.Add(p, p.Report)
	}
	if len(many.Portals) == 0 { // an empty shard, or one that could not begin
		j.all.span(many.Outcome, many)
	}
	j.all.Error = cmp.Or(j.all.Error, many.Error)
	j.all.Findings = append(j.all.Findings, many.Findings...)
	return nil
}

// Report is what the reports are together.
func (j *Joining) Report() *PortalsReport {
	if j.all.Portals == nil {
		j.all.Portals = []PortalReport{}
	}
	return &j.all
}

// portalName is how a portal is called that has no name in a portals file: its
// host, and where that is not known, where the report is from.
func portalName(address, from string) string {
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		return u.Host
	}
	return from
}
