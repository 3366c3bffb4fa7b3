package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"syncsources/bitrix/sandbox"
	"syncsources/cmd/syncsources/exit"
	"syncsources/cmd/syncsources/option"
)

// canary is part of every secret value of these tests, in the manifests, the
// environment, the files they refer to, and on the portal. The characters
// beside it are written differently in JSON, in addresses and in HTML.
const canary = "cAnArY"

func secretValue(n string) string { return canary + `"/и<&~` + n }

// needles are what must not be in any output: the canary, in its common
// encodings too, and the sandbox's credentials, issued ones included.
func needles() []string {
	list := []string{canary, hex.EncodeToString([]byte(canary)), "sandbox-access-token", "sandbox-refresh-token", "sandbox-code-", sandbox.ClientSecret, sandbox.WebhookCode}
	for i := range 3 {
		// The middle of base64 does not depend on what is around it.
		b := base64.StdEncoding.EncodeToString([]byte("xxx"[:i] + canary))
		list = append(list, b[4:8])
	}
	return list
}

// echo carries requests to a portal, and answers some of them with their own
// content, as a careless or hostile server does.
type echo struct {
	portal  http.RoundTripper
	way     string // a key of echoes, or "no HTTP"; "" lets everything through
	updates bool   // only requests that update
	mu      sync.Mutex
	echoed  int
}

// echoes are the ways to repeat a request. said is its content and address,
// raw and decoded.
var echoes = map[string]func(w http.ResponseWriter, said string, keys []string){
	"error at the root": func(w http.ResponseWriter, said string, _ []string) {
		writeJSON(w, 400, map[string]any{"error": "BX_ERROR", "error_description": said})
	},
	"error inside the result": func(w http.ResponseWriter, said string, _ []string) {
		writeJSON(w, 200, map[string]any{"result": map[string]any{"error": map[string]any{"error": "BX_ERROR", "error_description": said}}})
	},
	"error code": func(w http.ResponseWriter, said string, _ []string) {
		writeJSON(w, 403, map[string]any{"error": said})
	},
	"errors of the commands": func(w http.ResponseWriter, said string, keys []string) {
		errs := map[string]any{}
		for _, k := range keys {
			errs[k] = map[string]any{"error": "SOURCE_UPDATE_CONNECTION_ERROR", "error_description": said}
		}
		writeJSON(w, 200, map[string]any{"result": map[string]any{"result": []any{}, "result_error": errs}})
	},
	"results that are none": func(w http.ResponseWriter, said string, keys []string) {
		results := map[string]any{}
		for _, k := range keys {
			results[k] = said
		}
		writeJSON(w, 200, map[string]any{"result": map[string]any{"result": results, "result_error": []any{}}})
	},
	"page": func(w http.ResponseWriter, said string, _ []string) {
		w.WriteHeader(404)
		_, _ = io.WriteString(w, "<html>"+said)
	},
	"redirect": func(w http.ResponseWriter, said string, _ []string) {
		w.Header().Set("Location", "https://elsewhere.example/"+url.PathEscape(said)+"?x="+url.QueryEscape(said))
		w.WriteHeader(302)
	},
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func (e *echo) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		body, _ = io.ReadAll(req.Body)
		req.Body = io.NopCloser(bytes.NewReader(body))
	}
	update := bytes.Contains(body, []byte("source.update")) || strings.Contains(req.URL.Path, "source.update")
	if e.way == "" || e.updates && !update {
		return e.portal.RoundTrip(req)
	}
	e.mu.Lock()
	e.echoed++
	e.mu.Unlock()
	decoded, _ := url.QueryUnescape(string(body))
	query, _ := url.QueryUnescape(req.URL.RawQuery)
	said := ""
	for _, text := range []string{string(body), decoded, query} {
		if i := strings.Index(text, canary); i >= 0 { // what is long is cut, so begin near it
			text = text[max(0, i-40):min(len(text), i+100)]
		}
		said += text[:min(len(text), 150)] + " "
	}
	said += req.URL.String()
	if e.way == "no HTTP" {
		return nil, fmt.Errorf("malformed HTTP response %q to %s", said, req.URL)
	}
	var in struct{ Cmd map[string]any }
	_ = json.Unmarshal(body, &in)
	w := httptest.NewRecorder()
	echoes[e.way](w, said, slices.Collect(maps.Keys(in.Cmd)))
	resp := w.Result()
	resp.Request = req
	return resp, nil
}

// VALUE stands for secretValue("") in what follows.
const redactState = `
connectors: [{id: 1, title: SQL, settings: [{code: login, type: STRING}, {code: password, type: STRING}, {code: token, type: STRING}]}]
sources:
  - {id: 4, title: Old, connectorId: 1, settings: {login: 'VALUE-live-4', password: 'VALUE-live-4', token: 'VALUE-live'}}
  - {id: 5, title: Five, connectorId: 1, settings: {password: 'VALUE-live-5'}}
  - {id: 6, title: Six, connectorId: 1, check: fail, settings: {password: 'VALUE-live-6'}}
webhooks: true
limits: {unlimited: true}
`

const redactManifest = `version: 1
sources:
  - id: 4
    title: New
    settings: {login: 'VALUE-login', password: {env: APP_PASSWORD}, token: {file: token}}
  - {id: 5, title: Five, active: false, settings: {password: 'VALUE-5 $result[c0]', nosuch: 'VALUE-nosuch'}}
  - {id: 6, title: Six, settings: {password: 'VALUE-6'}}
  - {id: 99, title: None, settings: {password: 'VALUE-99'}}
`

// address is the portal's, and the authorization server's.
const address = "https://portal.example"

// redactRun is a directory with all that a run can read and write.
type redactRun struct {
	redactHome
	environ []string
	way     string // of the portal's echo
	updates bool
	echoed  int
}

// redactInputs are the files that runs read. Those with a token pair are new
// for each run, which may renew it; making files is most of what these tests
// cost.
var redactInputs = map[string]string{
	"m.yaml": redactManifest, "token": "VALUE-file\n", "state.yaml": redactState,
	"bad.yaml":    "version: 1\nsources:\n  - {id: 4, titel: x, settings: {password: 'VALUE', password: 'VALUE', a: [VALUE], b: 1.5, c: null, d: {env: B24_ACCESS_TOKEN}, VALUE: x}}\n",
	"unset.yaml":  "version: 1\nsources:\n  - {id: 4, settings: {password: {env: UNSET}, token: {file: /etc/passwd}, other: {file: nosuch}}}\n",
	"broken.yaml": "version: 1\nsources: [{id: 4, settings: {password: 'VALUE\n",
	"event.json":  `{"auth":{"access_token":"` + sandbox.AccessToken + `","refresh_token":"` + sandbox.RefreshToken + `"}}`,
	"halfevent":   `{"auth":{"access_token":"VALUE`,
}

var redactPairs = map[string]string{
	"pair.json":    `{"access_token":"` + sandbox.AccessToken + `","refresh_token":"` + sandbox.RefreshToken + `"}`,
	"expired.json": `{"access_token":"` + sandbox.AccessToken + `","refresh_token":"` + sandbox.RefreshToken + `","expires":900000000}`,
	"half.json":    `{"access_token":"VALUE-half`,
}

// redactDir writes the inputs into a new directory.
func redactDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range redactInputs {
		writeRedacted(t, filepath.Join(dir, name), content)
	}
	return dir
}

func writeRedacted(t *testing.T, path, content string) {
	t.Helper()
	check(t, os.WriteFile(path, []byte(strings.ReplaceAll(content, "VALUE", secretValue(""))), 0o600))
}

// redactHome is what the runs of a test share: making directories and files is
// most of what they cost.
type redactHome struct {
	dir     string // inputs
	pairs   string // the directory of the token pair
	written string // the directory of what runs write
}

func newRedactHome(t *testing.T, dir string) redactHome {
	t.Helper()
	return redactHome{dir, t.TempDir(), t.TempDir()}
}

// newRedactRun makes a run whose credentials are of a kind.
func newRedactRun(t *testing.T, home redactHome, kind string) *redactRun {
	t.Helper()
	r := &redactRun{redactHome: home}
	r.environ = credentialKinds[kind](r)
	_ = os.Remove(r.pair("new.json"))
	for name, content := range redactPairs {
		if path := r.pair(name); slices.Contains(r.environ, "B24_TOKEN_FILE="+path) {
			writeRedacted(t, path, content)
		}
	}
	return r
}

// in, pair and out are paths for the arguments of a run.
func (r *redactRun) in(name string) string   { return filepath.Join(r.dir, name) }
func (r *redactRun) pair(name string) string { return filepath.Join(r.pairs, name) }
func (r *redactRun) out(name string) string  { return filepath.Join(r.written, name) }

// credentialKinds are the environments of each kind of credentials.
var credentialKinds = map[string]func(r *redactRun) []string{
	"webhook": func(*redactRun) []string { return []string{"B24_WEBHOOK_URL=" + address + sandbox.WebhookPath} },
	"given token": func(*redactRun) []string {
		return []string{"B24_PORTAL_URL=" + address, "B24_ACCESS_TOKEN=" + sandbox.AccessToken}
	},
	"token file":         func(r *redactRun) []string { return appEnviron(r.pair("pair.json")) },
	"expired token file": func(r *redactRun) []string { return appEnviron(r.pair("expired.json")) },
	"broken token file":  func(r *redactRun) []string { return appEnviron(r.pair("half.json")) },
	"seed": func(r *redactRun) []string {
		return append(appEnviron(r.pair("new.json")), "B24_REFRESH_TOKEN="+sandbox.RefreshToken)
	},
	"malformed": func(*redactRun) []string { return []string{"B24_WEBHOOK_URL=" + address + "/rest/" + canary} },
	"misplaced": func(*redactRun) []string {
		return []string{"B24_PORTAL_URL=" + address + sandbox.WebhookPath, "B24_ACCESS_TOKEN=" + canary}
	},
	"refused": func(*redactRun) []string { return []string{"B24_PORTAL_URL=" + address, "B24_ACCESS_TOKEN=" + canary} },
}

func appEnviron(file string) []string {
	return []string{"B24_PORTAL_URL=" + address, "B24_OAUTH_URL=" + address, "B24_CLIENT_ID=" + sandbox.ClientID,
		"B24_CLIENT_SECRET=" + sandbox.ClientSecret, "B24_TOKEN_FILE=" + file}
}

// run runs the program in virtual time, and returns whatever it wrote,
// wherever.
func (r *redactRun) run(t *testing.T, stdin string, args ...string) (all string) {
	t.Helper()
	environ := append(r.environ, "XDG_STATE_HOME="+r.pairs, "APP_PASSWORD="+secretValue("-env"), "GITHUB_STEP_SUMMARY="+r.out("summary.md"))
	in := must(os.Open(r.in(stdin)))(t)
	defer func() { _ = in.Close() }()
	synctest.Test(t, func(t *testing.T) {
		state := must(sandbox.LoadFile(r.in("state.yaml")))(t)
		portal := must(sandbox.New(state))(t)
		e := &echo{portal: portal.RoundTripper(), way: r.way, updates: r.updates}
		var out, errs bytes.Buffer
		a := &app{env: option.NewEnvironment(environ), stdin: in, stdout: &out, stderr: &errs, transport: e}
		code := a.run(t.Context(), args)
		all = fmt.Sprintf("exit code %d\n--- stdout\n%s\n--- stderr\n%s\n", code, &out, &errs)
		r.echoed += e.echoed
		_ = portal.Close()
	})
	_ = filepath.WalkDir(r.out(""), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			content, _ := os.ReadFile(path)
			all += "--- " + filepath.Base(path) + "\n" + string(content) + "\n"
		}
		return nil
	})
	return all
}

// leak searches an output for secrets.
func leak(t *testing.T, all string) {
	t.Helper()
	for _, needle := range needles() {
		if i := strings.Index(all, needle); i >= 0 {
			t.Errorf("%q leaks: ...%s...", needle, all[max(0, i-300):min(len(all), i+100)])
			return
		}
	}
}

// TestNoOutputHoldsASecret runs every command in every format at debug level,
// with each kind of credentials, against a portal that works and one that
// repeats requests in its errors, and searches all of the output.
func TestNoOutputHoldsASecret(t *testing.T) {
	t.Parallel()
	dir := redactDir(t)
	formats, reports := []string{"text", "json", "markdown", "github"}, []string{"r.json", "r.md", "r.xml"}
	runs, masked := 0, 0
	// look runs the program with all said that can be said, each time in another
	// format and with another report.
	look := func(t *testing.T, r *redactRun, args ...string) string {
		t.Helper()
		args = append(args, "-o", formats[runs%4], "--log-level", "debug", "--log-format", []string{"text", "json"}[runs/2%2],
			"--report", r.out(reports[runs%3]), "--metrics-file", r.out("m.prom"))
		all := r.run(t, "token", args...)
		leak(t, all)
		runs++
		if strings.Contains(all, "(sensitive)") {
			masked++
		}
		return all
	}
	for _, kind := range slices.Sorted(maps.Keys(credentialKinds)) {
		t.Run(kind, func(t *testing.T) {
			home := newRedactHome(t, dir)
			for _, args := range [][]string{
				{"plan", "m.yaml"}, {"apply", "--dry-run", "m.yaml"}, {"apply", "m.yaml"}, {"apply", "--no-verify", "m.yaml"},
				{"plan", "--sandbox", "state.yaml", "m.yaml"}, {"apply", "--sandbox", "state.yaml", "m.yaml"},
				{"plan", "bad.yaml"}, {"apply", "unset.yaml"}, {"plan", "broken.yaml"}, {"plan", "pair.json"},
				{"apply", "--checksum", "wrong", "m.yaml"}, {"apply", "--max-changes", "1", "m.yaml"},
			} {
				r := newRedactRun(t, home, kind)
				for i, arg := range args {
					if arg == "pair.json" {
						writeRedacted(t, r.pair(arg), redactPairs[arg])
						args[i] = r.pair(arg)
					} else if strings.Contains(arg, ".") {
						args[i] = r.in(arg)
					}
				}
				look(t, r, args...)
			}
			runs++ // so that the next kind has other formats
			r := newRedactRun(t, home, kind)
			for _, format := range []string{"text", "json", "github"} {
				leak(t, r.run(t, "broken.yaml", "validate", "-o", format, r.in("bad.yaml"), r.in("m.yaml"), "-"))
			}
			leak(t, r.run(t, "token", "export", "--log-level", "debug", "--env-file", r.out("env")))
			leak(t, r.run(t, "token", "login", "--log-level", "debug", "--code", canary))
		})
	}
	for _, way := range append(slices.Sorted(maps.Keys(echoes)), "no HTTP") {
		t.Run("echo/"+way, func(t *testing.T) {
			home := newRedactHome(t, dir)
			for _, kind := range []string{"webhook", "given token", "token file", "expired token file", "seed"} {
				for _, updates := range []bool{false, true} {
					r := newRedactRun(t, home, kind)
					r.way, r.updates = way, updates
					all := look(t, r, "apply", r.in("m.yaml"))
					if r.echoed == 0 || strings.HasPrefix(all, "exit code 0") {
						t.Errorf("%s: %d requests were repeated\n%s", kind, r.echoed, all)
					}
				}
			}
			r := newRedactRun(t, home, "token file")
			r.way = way
			leak(t, r.run(t, "token", "export", "--log-level", "debug"))
			leak(t, r.run(t, "token", "login", "--log-level", "debug", "--code", canary+"%"))
		})
	}
	for name, credentials := range map[string]string{
		"webhook": "{webhook_url: {env: HOOK}}", "given token": "{access_token: {env: TOKEN}}", "file": "{access_token: {file: token}}",
		"application": "{client_id: " + sandbox.ClientID + ", client_secret: {env: SECRET}, refresh_token: {env: SEED}, token_file: pair.json, oauth_url: \"" + address + "\"}",
		"literal":     "{access_token: " + canary + "}",
	} {
		t.Run("portals/"+name, func(t *testing.T) {
			home := newRedactHome(t, dir)
			for _, way := range []string{"", "error at the root"} {
				for _, args := range [][]string{{"plan"}, {"apply"}, {"validate"}, {"export", "--values", "login"}} {
					r := newRedactRun(t, home, "malformed")
					r.way = way
					r.environ = []string{"HOOK=" + address + sandbox.WebhookPath, "TOKEN=" + sandbox.AccessToken, "SECRET=" + sandbox.ClientSecret, "SEED=" + sandbox.RefreshToken}
					writeRedacted(t, r.pair("token"), "VALUE\n")
					writeRedacted(t, r.pair("portals.yaml"), "version: 1\nportals: [{url: "+address+", manifests: ["+r.in("m.yaml")+"], credentials: "+credentials+"}]\n")
					args = append(args, "--portals", r.pair("portals.yaml"))
					switch args[0] {
					case "plan", "apply":
						look(t, r, args...)
					default:
						// The export has the values that were asked for on standard output.
						_, all, _ := strings.Cut(r.run(t, "token", args...), "--- stderr")
						leak(t, all)
					}
				}
			}
		})
	}
	t.Logf("%d runs, in %d of them something was masked", runs, masked)
	if masked*3 < runs {
		t.Errorf("only %d of %d runs had a secret to mask: the test does not test", masked, runs)
	}
}

// What login reads from standard input, over real sockets.
func TestLoginPrintsNoSecret(t *testing.T) {
	dir := redactDir(t)
	for _, stdin := range []string{"event.json", "halfevent", "half.json", "pair.json"} {
		_, environ, _ := applicationPortal(t, "")
		path := filepath.Join(dir, stdin)
		if pair := redactPairs[stdin]; pair != "" {
			writeRedacted(t, path, pair)
		}
		in := must(os.Open(path))(t)
		var out, errs bytes.Buffer
		code := run(t.Context(), environ, in, &out, &errs, []string{"login", "--listen", "127.0.0.1:0", "--log-level", "debug"})
		_ = in.Close()
		if whole := stdin == "event.json" || stdin == "pair.json"; (code == exit.OK) != whole {
			t.Errorf("%s: exit code %d\n%s", stdin, code, &errs)
		}
		leak(t, out.String()+errs.String())
	}
}
