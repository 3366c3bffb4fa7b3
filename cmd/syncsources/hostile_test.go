package main

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"syncsources/bitrix/sandbox"
	"syncsources/cmd/syncsources/exit"
	"syncsources/runner"
)

// Texts that a terminal, a workflow, a web page or a parser would act on.
var hostileTexts = []string{
	"\x1b[31mred\x1b]0;title\x07", "\x1b]8;;https://evil.example\x1b\\link", "two\nlines", "\r\n::error::x%0A", "::set-output name=a::b", "\u202etxt.exe\u2066",
	"<script>alert(1)</script>", "| `a` | @all | ![x](https://evil.example/x.png) |", "]]></failure><x>", "\u0085\u2028\u2029\ufeff\x7f", "{{ .Env }} ${{ secrets.X }} $(id)",
	"& *x: [", "- a: b #", "\u009b31mred", "%1b%5b31m\x08\x08", "\U000e0041\u200b", "''\"\"\\",
}

// A portal's texts - titles, names of settings and connectors, descriptions of
// errors, codes - reach no output raw.
func TestHostileTexts(t *testing.T) {
	t.Parallel()
	var state, manifest strings.Builder
	bad := strings.Join(hostileTexts, "")
	fmt.Fprintf(&state, "connectors: [{id: 1, title: %q, settings: [{code: login}, {code: %q}]}]\nlimits: {unlimited: true}\nhonour_active: true\nsources:\n", bad, bad)
	manifest.WriteString("version: 1\nsources:\n")
	for i, text := range hostileTexts {
		id := 10 * (i + 1)
		fmt.Fprintf(&state, "  - {id: %d, title: %q, connectorId: 1, description: %q, settings: {login: %q}}\n", id, text, text, text)
		fmt.Fprintf(&state, "  - {id: %d, title: %q, connectorId: 1, check: fail}\n", id+1, text)
		fmt.Fprintf(&state, "  - {id: %d, title: unmanaged %q, connectorId: 1}\n", id+2, text)
		fmt.Fprintf(&manifest, "  - {id: %d, title: new, description: new, settings: {login: new}, reveal: [login]}\n", id)
		fmt.Fprintf(&manifest, "  - {id: %d, title: %q, active: false}\n", id+1, "!"+text)
		fmt.Fprintf(&manifest, "  - {id: %d, settings: {%q: x}}\n", 1000+id, text)
	}
	failing := state.String() + fmt.Sprintf("faults: [{kind: error, status: 400, nth: [2], code: %q, description: %q}]\n", bad, bad)
	stopping := state.String() + fmt.Sprintf("faults: [{kind: error, status: 403, nth: [1], code: %q, description: %q}]\n", bad, bad)
	paths := files(t, state.String(), failing, stopping, strings.ReplaceAll(manifest.String(), "unmanaged ", ""))
	for i, path := range paths[:3] { // %q of Go within a title is YAML's double-quoted form, but not in the middle
		content := must(os.ReadFile(path))(t)
		if err := os.WriteFile(path, []byte(strings.ReplaceAll(string(content), `unmanaged "`, `"unmanaged `)), 0o600); err != nil {
			t.Fatal(i, err)
		}
	}
	reports := t.TempDir()
	for _, form := range []string{"text", "json", "markdown", "github"} {
		for _, state := range paths[:3] {
			for _, command := range []string{"plan", "apply"} {
				summary := filepath.Join(reports, "summary.md")
				args := []string{command, "-o", form, "--sandbox", state, "--log-level", "debug", "--show-unmanaged", "--metrics-file", filepath.Join(reports, "r.prom")}
				if form == "json" {
					args = append(args, "--log-format", "json")
				}
				for _, ending := range []string{"json", "md", "xml"} {
					args = append(args, "--report", filepath.Join(reports, "r."+ending))
				}
				var got result
				synctest.Test(t, func(t *testing.T) { // a later retry takes no time then
					got = program(t.Context(), []string{"GITHUB_STEP_SUMMARY=" + summary, "XDG_STATE_HOME=" + reports}, append(args, paths[3])...)
				})
				if got.code != exit.Failed && (got.code != exit.Stopped || state == paths[0]) {
					t.Errorf("%s -o %s: exit code %d\n%s", command, form, got.code, got.stderr)
				}
				harmless(t, form, got.stdout)
				harmless(t, "log", got.stderr)
				for name, form := range map[string]string{"r.json": "json", "r.md": "markdown", "r.xml": "xml", "summary.md": "markdown", "r.prom": "metrics"} {
					content, err := os.ReadFile(filepath.Join(reports, name))
					if errors.Is(err, os.ErrNotExist) && name == "summary.md" && form != "github" {
						continue
					}
					harmless(t, form, string(content))
					switch form {
					case "json":
						err = errors.Join(err, json.Unmarshal(content, new(runner.Report)))
					case "xml":
						err = errors.Join(err, xml.Unmarshal(content, new(struct{ XMLName xml.Name })))
					}
					if err != nil {
						t.Errorf("%s: %v", name, err)
					}
				}
				if t.Failed() {
					t.Fatalf("%s -o %s with %s", command, form, filepath.Base(state))
				}
			}
		}
	}
	got := program(context.Background(), []string{"XDG_STATE_HOME=" + reports}, "export", "--sandbox", paths[0], "--log-level", "debug")
	if got.code != exit.OK {
		t.Errorf("export: exit code %d\n%s", got.code, got.stderr)
	}
	harmless(t, "export", got.stdout)
	harmless(t, "log", got.stderr)
}

// portalThat serves a sandbox of three sources behind a handler that may answer
// in its place.
func portalThat(t *testing.T, answers func(n int, w http.ResponseWriter, r *http.Request) bool) (url string, portal *sandbox.Portal) {
	t.Helper()
	portal = openPortal(t, threeSources+"limits: {unlimited: true}\n")
	var n atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !answers(int(n.Add(1)), w, r) {
			portal.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL, portal
}

func against(t *testing.T, url string) []string {
	return []string{"XDG_STATE_HOME=" + t.TempDir(), "B24_PORTAL_URL=" + url, "B24_ACCESS_TOKEN=" + sandbox.AccessToken}
}

const gigabyte = 1 << 30

// flood writes n bytes, or as many as anybody takes.
func flood(w io.Writer, text string, n int) {
	block := []byte(strings.Repeat(text, 1<<16/len(text)))
	for ; n > 0; n -= len(block) {
		if _, err := w.Write(block); err != nil {
			return
		}
	}
}

func raw(w http.ResponseWriter, write func(net.Conn)) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		write(conn)
		_ = conn.Close()
	}
}

// One answer of a run is as bad as can be. It costs little memory, and the run
// continues as after any lost answer.
func TestOneMonstrousAnswer(t *testing.T) {
	paths := files(t, threeManifest)
	for name, answer := range map[string]func(w http.ResponseWriter){
		"a gigabyte of text":  func(w http.ResponseWriter) { flood(w, `{"result":["`+strings.Repeat("x", 4000), gigabyte) },
		"a gigabyte of error": func(w http.ResponseWriter) { w.WriteHeader(500); flood(w, "<html>", gigabyte) },
		"a deep nesting":      func(w http.ResponseWriter) { flood(w, `[{"a":`, 8<<20) },
		"a deep result": func(w http.ResponseWriter) {
			_, _ = io.WriteString(w, `{"result":{"result":{"c0":`+strings.Repeat("[", 1<<17)+strings.Repeat("]", 1<<17)+`},"result_error":[]}}`)
		},
		"a bomb in gzip": func(w http.ResponseWriter) {
			var megabyte strings.Builder // one behind the other they are one text
			z := gzip.NewWriter(&megabyte)
			flood(z, "[", 1<<20)
			_ = z.Close()
			w.Header().Set("Content-Encoding", "gzip")
			flood(w, megabyte.String(), gigabyte>>23*megabyte.Len())
		},
		"headers without end": func(w http.ResponseWriter) {
			raw(w, func(c net.Conn) {
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n")
				flood(c, "X-A: aaaaaaaaaaaaaaaaaaaaaa\r\n", gigabyte)
			})
		},
		"hints without end": func(w http.ResponseWriter) {
			raw(w, func(c net.Conn) { flood(c, "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", gigabyte) })
		},
		"more announced than sent": func(w http.ResponseWriter) {
			raw(w, func(c net.Conn) {
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 9000000000000000000\r\nContent-Type: application/json\r\n\r\n{\"result\":{")
			})
		},
		"two lengths": func(w http.ResponseWriter) {
			raw(w, func(c net.Conn) {
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 20\r\n\r\n{}")
			})
		},
		"garbage": func(w http.ResponseWriter) { raw(w, func(c net.Conn) { flood(c, "\x00\xff\x1b[31m", 1<<16) }) },
		"JSON and more": func(w http.ResponseWriter) {
			_, _ = io.WriteString(w, `{"result":{"result":[],"result_error":[]}}{"result":true}`)
		},
	} {
		for _, nth := range []int{1, 2} { // a read, the update
			if testing.Short() && nth == 1 {
				continue
			}
			t.Run(fmt.Sprint(name, " ", nth), func(t *testing.T) {
				url, portal := portalThat(t, func(n int, w http.ResponseWriter, _ *http.Request) bool {
					if n == nth {
						answer(w)
					}
					return n == nth
				})
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				got := program(context.Background(), against(t, url), "apply", "-o", "json", paths[0])
				runtime.ReadMemStats(&after)
				report := got.report(t)
				if got.code != exit.OK || report.Summary.Updated != 3 {
					t.Errorf("exit code %d, %+v, %s", got.code, report.Summary, got.stderr)
				}
				for id, n := range portal.Stats().Updates {
					if n != 1 {
						t.Errorf("source %d was updated %d times", id, n)
					}
				}
				harmless(t, "log", got.stderr)
				// All that was ever allocated, by the server too: a bound of the peak.
				if mib := (after.TotalAlloc - before.TotalAlloc) >> 20; mib > 256 {
					t.Errorf("%d MiB were allocated", mib)
				}
			})
		}
	}
}

// A portal that drips its answer for ever holds a run no longer than --timeout.
func TestAnswerThatNeverEnds(t *testing.T) {
	paths := files(t, threeManifest)
	gone := make(chan struct{})
	url, _ := portalThat(t, func(_ int, w http.ResponseWriter, r *http.Request) bool {
		_, _ = io.WriteString(w, `{"result":[`)
		_ = http.NewResponseController(w).Flush()
		select {
		case <-r.Context().Done():
		case <-gone:
		}
		return true
	})
	defer close(gone)
	got := program(context.Background(), against(t, url), "plan", "-o", "json", "--timeout", "50ms", paths[0])
	if report := got.report(t); got.code != exit.Stopped || report.Error == nil || report.Error.Code != runner.CodeTimeout || report.Summary.Skipped != 3 {
		t.Errorf("exit code %d, %v %+v", got.code, report.Error, report.Summary)
	}
}

// Credentials stay with the host that they are for: redirects are not
// followed, and an address in an answer of the authorization server must be
// the portal's.
func TestCredentialsStayAtHome(t *testing.T) {
	paths := files(t, threeManifest)
	var hits atomic.Int32
	evil := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	defer evil.Close()
	tls := httptest.NewUnstartedServer(evil.Config.Handler)
	tls.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshakes that we refuse
	tls.StartTLS()
	defer tls.Close()

	redirects := func(status int) string {
		url, _ := portalThat(t, func(_ int, w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, evil.URL+r.URL.Path+"?"+r.URL.RawQuery, status)
			return true
		})
		return url
	}
	application := func(portal, oauth string) []string {
		token := filepath.Join(t.TempDir(), "token.json")
		pair := fmt.Sprintf(`{"access_token":%q,"refresh_token":%q}`, sandbox.AccessToken, sandbox.RefreshToken)
		check(t, os.WriteFile(token, []byte(pair), 0o600))
		return []string{"XDG_STATE_HOME=" + t.TempDir(), "B24_PORTAL_URL=" + portal, "B24_OAUTH_URL=" + oauth, "B24_CLIENT_ID=" + sandbox.ClientID,
			"B24_CLIENT_SECRET=" + sandbox.ClientSecret, "B24_TOKEN_FILE=" + token}
	}
	honest, portal := portalThat(t, func(int, http.ResponseWriter, *http.Request) bool { return false })
	portal.ExpireTokens()
	elsewhere, _ := portalThat(t, func(_ int, w http.ResponseWriter, _ *http.Request) bool {
		_, _ = fmt.Fprintf(w, `{"access_token":"new","refresh_token":"newer","expires_in":3600,"client_endpoint":%q}`, evil.URL+"/rest/")
		return true
	})
	cases := map[string][]string{
		"untrusted certificate":                    against(t, tls.URL),
		"renewal redirected":                       application(honest, redirects(http.StatusTemporaryRedirect)),
		"renewal that names another portal":        application(honest, elsewhere),
		"portal redirected, token to be renewed":   application(redirects(http.StatusPermanentRedirect), honest),
		"untrusted certificate with a webhook":     {"XDG_STATE_HOME=" + t.TempDir(), "B24_WEBHOOK_URL=" + tls.URL + sandbox.WebhookPath},
		"untrusted certificate of the auth server": application(honest, tls.URL),
	}
	for _, status := range []int{301, 302, 303, 307, 308} {
		cases[fmt.Sprint(status)] = against(t, redirects(status))
		cases[fmt.Sprint(status, " of a webhook")] = []string{"XDG_STATE_HOME=" + t.TempDir(), "B24_WEBHOOK_URL=" + redirects(status) + sandbox.WebhookPath}
	}
	for name, environ := range cases {
		t.Run(name, func(t *testing.T) {
			got := program(context.Background(), environ, "apply", "--log-level", "debug", "-o", "json", paths[0])
			if got.code != exit.Stopped {
				t.Errorf("exit code %d: %s", got.code, got.stderr)
			}
			if hits.Load() > 0 {
				t.Error("a request went to another host")
			}
			for _, secret := range []string{sandbox.AccessToken, sandbox.RefreshToken, sandbox.ClientSecret, sandbox.WebhookCode, "newer"} {
				if strings.Contains(got.stdout+got.stderr, secret) {
					t.Errorf("the output holds %q: %s%s", secret, got.stdout, got.stderr)
				}
			}
		})
	}
}
