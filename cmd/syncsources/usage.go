package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"syncsources/cmd/syncsources/exit"
	"syncsources/cmd/syncsources/option"
	"syncsources/manifest"
)

// checkHelpTopic makes help about a command that does not exist a mistake.
func checkHelpTopic(root *cobra.Command) {
	option.VisitCommands(root, func(c *cobra.Command) {
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
func unknownCommand(cmd *cobra.Command, name string) *exit.Failure {
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return exit.Refuse(exit.CodeCommandLine, fmt.Sprintf("unknown command %q", name), didYouMean(name, names, "the commands are "+option.Enumerate(names, "and")))
}

// didYouMean is a hint: the nearest name, else what there is.
func didYouMean(word string, names []string, otherwise string) string {
	if near := manifest.Nearest(word, names); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return otherwise
}

// flagError turns the flag library's errors into failures with hints.
func flagError(cmd *cobra.Command, err error) error {
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		name := unknown.GetSpecifiedName()
		if unknown.GetSpecifiedShortnames() != "" {
			return exit.Refuse(exit.CodeCommandLine, fmt.Sprintf("unknown flag -%s", name), helpHint(cmd))
		}
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		if near := manifest.Nearest(name, names); near != "" {
			return exit.Refuse(exit.CodeCommandLine, fmt.Sprintf("unknown flag --%s", name), fmt.Sprintf("did you mean --%s?", near))
		}
		hint := helpHint(cmd)
		if command, _, err := cmd.Root().Find([]string{name}); err == nil && command.HasParent() {
			hint = fmt.Sprintf("%s is a command: syncsources %s", name, name)
		}
		return exit.Refuse(exit.CodeCommandLine, fmt.Sprintf("unknown flag --%s", name), hint)
	}
	if value := option.FlagError(err); value != nil {
		return flagFailure(value)
	}
	return exit.Refuse(exit.CodeCommandLine, err.Error(), helpHint(cmd))
}

// flagFailure is the failure of a flag with a value that it does not take.
func flagFailure(err error) error {
	var e *option.Error
	if !errors.As(err, &e) {
		return err
	}
	f := exit.Refuse(exit.CodeCommandLine, e.Error())
	if near := manifest.Nearest(e.Word, e.Words); e.Word != "" && near != "" {
		f.Hints = []string{fmt.Sprintf("did you mean %q?", near)}
	}
	return f
}

func helpHint(cmd *cobra.Command) string {
	return fmt.Sprintf("see %s --help", cmd.CommandPath())
}

// atLeastOnePath demands paths of manifests.
func atLeastOnePath(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return exit.Refuse(exit.CodeCommandLine, cmd.Name()+" needs at least one path: a file, a directory, or - for standard input", helpHint(cmd))
	}
	return nil
}

// noArguments demands that there are none.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return exit.Refuse(exit.CodeCommandLine, fmt.Sprintf("%s takes no argument, but got %q", strings.TrimPrefix(cmd.CommandPath(), "syncsources "), args[0]), helpHint(cmd))
	}
	return nil
}
