package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"syncsources/manifest"
)

// kindSecret is the kind of flags whose values may hold a password: messages do
// not repeat them.
const kindSecret = "URL"

// flagValue is a flag's value that is checked when it is set, from the command
// line and from the environment alike. It implements pflag.Value.
type flagValue[T any] struct {
	target *T
	kind   string // what the help shows: int, duration, ...
	parse  func(string) (T, error)
	text   string   // as it was set
	words  []string // all that parse takes, if these are few, for completion
}

func (v *flagValue[T]) String() string { return v.text }
func (v *flagValue[T]) Type() string   { return v.kind }

func (v *flagValue[T]) Set(text string) error {
	parsed, err := v.parse(text)
	if err != nil {
		return err
	}
	*v.target, v.text = parsed, text
	return nil
}

// addFlag defines a flag with a checked value. initial must be a text that
// parse takes; the empty one leaves target as it is.
func addFlag[T any](set *pflag.FlagSet, target *T, name, kind, initial, usage string, parse func(string) (T, error)) {
	v := &flagValue[T]{target: target, kind: kind, parse: parse}
	if initial != "" {
		if err := v.Set(initial); err != nil {
			panic(fmt.Sprintf("default of --%s: %v", name, err)) // a mistake in this package
		}
	}
	set.Var(v, name, usage)
}

// addChoice defines a flag that takes one of the words.
func addChoice(set *pflag.FlagSet, target *string, name, kind, initial, usage string, words ...string) {
	addFlag(set, target, name, kind, initial, usage, choice(words...))
	set.Lookup(name).Value.(*flagValue[string]).words = words
}

// listValue is the checked value of a flag that may be repeated.
type listValue[T any] struct {
	target *[]T
	kind   string
	parse  func(string) (T, error)
}

func (v *listValue[T]) String() string { return strings.Trim(fmt.Sprint(*v.target), "[]") }
func (v *listValue[T]) Type() string   { return v.kind }

func (v *listValue[T]) Set(text string) error {
	parsed, err := v.parse(text)
	if err == nil {
		*v.target = append(*v.target, parsed)
	}
	return err
}

// repeatable reports whether a flag may be repeated.
func repeatable(f *pflag.Flag) bool {
	switch f.Value.(type) {
	case pflag.SliceValue, *listValue[int], *listValue[string]:
		return true
	}
	return false
}

// integer parses integers from 1 to most.
func integer(most int) func(string) (int, error) {
	return func(text string) (int, error) {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > most {
			if most == math.MaxInt {
				return 0, fmt.Errorf("must be an integer of at least 1")
			}
			return 0, fmt.Errorf("must be an integer from 1 to %d", most)
		}
		return n, nil
	}
}

// rate parses a number of requests a second.
func rate(text string) (float64, error) {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || !(n > 0) || math.IsInf(n, 0) {
		return 0, fmt.Errorf("must be a number above 0, like 2 or 0.5")
	}
	return n, nil
}

// duration parses a length of time above zero.
func duration(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("must be a duration above 0, like 90s or 30m")
	}
	return d, nil
}

// durationOrZero parses a length of time that may be zero.
func durationOrZero(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("must be a duration, like 90s or 30m, or 0")
	}
	return d, nil
}

// choice parses one of the words.
func choice(words ...string) func(string) (string, error) {
	return func(text string) (string, error) {
		for _, w := range words {
			if strings.EqualFold(text, w) {
				return w, nil
			}
		}
		message := "must be " + enumerate(words, "or")
		if near := manifest.Nearest(text, words); near != "" {
			message += fmt.Sprintf("; did you mean %q?", near)
		}
		return "", fmt.Errorf("%s", message)
	}
}

// enumerate joins words as a sentence does, with "and" or "or" before the last
// one: a, b or c.
func enumerate(words []string, conjunction string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " " + conjunction + " " + words[len(words)-1]
}
