package option

import (
	"fmt"
	"math"
	"net"
	"strconv"
	"strings"
	"time"
)

// The functions of this file check the text of a flag. Their errors read as
// the end of a sentence that begins with the text.

// Integer parses integers from least to most.
func Integer(least, most int) func(string) (int, error) {
	return func(text string) (int, error) {
		n, err := strconv.Atoi(text)
		if err != nil || n < least || n > most {
			if most == math.MaxInt {
				return 0, fmt.Errorf("must be an integer of at least %d", least)
			}
			return 0, fmt.Errorf("must be an integer from %d to %d", least, most)
		}
		return n, nil
	}
}

// Rate parses a number of requests a second.
func Rate(text string) (float64, error) {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || !(n > 0) || math.IsInf(n, 0) {
		return 0, fmt.Errorf("must be a number above 0, like 2 or 0.5")
	}
	return n, nil
}

// Duration parses a length of time above zero.
func Duration(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("must be a duration above 0, like 90s or 30m")
	}
	return d, nil
}

// DurationOrZero parses a length of time that may be zero.
func DurationOrZero(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("must be a duration, like 90s or 30m, or 0")
	}
	return d, nil
}

// Path refuses the empty text: a script that lost a path on its way must not
// run against the real portal for want of a sandbox, nor open the working
// directory to manifests.
func Path(what string) func(string) (string, error) {
	return Text("the path of " + what)
}

// Text takes any text that is not empty, nor only white space.
func Text(what string) func(string) (string, error) {
	return func(text string) (string, error) {
		if strings.TrimSpace(text) == "" {
			return "", fmt.Errorf("must be %s", what)
		}
		return text, nil
	}
}

// Address takes a host and a port to listen on.
func Address(text string) (string, error) {
	if _, port, err := net.SplitHostPort(text); err != nil || port == "" {
		return "", fmt.Errorf("must be a host and a port, like 127.0.0.1:8924")
	}
	return text, nil
}

// notOneOf is the error of a word that is not one of those known.
type notOneOf struct{ words []string }

func (e *notOneOf) Error() string { return "must be " + Enumerate(e.words, "or") }

// Choice parses one of the words.
func Choice(words ...string) func(string) (string, error) {
	return func(text string) (string, error) {
		for _, w := range words {
			if strings.EqualFold(text, w) {
				return w, nil
			}
		}
		return "", &notOneOf{words}
	}
}

// Enumerate joins words as a sentence does, with "and" or "or" before the last
// one: a, b or c.
func Enumerate(words []string, conjunction string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " " + conjunction + " " + words[len(words)-1]
}
