package option

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestValues(t *testing.T) {
	check := func(name string, parse func(string) error, good, bad []string, says string) {
		t.Helper()
		for _, text := range good {
			if err := parse(text); err != nil {
				t.Errorf("%s refuses %q: %v", name, text, err)
			}
		}
		for _, text := range bad {
			if err := parse(text); err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("%s of %q says %v, want %q", name, text, err, says)
			}
		}
	}
	check("integer", func(s string) error { _, err := Integer(1, 50)(s); return err },
		[]string{"1", "50"}, []string{"0", "-1", "51", "", "x", "1.0", "99999999999999999999"}, "an integer from 1 to 50")
	check("integer without an end", func(s string) error { _, err := Integer(1, math.MaxInt)(s); return err },
		[]string{"1", "100000"}, []string{"0", "-3"}, "an integer of at least 1")
	check("rate", func(s string) error { _, err := Rate(s); return err },
		[]string{"2", "0.5"}, []string{"0", "-1", "NaN", "Inf", "1e999", "fast"}, "above 0")
	check("duration", func(s string) error { _, err := Duration(s); return err },
		[]string{"30m", "1.5s"}, []string{"0", "-1s", "5", ""}, "above 0")
	check("durationOrZero", func(s string) error { _, err := DurationOrZero(s); return err },
		[]string{"0", "0s", "480s"}, []string{"-1s", "5", ""}, "or 0")
	check("choice", func(s string) error { _, err := Choice("text", "json")(s); return err },
		[]string{"text", "JSON"}, []string{"", "xml"}, "must be text or json")
}

func TestFlagValueKeepsTheLastGoodText(t *testing.T) {
	d := time.Minute
	v := &value[time.Duration]{target: &d, parse: Duration, text: "1m"}
	if err := v.Set("nonsense"); err == nil || v.String() != "1m" || d != time.Minute {
		t.Errorf("after a bad value: %v, %q, %v", err, v.String(), d)
	}
	if err := v.Set("2m"); err != nil || v.String() != "2m" || d != 2*time.Minute {
		t.Errorf("after a good value: %v, %q, %v", err, v.String(), d)
	}
}

func TestEnumerate(t *testing.T) {
	for want, words := range map[string][]string{"": nil, "a": {"a"}, "a or b": {"a", "b"}, "a, b or c": {"a", "b", "c"}} {
		if got := Enumerate(words, "or"); got != want {
			t.Errorf("Enumerate(%q) = %q, want %q", words, got, want)
		}
	}
}
