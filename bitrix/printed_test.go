package bitrix_test

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/oauth2"
	"gopkg.in/yaml.v3"

	"syncsources/bitrix"
	"syncsources/bitrix/rest"
	"syncsources/bitrix/secret"
)

// canary is in every place of a value that may hold a secret.
const canary = "canary-7f3a"

// TestNothingPrintsASecret prints a value of every exported type in all verbs,
// and as JSON, YAML and log lines: by itself and where fmt may not ask a type
// how to print, inside unexported fields. A new type needs a value here.
func TestNothingPrintsASecret(t *testing.T) {
	hook, err := bitrix.Webhook("https://portal.example/rest/1/" + canary + "/")
	if err != nil {
		t.Fatal(err)
	}
	app, err := bitrix.Application("https://portal.example", oauth2.StaticTokenSource(&oauth2.Token{AccessToken: canary, RefreshToken: canary}), secret.New(canary))
	if err != nil {
		t.Fatal(err)
	}
	hidden, text := secret.New(canary), canary
	setting := bitrix.Setting{Code: "password", Value: hidden}
	source := bitrix.Source{ID: 4, Settings: []bitrix.Setting{setting}}
	fields := bitrix.SourceFields{Title: "t", Settings: []bitrix.Setting{setting}, Hidden: []secret.Text{hidden}}
	write := bitrix.UpdateSource(4, fields)
	live := json.RawMessage(`[{"id":4,"settings":[{"code":"password","value":"` + canary + `"}]}]`)
	reply := bitrix.Reply{Result: live}
	failure := &rest.Error{Code: "X", Message: rest.Scrub(canary).Text("you sent " + canary)}
	column := bitrix.Column{Name: "ID"}
	values := map[string][]any{
		"secret.Text": {hidden},

		"rest.Answer": {rest.Answer{Result: live}}, "rest.Code": {rest.Network}, "rest.DecodeError": {rest.DecodeError("x")}, "rest.Error": {*failure},
		"rest.Int": {rest.Int(4)}, "rest.Param": {rest.Param{Key: "password", Value: text}}, "rest.Params": {rest.Params{{Key: "password", Value: text}}},
		"rest.Reaction": {rest.Held}, "rest.Scrubber": {rest.Scrub(canary)}, "rest.Text": {rest.Text("t")}, "rest.Time": {rest.Time{}}, "rest.Tristate": {rest.True},

		"bitrix.Client": {bitrix.New(bitrix.Config{Credentials: hook})}, "bitrix.Reader": {bitrix.NewReader(bitrix.Config{Credentials: app})},
		"bitrix.Column": {column}, "bitrix.ColumnChanges": {bitrix.ColumnChanges{Add: []bitrix.Column{column}}}, "bitrix.ColumnVisibility": {bitrix.ColumnVisibility{ID: 7}},
		"bitrix.Config":    {bitrix.Config{Credentials: hook}, bitrix.Config{Credentials: app}},
		"bitrix.Connector": {bitrix.Connector{ID: 12}}, "bitrix.ConnectorFields": {bitrix.ConnectorFields{}}, "bitrix.Counters": {bitrix.Counters{}},
		"bitrix.Credentials": {hook, app}, "bitrix.Family": {bitrix.Tables}, "bitrix.Identity": {bitrix.Identity{Name: "A B"}},
		"bitrix.List": {bitrix.List[bitrix.Source]{Items: []bitrix.Source{source}, Broken: map[int64]error{4: failure}}}, "bitrix.Query": {bitrix.SourcesByID([]int64{4})},
		"bitrix.Range": {bitrix.Range{From: 4}}, "bitrix.Reply": {reply, bitrix.Reply{Err: failure}}, "bitrix.Response": {bitrix.Response{Replies: []bitrix.Reply{reply}}},
		"bitrix.Setting": {setting}, "bitrix.SettingType": {bitrix.SettingType{Code: "password"}}, "bitrix.Source": {source}, "bitrix.SourceFields": {fields},
		"bitrix.Table": {bitrix.Table{ID: 31}}, "bitrix.TableFields": {bitrix.TableFields{}}, "bitrix.Write": {write, bitrix.AddSource(fields)},
	}
	for _, name := range append(append(exported(t, "secret", "secret"), exported(t, "rest", "rest")...), exported(t, ".", "bitrix")...) {
		if values[name] == nil {
			t.Errorf("no value of %s is printed here", name)
		}
	}
	for name, list := range values {
		for _, v := range list {
			if got := allForms(v); mentions(got, canary) {
				t.Errorf("%s prints %s", name, around(got))
			}
			// What holds raw answers and parameters says so itself, where it is
			// asked; all else must be safe unasked as well.
			switch v.(type) {
			case rest.Answer, rest.Param, rest.Params, bitrix.Reply, bitrix.Response:
				continue
			}
			if got := allForms(struct{ inner any }{v}); mentions(got, canary) {
				t.Errorf("%s in an unexported field prints %s", name, around(got))
			}
		}
	}
}

// allForms prints v in every way there is.
func allForms(v any) string {
	var b strings.Builder
	things := []any{v, []any{v}, map[string]any{"k": v}, struct{ Shown any }{v}}
	if reflect.TypeOf(v).Kind() != reflect.Pointer {
		p := reflect.New(reflect.TypeOf(v))
		p.Elem().Set(reflect.ValueOf(v))
		things = append(things, p.Interface())
	}
	for _, thing := range things {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%c", "%U", "%e"} {
			fmt.Fprintf(&b, verb+"\n", thing)
		}
		j, _ := json.Marshal(thing)
		b.Write(j)
		func() {
			defer func() { _ = recover() }() // YAML knows no functions
			y, _ := yaml.Marshal(thing)
			b.Write(y)
		}()
		for _, h := range []slog.Handler{slog.NewTextHandler(&b, nil), slog.NewJSONHandler(&b, nil)} {
			slog.New(h).Info("x", "thing", thing)
		}
	}
	return b.String()
}

// mentions reports whether text holds s, plainly or in hexadecimal.
func mentions(text, s string) bool {
	text = strings.ToLower(text)
	return strings.Contains(text, s) || strings.Contains(text, hex.EncodeToString([]byte(s))) ||
		strings.Contains(text, strings.Trim(fmt.Sprint([]byte(s)), "[]"))
}

// around is the line of a text that holds the secret.
func around(text string) string {
	for line := range strings.Lines(text) {
		if mentions(line, canary) {
			return line[:min(len(line), 500)]
		}
	}
	return text
}

// exported lists the exported types of a package that are not interfaces.
func exported(t *testing.T, dir, name string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, s := range g.Specs {
				if spec, ok := s.(*ast.TypeSpec); ok && spec.Name.IsExported() {
					if _, isInterface := spec.Type.(*ast.InterfaceType); !isInterface {
						names = append(names, name+"."+spec.Name.Name)
					}
				}
			}
		}
	}
	return names
}
