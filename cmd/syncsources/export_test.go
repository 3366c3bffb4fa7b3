package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"syncsources/bitrix"
	"syncsources/bitrix/rest"
	"syncsources/bitrix/sandbox"
	"syncsources/bitrix/secret"
	"syncsources/cmd/syncsources/exit"
	"syncsources/manifest"
	"syncsources/schema"
)

// FuzzExport holds that a manifest of any live source is valid and declares
// what is live, whatever the texts of the portal are made of.
func FuzzExport(f *testing.F) {
	for _, s := range []string{
		"CRM", "yes", "0123", "~", "- a: b", "#4", "&a *b", "{x: [", "a\nb", " a ", "\t", "%", "---", "...", "a\u2028b", "\ufeffa", "\u0085",
		"\x1b[31m", "'\"`", "\r\n", "<<", "null", "ключ", "😀", "\x7f", "\uffff", "a: b # c", "|", ">", "!!int 1", "\u202e",
	} {
		f.Add(s, s, s)
	}
	f.Fuzz(func(t *testing.T, title, description, code string) {
		if !utf8.ValidString(title) || !utf8.ValidString(description) || !utf8.ValidString(code) {
			t.Skip("JSON texts are valid UTF-8")
		}
		const value = "a value that must not be seen"
		live := []bitrix.Source{{
			ID: 4, Title: title, Description: description, Active: rest.True, ConnectorID: 1,
			Settings: []bitrix.Setting{{Code: code, Value: secret.New(value)}, {Code: code, Value: secret.New(value)}},
		}}
		var b, env bytes.Buffer
		ex := newExported("https://acme.bitrix24.com", live)
		if err := ex.write(&b); err != nil {
			t.Fatal(err)
		}
		if err := ex.writeEnv(&env); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(b.String()+env.String(), value) {
			t.Fatalf("the value is in\n%s\n%s", b.String(), env.String())
		}
		set, findings, err := manifest.Load([]string{"-"}, manifest.Options{Stdin: bytes.NewReader(b.Bytes()), Check: schema.Check})
		if err != nil || len(findings) > 0 || len(set.Sources) != 1 {
			t.Fatalf("%v, %v: %q", findings, err, b.String())
		}
		got := set.Sources[0]
		if got.Title != nil && *got.Title != title || got.Title == nil && title != "" && title != "0" && declarable(title) {
			t.Errorf("title %q became %v in %q", title, got.Title, b.String())
		}
		if got.Description != nil && *got.Description != description || got.Description == nil && description != "" && declarable(description) {
			t.Errorf("description %q became %v in %q", description, got.Description, b.String())
		}
		if code != "" && declarable(code) && (len(got.Settings) != 1 || got.Settings[0].Code != code) {
			t.Errorf("setting %q became %v in %q", code, got.Settings, b.String())
		}
		for i, line := range strings.Split(strings.TrimSuffix(env.String(), "\n"), "\n") {
			if comment := strings.HasPrefix(line, "#"); env.Len() > 0 && comment != (i%2 == 0) {
				t.Errorf("template %q", env.String())
			}
		}
	})
}

func TestVariableNamesAreUniqueAndLegal(t *testing.T) {
	taken := map[string]bool{}
	for _, c := range []struct{ code, want string }{
		{"password", "SOURCE_4_PASSWORD"}, {"Password", "SOURCE_4_PASSWORD_2"}, {"api-key", "SOURCE_4_API_KEY"},
		{"ключ", "SOURCE_4_SETTING"}, {"", "SOURCE_4_SETTING_2"}, {"a[b]", "SOURCE_4_A_B"},
	} {
		if got := variableName(4, c.code, taken); got != c.want {
			t.Errorf("variable of %q is %s, want %s", c.code, got, c.want)
		}
	}
}

// What a manifest cannot declare is named in a comment.
func TestExportNamesWhatCannotBeDeclared(t *testing.T) {
	live := []bitrix.Source{
		{ID: 4, Title: "0", Active: rest.True, Settings: []bitrix.Setting{{Code: "empty"}, {Code: "c\x00d", Value: secret.New("s")}}},
		{ID: 5, Title: "a\x00b", Active: rest.True},
	}
	var b bytes.Buffer
	if err := newExported("", live).write(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`# its title, "0", cannot be declared`, `# its title, "a\x00b", cannot be declared`, `# the setting "empty" is left out: it has no value`, `# the setting "c\x00d" is left out: it cannot be declared`} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	if _, findings, err := manifest.Load([]string{"-"}, manifest.Options{Stdin: &b, Check: schema.Check}); err != nil || len(findings) > 0 {
		t.Errorf("%v, %v", findings, err)
	}
}

// exportFrom exports from a portal behind handler.
func exportFrom(t *testing.T, handler http.Handler, flags ...string) result {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return program(t.Context(), []string{"B24_PORTAL_URL=" + server.URL, "B24_ACCESS_TOKEN=" + sandbox.AccessToken}, append([]string{"export"}, flags...)...)
}

// A source that cannot be read is left out, and told in the form of the log.
func TestExportLeavesBrokenSourcesOut(t *testing.T) {
	portal := onePage(`[{"id": "4", "title": {}, "connectorId": "1"}, {"id": "5", "title": "T", "description": "", "active": true, "settings": [], "connectorId": "1"}]`)
	for want, flags := range map[string][]string{"error: source #4 is left out: ": nil, `"msg":"source #4 is left out: `: {"--log-format", "json"}} {
		got := exportFrom(t, portal, flags...)
		if got.code != exit.Failed || !strings.Contains(got.stderr, want) || strings.Count(got.stdout, "- id: ") != 1 {
			t.Errorf("%v: exit code %d, standard output %q, standard error %q", flags, got.code, got.stdout, got.stderr)
		}
	}
}

// More sources than a page, a batch of pages, and a round number of them.
func TestExportReadsAllPages(t *testing.T) {
	for _, n := range []int{0, 49, 50, 51, 300} {
		state := &sandbox.State{Connectors: []sandbox.Connector{{ID: 1, Title: "SQL"}}}
		for id := range n {
			state.Sources = append(state.Sources, sandbox.Source{ID: int64(id + 1), Title: "T", ConnectorID: 1})
		}
		portal, err := sandbox.New(state)
		if err != nil {
			t.Fatal(err)
		}
		got := exportFrom(t, portal)
		if count := strings.Count(got.stdout, "- id: "); got.code != exit.OK || count != n {
			t.Errorf("of %d sources %d came, exit code %d: %s", n, count, got.code, got.stderr)
		}
		_ = portal.Close()
	}
}

// A portal that heeds neither order nor ranges must neither be read for ever nor be
// taken for complete.
func TestExportFromListThatNeverEnds(t *testing.T) {
	requests := 0
	got := exportFrom(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if requests++; requests > 100 {
			http.Error(w, "enough", http.StatusTeapot)
			return
		}
		var page strings.Builder
		for id := 1; id <= bitrix.PageSize; id++ {
			_, _ = fmt.Fprintf(&page, `,{"id": "%d", "title": "T", "description": "", "active": true, "settings": [], "connectorId": "1"}`, requests*1000+id)
		}
		onePage("["+page.String()[1:]+"]").ServeHTTP(w, r)
	}))
	if got.code != exit.Stopped || got.stdout != "" || !strings.Contains(got.stderr, "order by id") {
		t.Errorf("exit code %d, standard output %q, standard error %q", got.code, got.stdout, got.stderr)
	}
}

// onePage is a portal that answers each list of sources with the same one, and
// has nothing else.
func onePage(list string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		answer := func(method string) string {
			if strings.Contains(method, "source.list") {
				return list
			}
			return "[]"
		}
		if !strings.HasSuffix(r.URL.Path, "batch") {
			_, _ = fmt.Fprintf(w, `{"result": %s}`, answer(r.URL.Path))
			return
		}
		var in struct {
			Cmd map[string]string `json:"cmd"`
		}
		_ = json.Unmarshal(body, &in)
		var pages strings.Builder
		for key := range len(in.Cmd) {
			_, _ = fmt.Fprintf(&pages, `,"c%d": %s`, key, answer(in.Cmd[fmt.Sprintf("c%d", key)]))
		}
		_, _ = fmt.Fprintf(w, `{"result": {"result": {%s}, "result_error": []}}`, pages.String()[1:])
	})
}
