package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"syncsources/bitrix"
	"syncsources/bitrix/sandbox"
	"syncsources/cmd/syncsources/exit"
)

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
	for want, flags := range map[string][]string{"warning: source #4 is left out: ": nil, `"msg":"source #4 is left out: `: {"--log-format", "json"}} {
		got := exportFrom(t, portal, flags...)
		if got.code != exit.Failed || !strings.Contains(got.stderr, want) || strings.Count(got.stdout, "    id: ") != 1 {
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
		portal := must(sandbox.New(state))(t)
		got := exportFrom(t, portal)
		if count := strings.Count(got.stdout, "    connector: 1\n") + strings.Count(got.stdout, "    connector: sql\n"); got.code != exit.OK || count != n {
			t.Errorf("of %d sources %d came, exit code %d: %s", n, count, got.code, got.stderr)
		}
		_ = portal.Close()
	}
}

// A portal that heeds neither order nor ranges must neither be read for ever nor be
// taken for complete.
func TestExportFromListThatNeverEnds(t *testing.T) {
	var requests atomic.Int64
	got := exportFrom(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		number := requests.Add(1)
		if number > 100 {
			http.Error(w, "enough", http.StatusTeapot)
			return
		}
		var page strings.Builder
		for id := 1; id <= bitrix.PageSize; id++ {
			_, _ = fmt.Fprintf(&page, `,{"id": "%d", "title": "T", "description": "", "active": true, "settings": [], "connectorId": "1"}`, number*1000+int64(id))
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
