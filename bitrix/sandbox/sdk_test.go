package sandbox

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// TestSDK is a stranger's opinion: the portal's own JavaScript SDK works with
// the sandbox, and understands what the sandbox did. It is run by
// testdata/sdk/run, which installs the SDK.
//
// The SDK insists on https. The sandbox is served on loopback as the command
// does it, and Node is told to trust its certificate by its own
// NODE_EXTRA_CA_CERTS: neither side has a check switched off.
func TestSDK(t *testing.T) {
	dir := os.Getenv("SANDBOX_SDK")
	if dir == "" {
		t.Skip("run testdata/sdk/run: it needs Node")
	}
	s := &State{
		Switches:   Switches{Webhooks: true, HonourActive: true},
		Connectors: []Connector{{ID: 1, Title: "SQL", Settings: []SettingType{{Code: "login"}, {Code: "password"}}}},
	}
	for id := int64(4); id <= 220; id++ {
		if id <= 10 || id > 100 {
			s.Sources = append(s.Sources, Source{ID: id, Title: fmt.Sprint("Source ", id), ConnectorID: 1, Settings: map[string]string{"login": fmt.Sprint("user", id)}})
		}
	}
	p := newPortalOf(t, s)
	p.ExpireTokens()
	cert, trusted, err := NewCertificate("")
	check(t, err)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}})
	check(t, err)
	go func() { _ = p.Serve(t.Context(), l) }()
	url := "https://" + l.Addr().String()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	check(t, os.WriteFile(ca, trusted, 0o600))

	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", filepath.Join(dir, "conform.mjs"))
	cmd.Env = append(os.Environ(), "NO_PROXY=*", "no_proxy=*", "NODE_EXTRA_CA_CERTS="+ca, "SANDBOX_URL="+url, "SANDBOX_WEBHOOK="+WebhookCode,
		"SANDBOX_APP="+strings.Join([]string{ClientID, ClientSecret, AccessToken, RefreshToken}, " "))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	t.Logf("the SDK's results:\n%s%s", out, &stderr)
	check(t, err)
	cases := map[string]reply{}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		var c struct {
			Case  string
			Value any
		}
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatalf("%s: %v", lines.Bytes(), err)
		}
		cases[c.Case] = reply{value: map[string]any{"value": c.Value}}
	}
	sdkResults(t, p, url, func(name string, path ...any) any {
		c, ok := cases[name]
		if !ok {
			t.Errorf("no case %q", name)
		}
		return c.at(append([]any{"value"}, path...)...)
	})
	sdkLog(t, p)
}

// sdkResults compares what the SDK understood with the state of the sandbox.
func sdkResults(t *testing.T, p *Portal, url string, got func(name string, path ...any) any) {
	t.Helper()
	equal := func(want any, name string, path ...any) {
		t.Helper()
		if g := got(name, path...); !reflect.DeepEqual(g, want) {
			t.Errorf("%s %v: %#v, want %#v", name, path, g, want)
		}
	}
	titled := func(id int64, title string) {
		t.Helper()
		if s, _ := p.Source(id); s.Title != title {
			t.Errorf("source %d is titled %q, want %q", id, s.Title, title)
		}
	}
	const awkward = "Zoë & Co = 100% [x]+?#/\\\"'\n\t€ 🚀"

	equal(true, "expired token", "answer", "result")
	equal(url+"/rest/", "expired token", "renewed", "endpoint")
	equal("sandbox-access-token-1", "expired token", "renewed", "access")
	equal("sandbox-refresh-token-1", "expired token", "renewed", "refresh")
	if st := p.Stats(); st.Expired != 1 || st.Renewals != 1 || st.Refused != 0 {
		t.Errorf("expired %d, renewals %d, refused %d", st.Expired, st.Renewals, st.Refused)
	}
	titled(4, "New source name")
	if s, _ := p.Source(4); *s.Active || s.Settings["password"] != "new_password" {
		t.Errorf("source 4: %+v", s)
	}

	equal(4.0, "single call", "result", "item", "connection", "id")
	equal(false, "single call", "result", "item", "connection", "active")
	equal("new_admin", "single call", "result", "item", "settings", 0, "value")

	equal(true, "batch as a map", "result", "first")
	equal(awkward, "batch as a map", "result", "second", "item", "connection", "title")
	titled(5, awkward)

	equal(true, "batch as a list", "result", 0)
	equal([]any{map[string]any{"id": 6.0, "title": "Six"}, map[string]any{"id": 7.0, "title": "Source 7"}}, "batch as a list", "result", 1)

	equal(true, "a reference", "result", "to")
	titled(7, "user7")

	equal(false, "errors in a batch", "success")
	equal("SOURCE_NOT_FOUND", "errors in a batch", "result", "inside", "error", "error")
	equal(nil, "errors in a batch", "result", "root")
	equal("VALIDATION_INVALID_FIELD_TYPE", "errors in a batch", "result", "boolean", "error", "error")
	equal(true, "errors in a batch", "result", "after")
	if errs := fmt.Sprint(got("errors in a batch", "errors")); !strings.Contains(errs, "Method not found!") {
		t.Errorf("errors in a batch: %s", errs)
	}
	titled(8, "Eight")
	titled(9, "Source 9") // not reached

	equal(true, "batch by chunk", "success")
	results, _ := got("batch by chunk", "results").([]any)
	if len(results) != 120 {
		t.Errorf("batch by chunk: %d results", len(results))
	}
	for id := int64(101); id <= 220; id++ {
		titled(id, fmt.Sprint("Chunk ", id))
	}

	var lengths []int
	last := 221
	pages, _ := got("paging").([]any)
	for _, page := range pages {
		ids, _ := page.([]any)
		lengths = append(lengths, len(ids))
		for _, id := range ids {
			var n int
			if _, err := fmt.Sscan(fmt.Sprint(id), &n); err != nil || n >= last {
				t.Errorf("id %v after %d", id, last)
			}
			last = n
		}
	}
	if fmt.Sprint(lengths) != "[50 50 27]" || last != 4 {
		t.Errorf("pages of %v, the last id is %d", lengths, last)
	}

	equal(map[string]any{"id": 2.0}, "from nothing", "result", "connector")
	equal(map[string]any{"id": 221.0}, "from nothing", "result", "source")
	equal("crm_deals", "from nothing", "result", "get", "item", "name")
	equal("AMOUNT", "from nothing", "result", "get", "item", "fields", 1, "name")
	equal(true, "hide a column", "alone", "result")
	equal(false, "hide a column", "after", "result", "item", "fields", 1, "visible")
	equal("CONNECTOR_DELETE_RESTRICTED", "the other way round", "result", 0, "error", "error")
	equal("BX_ERROR", "the other way round", "result", 1, "error", "error")
	for i := 2; i < 5; i++ {
		equal(true, "the other way round", "result", i)
	}
	if len(p.Connectors()) != 1 || len(p.Sources()) != 127 || len(p.Tables()) != 0 {
		t.Error("something of the way from nothing to a table is left")
	}
	for _, name := range []string{"1 curl, webhook", "2 curl, application", "3 callMethod of the JavaScript SDK", "4 the PHP SDK"} {
		equal(true, name, "result")
	}
	for _, name := range []string{"5 BX24.callMethod", "6 CRest"} {
		equal("VALIDATION_INVALID_FIELD_TYPE", name, "whole", "result", "error", "error")
		equal(`Field "active" must be of type boolean.`, name, "whole", "result", "error", "error_description")
		equal(true, name, "withoutActive", "result")
	}
	if s, _ := p.Source(10); s.Title != "New source name" || *s.Active || s.Settings["password"] != "new_password" {
		t.Errorf("source 10: %+v", s)
	}

	equal("ERROR_METHOD_NOT_FOUND", "error at the root", "thrown", "code")
	equal(404.0, "error at the root", "thrown", "status")
	equal(true, "error inside result", "success") // the SDK's mistake, known to the documentation
	equal("SOURCE_NOT_FOUND", "error inside result", "result", "error", "error")
	equal("1", "profile", "result", "ID")
}

// sdkLog checks the sandbox's own log: what arrived, and how often.
func sdkLog(t *testing.T, p *Portal) {
	t.Helper()
	st := p.Stats()
	for method, want := range map[string]int{
		"batch": 10, "biconnector.source.list": 4, "biconnector.source.get": 3, "biconnector.source.update": 136, "profile": 1,
		"biconnector.connector.add": 1, "biconnector.source.add": 1, "biconnector.table.add": 1, "biconnector.table.fields.update": 1,
	} {
		if st.Commands[method] != want {
			t.Errorf("%d calls of %s, want %d", st.Commands[method], method, want)
		}
	}
	var chunks []int
	for _, c := range p.Calls() {
		if params, ok := c.Params().(map[string]any); ok && c.Method == methodBatch {
			if cmd, ok := params["cmd"].([]any); ok {
				chunks = append(chunks, len(cmd))
			}
		}
	}
	if fmt.Sprint(chunks) != "[2 50 50 20 5]" {
		t.Errorf("batches as lists of %v commands", chunks)
	}
}

// The lock file pins every package by version and hash, and names no host: it
// is installed from whichever registry npm is set up for.
func TestSDKLock(t *testing.T) {
	b := must(os.ReadFile(filepath.Join("testdata", "sdk", "package-lock.json")))(t)
	var lock struct {
		Packages map[string]struct{ Version, Integrity, Resolved string }
	}
	check(t, json.Unmarshal(b, &lock))
	if len(lock.Packages) < 10 || bytes.Contains(b, []byte("://")) {
		t.Errorf("%d packages, or an address", len(lock.Packages))
	}
	for name, p := range lock.Packages {
		if name != "" && (p.Version == "" || p.Integrity == "" || p.Resolved != "") {
			t.Errorf("%s: %+v", name, p)
		}
	}
}
