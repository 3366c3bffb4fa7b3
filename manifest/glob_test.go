package manifest

import (
	"strings"
	"testing"
	"time"
)

func TestMatch(t *testing.T) {
	for pattern, names := range map[string]struct{ fit, other []string }{
		"crm":       {[]string{"crm"}, []string{"crm2", "CRM", ""}},
		"*":         {[]string{"", "a/b", "Продажи"}, nil},
		"Finance *": {[]string{"Finance 1", "Finance "}, []string{"Finance", "My Finance 1"}},
		"*sales*":   {[]string{"sales", "eu sales 2"}, []string{"sale"}},
		"a?c":       {[]string{"abc", "aяc"}, []string{"ac", "abbc"}},
		"CRM*":      {[]string{"CRM", "CRM\nold"}, []string{"a CRM"}},
		"a.b":       {[]string{"a.b"}, []string{"axb"}},
		"[x]":       {[]string{"[x]"}, []string{"x"}},
		"a*b*c":     {[]string{"abc", "aXbYbZc"}, []string{"acb"}},
		"":          {[]string{""}, []string{"a"}},
	} {
		for _, name := range names.fit {
			if !Match(pattern, name) {
				t.Errorf("%q does not match %q", pattern, name)
			}
		}
		for _, name := range names.other {
			if Match(pattern, name) {
				t.Errorf("%q matches %q", pattern, name)
			}
		}
	}
}

// A pattern out of a variable must not hang a run.
func TestMatchOfManyStars(t *testing.T) {
	begin := time.Now()
	if Match(strings.Repeat("a*", 200)+"b", strings.Repeat("a", 5000)) {
		t.Error("it matches")
	}
	if passed := time.Since(begin); passed > 5*time.Second {
		t.Errorf("it took %v", passed)
	}
}
