package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"syncsources/cmd/syncsources/exit"
	"syncsources/cmd/syncsources/option"
	"syncsources/cmd/syncsources/signin"
	"syncsources/runner/render/clean"
)

// statusFlags are the flags of status.
type statusFlags struct {
	logFlags
	limits  limits
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
the age of its tokens, whom the portal takes the credentials for, their scope and
rights, the clocks, and the limits that a run would keep to.

status changes nothing and spends nothing. An access token that has expired is
told, and not renewed; --renew renews it, as the next run would.

It ends with 0 where a run would work, and with 4 where it would not.`,
		Example: "  syncsources status\n  syncsources status --renew",
		Args:    noArguments,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.status(cmd.Context(), f) },
	}
	cmd.Flags().BoolVar(&f.renew, "renew", false, "renew an access token that has expired")
	option.Add(cmd.Flags(), &f.timeout, "timeout", "duration", "2m", "time limit of all checks together", option.Duration)
	f.limits.add(cmd.Flags())
	f.add(cmd.Flags())
	return cmd
}

func (a *app) status(signalled context.Context, f *statusFlags) error {
	ctx, cancel := context.WithTimeout(signalled, f.timeout)
	defer cancel()
	logger := f.logger(a.stderr, a.env.Colored(false, a.stderr))
	c, err := signin.FromEnvironment(ctx, a.signinConfig(logger))
	if err != nil {
		return signinFailure(ctx, err)
	}
	defer c.Close()
	lines := c.Status(ctx, signin.StatusConfig{Client: a.reader(logger), Renew: f.renew, Limits: f.limits.words(), Hint: hintOf})
	if err := ctx.Err(); err != nil {
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
		text += fmt.Sprintf("; %v of execution in 10 minutes for each method", conf.OperatingLimit)
	}
	return text + fmt.Sprintf("; a request is cut off after %v", conf.RequestTime)
}
