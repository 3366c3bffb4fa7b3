package option

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"
)

// value is a flag's value that is checked when it is set, from the command
// line and from the environment alike. It implements pflag.Value.
type value[T any] struct {
	target *T
	kind   string // what the help shows: N, duration, ...
	parse  func(string) (T, error)
	text   string   // as it was set
	words  []string // all that parse takes, if these are few, for completion
}

func (v *value[T]) String() string { return v.text }
func (v *value[T]) Type() string   { return v.kind }

func (v *value[T]) Set(text string) error {
	parsed, err := v.parse(text)
	if err != nil {
		return err
	}
	*v.target, v.text = parsed, text
	return nil
}

// Add defines a flag with a checked value. initial must be a text that parse
// takes; the empty one leaves target as it is.
func Add[T any](set *pflag.FlagSet, target *T, name, kind, initial, usage string, parse func(string) (T, error)) {
	v := &value[T]{target: target, kind: kind, parse: parse}
	if initial != "" {
		if err := v.Set(initial); err != nil {
			panic(fmt.Sprintf("default of --%s: %v", name, err)) // a mistake of the caller
		}
	}
	set.Var(v, name, usage)
}

// AddChoice defines a flag that takes one of the words. The first is the
// default; an empty first word means no default. short may be empty.
func AddChoice(set *pflag.FlagSet, target *string, name, short, kind, usage string, words ...string) {
	initial := words[0]
	if initial == "" {
		words = words[1:]
	}
	*target = initial
	set.VarP(&value[string]{target: target, kind: kind, parse: Choice(words...), text: initial, words: words}, name, short, usage)
}

// list is the checked value of a flag that may be repeated.
type list[T any] struct {
	target *[]T
	kind   string
	parse  func(string) (T, error)
}

func (v *list[T]) String() string { return strings.Trim(fmt.Sprint(*v.target), "[]") }
func (v *list[T]) Type() string   { return v.kind }
func (v *list[T]) repeatable()    {}

func (v *list[T]) Set(text string) error {
	parsed, err := v.parse(text)
	if err == nil {
		*v.target = append(*v.target, parsed)
	}
	return err
}

// AddList defines a flag that may be repeated. Its help says so.
func AddList[T any](set *pflag.FlagSet, target *[]T, name, kind, usage string, parse func(string) (T, error)) {
	set.Var(&list[T]{target, kind, parse}, name, usage+" (repeatable)")
}

// repeatable reports whether a flag may be repeated.
func repeatable(f *pflag.Flag) bool {
	_, ok := f.Value.(interface{ repeatable() })
	return ok
}
