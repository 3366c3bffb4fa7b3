package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"syncsources/manifest"
)

// app is what a command needs of the process around it.
type app struct {
	env    environment
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	// transport carries the requests to the portal and to the authorization
	// server; nil means the network. Tests put a portal in its place.
	transport http.RoundTripper
}

// run is the whole program: it runs the command that args name and returns the
// exit code.
func run(ctx context.Context, environ []string, stdin io.Reader, stdout, stderr io.Writer, args []string) int {
	a := &app{env: newEnvironment(environ), stdin: stdin, stdout: stdout, stderr: stderr}
	return a.run(ctx, args)
}

func (a *app) run(ctx context.Context, args []string) int {
	root := newRoot(a)
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	var code ended
	if errors.As(err, &code) {
		return int(code)
	}
	f := asFailure(err)
	given := a.reread(args)
	if cmd.Flags().Lookup("log-format") == nil {
		given.logFlags.format = "text"
	}
	a.complain(f, &given.logFlags)
	if cmd.Flags().Lookup("report") == nil { // the command ends without a report
		return f.exit
	}
	return a.reportFailure(ctx, cmd.Name(), given, f)
}

// newRoot builds the tree of commands.
func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "syncsources",
		Short: "Keep the BIconnector sources of a Bitrix24 portal as manifests declare them",
		Long: `Keep the BIconnector sources of a Bitrix24 portal as manifests declare them.

Credentials come from the environment (B24_WEBHOOK_URL, or B24_PORTAL_URL with
B24_ACCESS_TOKEN, ...), never from flags. Every flag has an environment
variable: --batch-size is SYNCSOURCES_BATCH_SIZE; flags that may be repeated
take a comma-separated list there.

Exit codes: 0 done, 1 a source failed or a guard refused, 2 changes (plan
--detailed-exitcode), 3 manifest or command line invalid and nothing sent,
4 run stopped, 130/143 interrupted.`,
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
			err := setFromEnvironment(cmd, a.env)
			log := &logFlags{level: "warn"}
			if f := cmd.Flags().Lookup("log-format"); f != nil {
				log.format = f.Value.String()
			}
			for _, warning := range misspelledVariables(cmd.Root(), a.env) {
				a.warn(warning, log)
			}
			return err
		},
	}
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(newValidate(a), newPlan(a), newApply(a), newExport(a), newLogin(a), newSandbox(a), newSchema(a), newVersion(a))
	addCompletion(root)
	adjustHelp(root)
	return root
}

// adjustHelp wraps the descriptions of flags, and makes help about a command
// that does not exist a mistake.
func adjustHelp(root *cobra.Command) {
	const columns = 100
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), "Flags.FlagUsages", fmt.Sprintf("Flags.FlagUsagesWrapped %d", columns)))
	root.InitDefaultHelpCmd()
	visitCommands(root, func(c *cobra.Command) {
		if c.Name() != "help" {
			return
		}
		c.RunE = func(_ *cobra.Command, args []string) error {
			about, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return unknownCommand(root, strings.Join(args, " "))
			}
			return about.Help()
		}
	})
}

// unknownCommand reports a command that does not exist.
func unknownCommand(cmd *cobra.Command, name string) error {
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return invalid(codeCommandLine, fmt.Sprintf("unknown command %q", name), didYouMean(name, names, "the commands are "+enumerate(names, "or")))
}

// didYouMean is a line of advice: the nearest name, else what there is.
func didYouMean(word string, names []string, otherwise string) string {
	if near := manifest.Nearest(word, names); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return otherwise
}

// flagError turns the flag library's errors into failures with advice.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) {
		name := unknown.GetSpecifiedName()
		if unknown.GetSpecifiedShortnames() != "" {
			return invalid(codeCommandLine, fmt.Sprintf("unknown flag -%s", name), helpAdvice(cmd))
		}
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		if near := manifest.Nearest(name, names); near != "" {
			return invalid(codeCommandLine, fmt.Sprintf("unknown flag --%s", name), fmt.Sprintf("did you mean --%s?", near))
		}
		return invalid(codeCommandLine, fmt.Sprintf("unknown flag --%s", name), helpAdvice(cmd))
	}
	var value *pflag.InvalidValueError
	if errors.As(err, &value) {
		return invalid(codeCommandLine, fmt.Sprintf("flag --%s: %s", value.GetFlag().Name, flagProblem(value.GetFlag(), value.GetValue(), value.Unwrap())))
	}
	return invalid(codeCommandLine, err.Error(), helpAdvice(cmd))
}

// flagProblem says what is wrong with a flag's value.
func flagProblem(f *pflag.Flag, value string, err error) string {
	switch f.Value.Type() {
	case "bool":
		return fmt.Sprintf("%q must be true or false", value)
	case kindSecret:
		return err.Error()
	}
	return fmt.Sprintf("%q %s", value, err)
}

func helpAdvice(cmd *cobra.Command) string {
	return fmt.Sprintf("see %s --help", cmd.CommandPath())
}

// atLeastOnePath demands paths of manifests.
func atLeastOnePath(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return invalid(codeCommandLine, cmd.Name()+" needs at least one path: a file, a directory, or - for standard input", helpAdvice(cmd))
	}
	return nil
}

// noArguments demands that there are none.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return invalid(codeCommandLine, fmt.Sprintf("%s takes no argument, but got %q", strings.TrimPrefix(cmd.CommandPath(), "syncsources "), args[0]), helpAdvice(cmd))
	}
	return nil
}
