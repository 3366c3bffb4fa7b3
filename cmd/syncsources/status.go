package main

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"syncsources/cmd/syncsources/exit"
	"syncsources/cmd/syncsources/option"
	"syncsources/cmd/syncsources/signin"
	"syncsources/manifest"
	"syncsources/runner"
	"syncsources/runner/render/clean"
)

type statusFlags struct {
	logFlags
	limits  limits
	portals portalsFlags
	renew   bool
	timeout time.Duration
}

// newStatus builds the command that finds out whether a run would work.
func newStatus(a *app) *cobra.Command {
	f := &statusFlags{}
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Check everything that a run needs: portal, credentials, rights, token, store",
		Long: `Check everything that a run needs, one line each: the store of the token pair and
the age of its tokens, the user whose credentials they are, their scope and
rights, the clocks, and the limits that a run would keep to.

status changes nothing and spends nothing. It reports an expired access token and
does not renew it; --renew does, as the next run would.

With --portals it checks the portals of a file, with their credentials and limits
and the store that the file names.

It exits with 0 if a run would work, and with 4 if not.`,
		Example: "  syncsources status\n  syncsources status --renew\n  syncsources status --portals portals.yaml --portal 'acme*'",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.portals.alone(cmd); err != nil {
				return err
			}
			return a.status(cmd.Context(), f)
		},
	}
	cmd.Flags().BoolVar(&f.renew, "renew", false, "renew an access token that has expired")
	option.Add(cmd.Flags(), &f.timeout, "timeout", "DURATION", "2m", "time limit of all checks together", option.Duration)
	f.limits.add(cmd.Flags())
	f.portals.add(cmd.Flags())
	f.portals.addParallel(cmd.Flags())
	f.add(cmd.Flags())
	return cmd
}

func (a *app) status(signalled context.Context, f *statusFlags) error {
	if f.portals.file != "" {
		return a.statusOfPortals(signalled, f)
	}
	ctx, cancel := context.WithTimeout(signalled, f.timeout)
	defer cancel()
	logger := f.logger(a.stderr, a.env.Colored(false, a.stderr))
	c, err := signin.FromEnvironment(ctx, a.signinConfig(logger))
	if err != nil {
		return signinFailure(ctx, err)
	}
	defer c.Close()
	lines := a.statusLines(ctx, c, f, f.limits, logger)
	if ctx.Err() != nil {
		return tooLate(ctx)
	}
	_, host, _ := strings.Cut(c.Portal(), "://")
	text, ready := statusText("Portal "+host, lines)
	if _, err := fmt.Fprint(a.stdout, text); err != nil {
		return exit.Unwritten(err)
	}
	if !ready {
		return exit.Err(exit.Stopped)
	}
	return nil
}

func (a *app) statusLines(ctx context.Context, c *signin.Credentials, f *statusFlags, l limits, logger *slog.Logger) []signin.Line {
	return c.Status(ctx, signin.StatusConfig{Client: a.reader(logger), Renew: f.renew, Limits: l.words(), Hint: hintOf})
}

// statusOfPortals is the status of the portals of a file, side by side, printed
// in the order of the file.
func (a *app) statusOfPortals(ctx context.Context, f *statusFlags) error {
	logger := f.logger(a.stderr, a.env.Colored(false, a.stderr))
	portals, sign, err := a.openPortals(ctx, &f.portals, &f.logFlags, logger)
	if err != nil {
		return err
	}
	defer sign.Close()
	a.sayEmpty(portals)
	texts, ready := make([]string, len(portals.selected)), make([]bool, len(portals.selected))
	var group errgroup.Group
	group.SetLimit(f.portals.parallel)
	for i, config := range portals.selected {
		group.Go(func() error {
			ctx, cancel := context.WithTimeout(ctx, f.timeout)
			defer cancel()
			texts[i], ready[i] = statusText("Portal "+config.Name, a.statusOf(ctx, sign, config, f, logger.With("portal", config.Name)))
			return nil
		})
	}
	_ = group.Wait()
	if ctx.Err() != nil {
		return tooLate(ctx)
	}
	unready := 0
	for _, ok := range ready {
		if !ok {
			unready++
		}
	}
	texts = append(texts, fmt.Sprintf("%d of %d portals are ready.\n", len(ready)-unready, len(ready)))
	if _, err := fmt.Fprint(a.stdout, strings.Join(texts, "\n")); err != nil {
		return exit.Unwritten(err)
	}
	if unready > 0 {
		return exit.Err(exit.Stopped)
	}
	return nil
}

// statusOf is the status of one portal of a file.
func (a *app) statusOf(ctx context.Context, sign *signin.Portals, config *manifest.PortalConfig, f *statusFlags, logger *slog.Logger) (lines []signin.Line) {
	defer func() { // a mistake that one portal brings out must not cost the others
		if reason := recover(); reason != nil {
			logger.Error("internal error", "reason", reason, "stack", string(debug.Stack()))
			failed := internalError(reason)
			lines = []signin.Line{{Level: signin.Bad, Name: "status", Text: failed.Message, Hints: failed.Hints}}
		}
	}()
	c, findings, err := sign.Of(config)
	for _, f := range findings {
		lines = append(lines, signin.Line{Level: signin.Bad, Name: "credentials", Text: f.Error(), Hints: f.Hints})
	}
	switch {
	case err != nil:
		failed := signinFailure(ctx, err)
		return []signin.Line{{Level: signin.Bad, Name: "credentials", Text: failed.Message, Hints: failed.Hints}}
	case len(findings) > 0:
		return lines
	}
	defer c.Close()
	lines = a.statusLines(ctx, c, f, f.limits.or(limits(config.Limits)), logger)
	if ctx.Err() != nil {
		lines = append(lines, signin.Line{Level: signin.Bad, Name: "time", Text: "the time limit is over", Hints: []string{"--timeout gives more time"}})
	}
	return lines
}

// openPortals reads a portals file, and prepares to sign in to its portals.
// What is wrong with the file is printed.
func (a *app) openPortals(ctx context.Context, p *portalsFlags, log *logFlags, logger *slog.Logger) (*loaded, *signin.Portals, error) {
	portals, findings, err := p.load(ctx, a)
	if err != nil {
		return nil, nil, err
	}
	var sign *signin.Portals
	if len(findings) == 0 {
		sign, findings, err = signin.OpenPortals(ctx, a.signinConfig(logger), portals.file)
		if err != nil {
			return nil, nil, signinFailure(ctx, err)
		}
	}
	if len(findings) > 0 {
		a.printFindings(runner.Invalid("", findings).Findings, false, log)
		return nil, nil, exit.Err(exit.Invalid)
	}
	return portals, sign, nil
}

// statusText is a status as people read it.
func statusText(title string, lines []signin.Line) (text string, ready bool) {
	var b strings.Builder
	fmt.Fprintln(&b, title)
	bad, warnings := 0, 0
	for _, l := range lines {
		word := "ok"
		switch l.Level {
		case signin.Warning:
			word, warnings = "warn", warnings+1
		case signin.Bad:
			word, bad = "FAIL", bad+1
		}
		fmt.Fprintf(&b, "%-4s  %-11s  %s\n", word, l.Name, clean.Lines(l.Text))
		for _, hint := range l.Hints {
			fmt.Fprintf(&b, "      hint: %s\n", clean.Lines(hint))
		}
	}
	switch {
	case bad > 0:
		fmt.Fprintf(&b, "Not ready: %d of %d checks failed.\n", bad, len(lines))
	case warnings > 0:
		fmt.Fprintf(&b, "Ready, with %d of %d checks to look at.\n", warnings, len(lines))
	default:
		fmt.Fprintln(&b, "Ready.")
	}
	return b.String(), bad == 0
}

// words says what a run keeps to.
func (l limits) words() string {
	conf := l.schedule()
	text := fmt.Sprintf("%g requests a second, %d at once", conf.Rate, conf.Burst)
	if conf.OperatingLimit > 0 {
		text += fmt.Sprintf("; %g s of execution in 10 minutes for each method", conf.OperatingLimit.Seconds())
	}
	return text + fmt.Sprintf("; a request is cut off after %g s", conf.RequestTime.Seconds())
}
