package option

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// prefix begins the variables that set flags.
const prefix = "SYNCSOURCES_"

// VariableName is the variable that sets a flag.
func VariableName(flag string) string {
	return prefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// guards are the flags whose empty variable is an error and not the same as
// unset: a script that lost the value on its way must not get a run without
// the guard, or on everything instead of on a selection.
var guards = []string{"checksum", "max-changes", "max-deletes", "target", "file", "portal"}

// Error is a value that a flag does not take.
type Error struct {
	Where   string // flag --output, environment variable SYNCSOURCES_OUTPUT
	Problem string // "jsn" must be text or json
	// Word is what was written instead of one of Words; both are empty where
	// the flag takes other values than a few words.
	Word  string
	Words []string
}

func (e *Error) Error() string { return e.Where + ": " + e.Problem }

// newError says what is wrong with a value of f.
func newError(where string, f *pflag.Flag, value string, err error) *Error {
	e := &Error{Where: where, Problem: fmt.Sprintf("%q %s", value, err)}
	if f.Value.Type() == "bool" {
		e.Problem = fmt.Sprintf("%q must be true or false", value)
	}
	if none, ok := errors.AsType[*notOneOf](err); ok {
		e.Word, e.Words = value, none.words
	}
	return e
}

// FlagError returns the flag library's error about a value on the command line
// as an Error, and nil for its other errors.
func FlagError(err error) *Error {
	var value *pflag.InvalidValueError
	if !errors.As(err, &value) {
		return nil
	}
	return newError("flag --"+value.GetFlag().Name, value.GetFlag(), value.GetValue(), value.Unwrap())
}

// FromEnvironment gives each flag that the command line leaves alone the value
// of its variable. An empty variable counts as unset, except for the guards.
func FromEnvironment(set *pflag.FlagSet, e Environment) error {
	var first error
	set.VisitAll(func(f *pflag.Flag) {
		value, there := e.Lookup(VariableName(f.Name))
		if first != nil || f.Changed || f.Name == "help" {
			return
		}
		if value == "" && !(there && slices.Contains(guards, f.Name)) {
			return
		}
		if err := setFlag(f, value); err != nil {
			first = newError("environment variable "+VariableName(f.Name), f, value, err)
			return
		}
		f.Changed = true
	})
	return first
}

// setFlag sets a flag to the text of a variable: for one that may be repeated
// a comma-separated list. A list without an item, as "$A,$B" can become one,
// is refused: without targets everything is meant.
func setFlag(f *pflag.Flag, value string) error {
	if !repeatable(f) {
		return f.Value.Set(value)
	}
	if strings.Trim(value, ", \t") == "" {
		return fmt.Errorf("must be a comma-separated list with at least one item")
	}
	for _, item := range strings.Split(value, ",") {
		if item = strings.TrimSpace(item); item == "" {
			continue
		}
		if err := f.Value.Set(item); err != nil {
			return err
		}
	}
	return nil
}

// Misspelled returns the SYNCSOURCES_ variables that set no flag of any command
// and are none of known, each with the name that nearest finds to be meant.
// Those that are near none are left out: they may be somebody else's.
func Misspelled(root *cobra.Command, e Environment, nearest func(word string, among []string) string, known ...string) map[string]string {
	var names []string
	VisitCommands(root, func(c *cobra.Command) {
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			names = append(names, strings.TrimPrefix(VariableName(f.Name), prefix))
		})
	})
	slices.Sort(names)
	names = slices.Compact(names)
	misspelled := map[string]string{}
	for variable := range e.values {
		name, ours := strings.CutPrefix(variable, prefix)
		if !ours || slices.Contains(names, name) || slices.Contains(known, variable) {
			continue
		}
		if near := nearest(name, names); near != "" {
			misspelled[variable] = prefix + near
		}
	}
	return misspelled
}

// VisitCommands calls visit for c and everything below it.
func VisitCommands(c *cobra.Command, visit func(*cobra.Command)) {
	visit(c)
	for _, child := range c.Commands() {
		VisitCommands(child, visit)
	}
}
