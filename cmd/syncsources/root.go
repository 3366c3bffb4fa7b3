package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"syncsources/bitrix/rest"
	"syncsources/cmd/syncsources/exit"
	"syncsources/cmd/syncsources/option"
	"syncsources/cmd/syncsources/signin"
	"syncsources/manifest"
	"syncsources/runner"
)

// app is what a command needs of the process around it.
type app struct {
	env    option.Environment
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	// transport carries the requests to the portal and to the authorization
	// server; nil means the network. Tests put a portal in its place.
	transport http.RoundTripper
	// terminal reports whether a stream is a terminal; nil asks the operating
	// system.
	terminal func(stream any) bool
}

// run is the whole program: it runs the command that args name and returns the
// exit code.
func run(ctx context.Context, environ []string, stdin io.Reader, stdout, stderr io.Writer, args []string) int {
	a := &app{env: option.NewEnvironment(environ), stdin: stdin, stdout: stdout, stderr: stderr}
	return a.run(ctx, args)
}

func (a *app) run(ctx context.Context, args []string) int {
	a.stderr = &outlet{under: a.stderr}
	root, out := newRoot(a), &recorder{Writer: a.stdout}
	root.SetOut(out)
	root.SetArgs(args)
	cmd, err := a.command(ctx, root, args)
	switch {
	case err == nil && out.err == nil:
		return exit.OK
	case err == nil: // help does not say that it was not written
		a.printFailure(exit.Unwritten(out.err), &logFlags{format: "text"})
		return exit.Failed
	}
	if code, ok := errors.AsType[exit.Status](err); ok {
		return int(code)
	}
	f := exit.AsFailure(err)
	if cmd == root && len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		f = unknownCommand(root, args[0]) // whatever is wrong behind it
	}
	where := a.salvage(ctx, args)
	if cmd.Flags().Lookup("log-format") == nil {
		where.log.format = "text"
	}
	a.printFailure(f, &where.log)
	if cmd.Flags().Lookup("report") == nil { // the command ends without a report
		return f.Exit
	}
	return a.reportFailure(ctx, cmd.Name(), where, f)
}

// recorder remembers the first error of its writer.
type recorder struct {
	io.Writer
	err error
}

func (r *recorder) Write(p []byte) (n int, err error) {
	n, err = r.Writer.Write(p)
	r.err = cmp.Or(r.err, err)
	return n, err
}

// command runs the command that args name. A panic becomes an error, so that
// the report is written: exit code 2, which the Go runtime gives, would mean
// changes.
func (a *app) command(ctx context.Context, root *cobra.Command, args []string) (cmd *cobra.Command, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			_, _ = fmt.Fprintf(a.stderr, "%s\n", debug.Stack())
			if cmd, _, err = root.Find(args); err == nil {
				err = internalError(reason)
			}
		}
	}()
	return root.ExecuteContextC(ctx)
}

func internalError(reason any) *exit.Failure {
	return &exit.Failure{Exit: exit.Stopped, Code: runner.CodeInternal, Message: fmt.Sprintf("internal error: %v", reason), Hints: []string{hints[rest.Internal]}}
}

// newRoot builds the tree of commands.
func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "syncsources",
		Short: "Keep the BIconnector objects of Bitrix24 portals as manifests declare them",
		Long: `Keep the BIconnector objects of Bitrix24 portals - connectors, sources, tables -
as manifests declare them.

Credentials come from the environment, never from flags; the help of plan and
apply names the variables. Every flag has a variable too: --batch-size is
SYNCSOURCES_BATCH_SIZE. A flag that may be repeated takes a comma-separated
list there.

Exit codes: 0 done, 1 something failed or a guard refused, 2 changes (plan
--detailed-exitcode), 3 manifest, command line or credentials invalid and
nothing sent, 4 run stopped, 129/130/143 interrupted.`,
		SilenceErrors:              true,
		SilenceUsage:               true,
		SuggestionsMinimumDistance: 2,
		Args:                       cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return cmd.Help()
		},
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			err := flagFailure(option.FromEnvironment(cmd.Flags(), a.env))
			log := &logFlags{level: "warn"}
			if f := cmd.Flags().Lookup("log-format"); f != nil {
				log.format = f.Value.String()
			}
			a.warnOfVariables(cmd.Root(), log)
			return err
		},
	}
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(newValidate(a), newPlan(a), newApply(a), newExport(a), newPin(a), newLogin(a), newStatus(a), newReport(a), newSandbox(a), newSchema(a), newVersion(a))
	root.InitDefaultHelpCmd()
	checkHelpTopic(root)
	addCompletion(root)
	option.Help(root)
	return root
}

// warnOfVariables warns of each SYNCSOURCES_ variable that matches no flag but is
// near one that does.
func (a *app) warnOfVariables(root *cobra.Command, log *logFlags) {
	misspelled := option.Misspelled(root, a.env, manifest.Nearest, append(signin.StoreVariables(), varSecretHelper)...)
	for _, v := range slices.Sorted(maps.Keys(misspelled)) {
		a.warn(fmt.Sprintf("environment variable %s matches no flag; did you mean %s?", v, misspelled[v]), log)
	}
}
