package bitrix

import (
	"fmt"
	"strings"
	"testing"

	"syncsources/bitrix/secret"
)

func TestBatchable(t *testing.T) {
	yes, text := true, "d"
	withSetting := func(code, value string) SourceFields {
		return SourceFields{Title: "t", Settings: []Setting{{code, secret.New(value)}}}
	}
	many := SourceFields{Title: "t"}
	for i := range 1000 {
		many.Settings = append(many.Settings, Setting{fmt.Sprintf("s%d", i), secret.New("v")})
	}
	for _, tt := range []struct {
		name string
		in   SourceFields
		why  string // part of the reason; "" means batchable
	}{
		{"title, description and settings", SourceFields{Title: "t", Description: &text, Settings: withSetting("login", "x").Settings}, ""},
		{"dollar sign", withSetting("password", "pa$$word$"), ""},
		{"name of a variable without brackets", withSetting("password", "$result"), ""},
		{"white space before the bracket", withSetting("password", "$time [1]"), ""},
		{"brackets without a variable", withSetting("password", "x[1]"), ""},
		{"percent signs", withSetting("password", "100%25"), ""},
		{"code with dots and blanks inside", withSetting("a.b c", "v"), ""},
		{"active", SourceFields{Title: "t", Active: &yes}, "boolean"},
		{"reference to a result", withSetting("password", "$result[c0]"), "reference"},
		{"reference in a password", withSetting("password", "x$time[1]y"), "reference"},
		{"reference in another case", withSetting("password", "$ReSuLt[c0][id]"), "reference"},
		{"reference with characters before the bracket", withSetting("password", "$nextfoo[c0]"), "reference"},
		{"reference in the title", SourceFields{Title: "$total[c0]"}, "reference"},
		{"reference in the description", SourceFields{Title: "t", Description: ptr("a $error[c0] b")}, "reference"},
		{"code with an opening bracket", withSetting("a[b", "v"), "key"},
		{"code with a closing bracket", withSetting("a]b", "v"), "key"},
		{"empty code", withSetting("", "v"), "key"},
		{"code beginning with a blank", withSetting(" a", "v"), "key"},
		{"code with NUL", withSetting("a\x00b", "v"), "key"},
		{"code that names a variable", withSetting("$result", "v"), "key"},
		{"invalid UTF-8", withSetting("a", "\xff"), "UTF-8"},
		{"more values than PHP reads", many, "1,000"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ok, why := UpdateSource(4, tt.in).Batchable()
			if ok != (tt.why == "") || !strings.Contains(why, tt.why) {
				t.Errorf("batchable %v because %q, want a reason with %q", ok, why, tt.why)
			}
		})
	}
	for _, q := range []Query{SourcesByID([]int64{4, 6}), ListSources(Range{From: 4}), TablesByName(Tables, "crm_deals")} {
		if ok, why := q.Batchable(); !ok {
			t.Errorf("%s: %s", q.Method(), why)
		}
	}
}

func ptr[T any](v T) *T { return &v }

func TestCommandsPrintNoParameters(t *testing.T) {
	u := UpdateSource(4, SourceFields{Title: "t", Settings: []Setting{{"password", secret.New("canary-password")}}})
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		for _, v := range []any{u, &u, []Write{u}, []Command{u}, SourcesByID([]int64{31337})} {
			if got := fmt.Sprintf(verb, v); strings.Contains(got, "canary") || strings.Contains(got, "31337") || strings.Contains(got, fmt.Sprintf("%x", "canary")) {
				t.Errorf("%s of %T prints %s", verb, v, got)
			}
		}
	}
}

// What an update leaves alone is part of what the portal checks, and of what it
// may say about that.
func TestHiddenValuesAreMasked(t *testing.T) {
	s := secretsOf([]Command{UpdateSource(4, SourceFields{Title: "t", Hidden: []secret.Text{secret.New("a-live-one")}})})
	if got, want := s.Text("mysql://bi:a-live-one@db refused"), "mysql://bi:"+secret.Mask+"@db refused"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
