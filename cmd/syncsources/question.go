package main

import (
	"bufio"
	"context"
	"fmt"
	"strings"

	"syncsources/cmd/syncsources/exit"
	"syncsources/cmd/syncsources/option"
	"syncsources/runner"
	"syncsources/runner/render"
)

// interactive reports whether somebody sits at a terminal who can be asked.
func (a *app) interactive() bool { return a.isTerminal(a.stdin) && a.isTerminal(a.stdout) }

func (a *app) isTerminal(stream any) bool {
	if a.terminal != nil {
		return a.terminal(stream)
	}
	return option.IsTerminal(stream)
}

// approve shows a plan and asks whether to apply it. Where there is nothing to
// apply there is nothing to ask.
func (a *app) approve(ctx context.Context, plan *runner.Report, f *runFlags) (bool, error) {
	counts := changes{}
	counts.add(plan)
	if len(counts) == 0 {
		return true, nil
	}
	if err := render.Text(a.stderr, render.One(plan), render.Options{Color: a.env.Colored(f.output.noColor, a.stderr)}); err != nil {
		return false, err
	}
	_, host, _ := strings.Cut(plan.Portal, "://")
	return a.ask(ctx, fmt.Sprintf("Apply %s to %s?", counts, host))
}

// approvePortals asks whether to apply the plans of many portals, which have
// been shown.
func (a *app) approvePortals(ctx context.Context, plans *runner.PortalsReport, f *runFlags) (bool, error) {
	counts, portals := changes{}, 0
	for i := range plans.Portals {
		plan, err := plans.Portals[i].Open()
		if err != nil {
			return false, err
		}
		before := counts.total()
		if counts.add(plan); counts.total() > before {
			portals++
		}
	}
	if len(counts) == 0 {
		return true, nil
	}
	if err := render.TextTotal(a.stderr, plans, render.Options{Color: a.env.Colored(f.output.noColor, a.stderr)}); err != nil {
		return false, err
	}
	return a.ask(ctx, fmt.Sprintf("Apply %s to %s?", counts, plural(portals, "portal")))
}

// ask puts a question to the terminal. Any answer but yes is a no.
func (a *app) ask(ctx context.Context, question string) (bool, error) {
	_, _ = fmt.Fprintf(a.stderr, "%s yes/no ", question)
	answer, err := obeying(ctx, func() (string, error) {
		line, err := bufio.NewReader(a.stdin).ReadString('\n')
		if err != nil && line == "" {
			return "no", nil // the terminal was closed
		}
		return line, nil
	})
	if err != nil {
		_, _ = fmt.Fprintln(a.stderr)
		return false, err
	}
	return strings.EqualFold(strings.TrimSpace(answer), "yes"), nil
}

// changes counts what an apply of plans would do.
type changes map[runner.Action]int

func (c changes) add(plan *runner.Report) {
	for i := range plan.Objects {
		if plan.Objects[i].Status == runner.StatusPlanned {
			c[plan.Objects[i].Action]++
		}
	}
}

func (c changes) total() int {
	n := 0
	for _, count := range c {
		n += count
	}
	return n
}

// String enumerates the changes: 2 creations and 25 updates. It is empty where
// there are none.
func (c changes) String() string {
	var parts []string
	for _, kind := range []struct {
		action runner.Action
		noun   string
	}{
		{runner.ActionCreate, "creation"}, {runner.ActionUpdate, "update"},
		{runner.ActionReplace, "replacement"}, {runner.ActionDelete, "deletion"},
	} {
		if n := c[kind.action]; n > 0 {
			parts = append(parts, plural(n, kind.noun))
		}
	}
	return strings.Join(parts, ", ")
}

// plural is a number with its noun: 1 update, 2 updates.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// declined makes a plan the report of the apply that was not wanted, or whose
// question err cut off: what was planned is skipped.
func declined(plan *runner.Report, err error) *runner.Report {
	plan.Command = "apply"
	if plan.Error != nil || plan.Outcome == runner.OutcomeInvalid {
		return plan // nobody was asked about it
	}
	why := &exit.Failure{Exit: exit.Failed, Code: exit.CodeDeclined, Message: "the answer was not yes, so nothing was written"}
	if err != nil {
		why = exit.AsFailure(err)
	}
	end := reportOfFailure(plan.Command, why)
	plan.Outcome, plan.Error = end.Outcome, end.Error
	plan.SkipPlanned()
	plan.Count()
	return plan
}
