package manifest_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"syncsources/manifest"
)

const withSecrets = `version: 1
sources:
  - id: 1
    settings: {password: {secret: crm/api-key}, token: {secret: other}, again: {secret: crm/api-key}, login: {env: L}}
  - {id: 2, settings: {password: {secret: second}}}
`

// helper is a secret helper that prints the same whatever it is asked.
func helper(printed string, asked *[]string) func(context.Context, []byte) ([]byte, error) {
	return func(_ context.Context, keys []byte) ([]byte, error) {
		*asked = append(*asked, string(keys))
		return []byte(printed), nil
	}
}

func TestSecretHelperIsAskedOnce(t *testing.T) {
	var asked []string
	r := manifest.Resolver{
		LookupEnv:    environment(map[string]string{"L": "login"}),
		SecretHelper: helper(`{"crm/api-key": "s3cret\n", "other": "x", "second": "y", "more": "z"}`, &asked),
	}
	resolved, found := r.Resolve(t.Context(), parse(t, withSecrets), nil)
	if len(found) > 0 || len(asked) != 1 || asked[0] != "crm/api-key\nother\nsecond\n" {
		t.Fatalf("asked %q, found %v", asked, found)
	}
	if got := show(resolved.Sources[0]); got != `#1 1 password="s3cret\n"(reference) token="x"(reference) again="s3cret\n"(reference) login="login"(reference)` {
		t.Errorf("got %s", got)
	}
	asked = nil
	if _, found := r.Resolve(t.Context(), parse(t, withSecrets), func(o manifest.Object) bool { return o.ID == 2 }); len(found) > 0 || len(asked) != 1 || asked[0] != "second\n" {
		t.Errorf("of one source: asked %q, found %v", asked, found)
	}
	asked = nil
	if _, found := r.Resolve(t.Context(), parse(t, "version: 1\nsources: [{id: 1, title: a}]"), nil); len(found) > 0 || asked != nil {
		t.Errorf("without secrets: asked %q, found %v", asked, found)
	}
}

func TestSecretHelperFails(t *testing.T) {
	var asked []string
	failing := func(context.Context, []byte) ([]byte, error) { return nil, errors.New("exit status 1") }
	for _, c := range []struct {
		name   string
		helper func(context.Context, []byte) ([]byte, error)
		want   []string
	}{
		{"none", nil, []string{`4:26: there is no secret helper to ask [secret-helper]`}},
		{"exit", failing, []string{`4:26: the secret helper failed: exit status 1 [secret-helper]`}},
		{"no JSON", helper("s3cret", &asked), []string{`4:26: the secret helper did not print one JSON object of strings [secret-helper]`}},
		{"list", helper(`["s3cret"]`, &asked), []string{`4:26: the secret helper did not print one JSON object of strings [secret-helper]`}},
		{"number", helper(`{"other": 5}`, &asked), []string{`4:26: the secret helper did not print one JSON object of strings [secret-helper]`}},
		{"null", helper(`null`, &asked), []string{`4:26: the secret helper did not print one JSON object of strings [secret-helper]`}},
		{"several", helper(`{} {}`, &asked), []string{`4:26: the secret helper did not print one JSON object of strings [secret-helper]`}},
		{"missing, empty, NUL", helper(`{"crm/api-key": null, "other": "", "second": "s3cret\u0000"}`, &asked), []string{
			`4:26: the secret helper does not have the secret "crm/api-key" [secret-missing]`,
			`4:56: the secret "other" is empty [secret-empty]`,
			`4:80: the secret helper does not have the secret "crm/api-key" [secret-missing]`,
			`5:34: the secret "second" holds a NUL character [secret-nul]`,
		}},
		{"a mark, too large", helper(`{"crm/api-key": "\ufeffx", "other": "`+strings.Repeat("x", 1<<17)+`", "second": "x"}`, &asked), []string{
			`4:26: the secret "crm/api-key" begins with a byte order mark [secret-byte-order-mark]`,
			`4:56: the secret "other" holds more than 64 KiB [secret-too-large]`,
			`4:80: the secret "crm/api-key" begins with a byte order mark [secret-byte-order-mark]`,
		}},
		{"not UTF-8, half a surrogate pair", helper("{\"crm/api-key\": \"s3cret\xff\", \"other\": \"\\ud800\", \"second\": \"x\"}", &asked), []string{
			`4:26: the secret "crm/api-key" is not valid UTF-8 [secret-invalid-utf8]`,
			`4:56: the secret "other" is not valid UTF-8 [secret-invalid-utf8]`,
			`4:80: the secret "crm/api-key" is not valid UTF-8 [secret-invalid-utf8]`,
		}},
	} {
		r := manifest.Resolver{LookupEnv: environment(map[string]string{"L": "login"}), SecretHelper: c.helper}
		_, found := r.Resolve(t.Context(), parse(t, withSecrets), nil)
		var got []string
		for _, f := range found {
			got = append(got, strings.TrimPrefix(f.Error(), "<stdin>:"))
			if strings.Contains(f.Detail(), "s3cret") {
				t.Errorf("%s: a secret is printed: %s", c.name, f.Detail())
			}
		}
		if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
			t.Errorf("%s: got\n%s\nwant\n%s", c.name, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
}

// References to files that the run is going to write are found, of all objects.
func TestReplaced(t *testing.T) {
	tree(t, map[string]string{"m/m.yaml": `version: 1
connectors: [{id: 1, logo: {file: logo.svg}}]
sources:
  - {id: 1, settings: {a: {file: run.json}, b: {file: /out/run.json}, c: {env: X}}}
`})
	set := valid(load("m/m.yaml"))(t)
	var got []string
	for _, f := range set.Replaced(func(path string) bool { return path != "/out/run.json" }) {
		got = append(got, f.Error())
	}
	want := `m/m.yaml:2:28: the file "logo.svg" would be replaced by a file that the run writes [replaced-file], ` +
		`m/m.yaml:4:27: the file "run.json" would be replaced by a file that the run writes [replaced-file]`
	if strings.Join(got, ", ") != want {
		t.Errorf("got %s\nwant %s", strings.Join(got, ", "), want)
	}
}

// validate judges where referenced files lie, and reads none; where secrets are
// mounted need not be there.
func TestJudge(t *testing.T) {
	tree(t, map[string]string{"m/key": "s3cret", "vault/key": "s3cret", "out/key": "s3cret", "m/m.yaml": `version: 1
connectors: [{id: 1, logo: {file: ../out/logo.png}}]
sources:
  - id: 1
    settings: {a: {file: key}, b: {file: not/there}, c: {file: ../vault/key}, d: {file: ../out/key}, e: {file: link}, f: {file: /etc/hosts}, g: {env: X}, h: {secret: y}, i: {file: ../out/not-there}, j: {file: ../mounted/later/key}}
`})
	symlink(t, "../out/key", "m/link")
	set := valid(load("m/m.yaml"))(t)
	var got []string
	for _, f := range (&manifest.Resolver{AllowDirs: []string{"vault"}, SecretsDir: "mounted/later"}).Judge(set) {
		got = append(got, f.Position.String()+" "+f.Rule)
	}
	want := "m/m.yaml:2:28 file-outside, m/m.yaml:5:82 file-outside, m/m.yaml:5:105 file-outside, m/m.yaml:5:122 file-outside, m/m.yaml:5:174 file-outside"
	if strings.Join(got, ", ") != want {
		t.Errorf("got %s\nwant %s", strings.Join(got, ", "), want)
	}
}
