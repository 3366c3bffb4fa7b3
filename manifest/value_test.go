package manifest_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"text/template"

	"gopkg.in/yaml.v3"

	"syncsources/manifest"
)

// TestValuePrintsNothing puts a value wherever it could be printed by mistake.
func TestValuePrintsNothing(t *testing.T) {
	const secret = "s3cr3t-\x01-пароль"
	v := manifest.Literal(secret)
	type exported struct{ Value manifest.Value }
	type hidden struct {
		value manifest.Value
		list  []manifest.Value
		byKey map[string]manifest.Value
	}
	things := map[string]any{
		"value":          v,
		"pointer":        &v,
		"slice":          []manifest.Value{v},
		"map":            map[string]manifest.Value{"k": v},
		"exported field": exported{v},
		"hidden field":   hidden{v, []manifest.Value{v}, map[string]manifest.Value{"k": v}},
		"source":         manifest.Source{Settings: []manifest.Setting{{Code: "password", Value: v}}},
		"setting":        manifest.Setting{Code: "password", Value: v},
		"error":          fmt.Errorf("failed: %w", errors.New(fmt.Sprint(v))),
	}
	leaks := []string{secret, "s3cr3t", fmt.Sprintf("%x", "s3cr3t"), fmt.Sprintf("%X", "s3cr3t"), "115 51 99"}
	check := func(t *testing.T, how, out string) {
		t.Helper()
		for _, leak := range leaks {
			if strings.Contains(out, leak) {
				t.Errorf("%s prints the value: %q", how, out)
			}
		}
	}
	for name, thing := range things {
		t.Run(name, func(t *testing.T) {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%T", "%c", "% x", "%20v", "%.3s"} {
				check(t, verb, fmt.Sprintf(verb, thing))
			}
			if out, err := json.Marshal(thing); err == nil {
				check(t, "json", string(out))
			}
			if out, err := yaml.Marshal(thing); err == nil {
				check(t, "yaml", string(out))
			}
			if out, err := xml.Marshal(thing); err == nil {
				check(t, "xml", string(out))
			}
			var logged bytes.Buffer
			slog.New(slog.NewTextHandler(&logged, nil)).Info("m", "thing", thing)
			slog.New(slog.NewJSONHandler(&logged, nil)).Info("m", "thing", thing)
			check(t, "slog", logged.String())
			var shown bytes.Buffer
			if err := template.Must(template.New("").Parse("{{.}}")).Execute(&shown, thing); err == nil {
				check(t, "template", shown.String())
			}
		})
	}
	if got := fmt.Sprint(v) + fmt.Sprintf("%#v", v) + v.String(); got != strings.Repeat("(sensitive)", 3) {
		t.Errorf("got %q instead of the mask", got)
	}
	if v.Text().Plain() != secret {
		t.Error("the text itself is lost")
	}
	if (manifest.Value{}).Text().Plain() != "" || (manifest.Value{}).IsReference() {
		t.Error("the zero value is not the empty text")
	}
}
