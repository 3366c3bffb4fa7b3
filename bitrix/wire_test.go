package bitrix

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"syncsources/bitrix/secret"
)

var update = flag.Bool("update", false, "write the golden requests anew")

// recorder writes down each request as it would stand on the wire.
type recorder struct{ wire bytes.Buffer }

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(req.Body)
	fmt.Fprintf(&r.wire, "%s %s://%s%s\n", req.Method, req.URL.Scheme, req.Host, req.URL.RequestURI())
	for _, h := range []string{"Accept", "Content-Type", "Authorization", "User-Agent"} {
		if v := req.Header.Get(h); v != "" {
			fmt.Fprintf(&r.wire, "%s: %s\n", h, v)
		}
	}
	fmt.Fprintf(&r.wire, "\n%s\n", body)
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(`{"result":{"result":[]}}`)), Request: req}, nil
}

// golden compares what was recorded with a file of testdata/wire.
func (r *recorder) golden(t *testing.T, name string) {
	t.Helper()
	file := filepath.Join("testdata", "wire", name+".txt")
	if *update {
		check(t, os.WriteFile(file, r.wire.Bytes(), 0o644))
	}
	want := must(os.ReadFile(file))(t)
	if got := r.wire.String(); got != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestRequestsOnTheWire compares whole requests with testdata/wire. Run it
// with -update after a change that is meant.
func TestRequestsOnTheWire(t *testing.T) {
	hook := must(Webhook("https://portal.example/rest/1/c0de/"))(t)
	app := must(Application("https://portal.example", oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "an-access-token"}), secret.New("k")))(t)
	// The portal documentation's own example.
	example := SourceFields{Title: "New source name", Description: ptr("Updated source description"),
		Settings: []Setting{{"login", secret.New("new_admin")}, {"password", secret.New("new_password")}}}
	withActive := example
	withActive.Active = ptr(false)
	ctx := context.Background()
	for name, run := range map[string]func(hook, app *Client){
		"alone":         func(_, app *Client) { _, _ = app.WriteAlone(ctx, UpdateSource(4, withActive)) },
		"alone-webhook": func(hook, _ *Client) { _, _ = hook.WriteAlone(ctx, UpdateSource(4, withActive)) },
		"batch": func(_, app *Client) {
			_, _ = app.Write(ctx, []Write{UpdateSource(4, example), UpdateSource(6, SourceFields{Title: "~ и+[$]\"\\/", Settings: []Setting{{"port", secret.New("5432")}}})})
		},
		"batch-webhook": func(hook, _ *Client) {
			_, _ = hook.Query(ctx, []Query{SourcesByID([]int64{4, 6}), ListConnectors(Range{})})
		},
	} {
		t.Run(name, func(t *testing.T) {
			rec := &recorder{}
			run(New(Config{Credentials: hook, Transport: rec}), New(Config{Credentials: app, Transport: rec, UserAgent: "syncsources/test"}))
			rec.golden(t, name)
		})
	}
}

// TestCommandsOnTheWire compares what each command sends: by itself, and in a
// batch where it may go there.
func TestCommandsOnTheWire(t *testing.T) {
	types := []SettingType{{"host", "Host", "STRING"}, {"port", "Port", "INT"}}
	columns := []Column{{Name: "ID", Type: "int", ExternalCode: "id"}, {Name: "AMOUNT", Type: "double", ExternalCode: "amount", Visible: true}}
	connector := ConnectorFields{Title: ptr("ERP"), Logo: ptr("data:,"), Description: ptr(""), Sort: ptr[int64](200), URLCheck: ptr("https://e.example/c"),
		URLTableList: ptr("https://e.example/l"), URLTableDescription: ptr("https://e.example/t"), URLData: ptr("https://e.example/d?a=1&b"), Settings: types}
	mapping := connector
	mapping.SupportMapping = ptr(false)
	source := SourceFields{ConnectorID: 12, Title: "CRM", Description: ptr("d"), Settings: []Setting{{"host", secret.New("db")}}}
	for _, tt := range []struct {
		name    string
		command Command
		class   string
		cost    float64 // to read back, in commands of a batch
		creates bool
		single  bool // cannot go in a batch
	}{
		{"list-connectors", ListConnectors(Range{}), MethodConnectorList, 0, false, false},
		{"list-connectors-range", ListConnectors(Range{From: 5, To: 90}), MethodConnectorList, 0, false, false},
		{"connectors-by-id", ConnectorsByID([]int64{4, 6}), MethodConnectorList, 0, false, false},
		{"no-connectors-by-id", ConnectorsByID(nil), MethodConnectorList, 0, false, false},
		{"list-sources", ListSources(Range{From: 5}), MethodSourceList, 0, false, false},
		{"sources-by-id", SourcesByID([]int64{4, 6}), MethodSourceList, 0, false, false},
		{"sources-of", SourcesOf(12, Range{From: 7}), MethodSourceList, 0, false, false},
		{"list-tables", ListTables(Tables, Range{To: 9}), "biconnector.table.list", 0, false, false},
		{"list-datasets", ListTables(Datasets, Range{}), "biconnector.dataset.list", 0, false, false},
		{"tables-by-name", TablesByName(Tables, "crm_deals"), "biconnector.table.list", 0, false, false},
		{"get-table", GetTable(Tables, 31), "biconnector.table.get", 0, false, false},
		{"get-dataset", GetTable(Datasets, 31), "biconnector.dataset.get", 0, false, false},

		{"add-connector", AddConnector(connector), MethodConnectorAdd, 0.02, true, false},
		{"add-connector-without-settings", AddConnector(ConnectorFields{Title: ptr("ERP"), Settings: []SettingType{}}), MethodConnectorAdd, 0.02, true, true},
		{"update-connector", UpdateConnector(12, ConnectorFields{Title: ptr("ERP"), Settings: types}), MethodConnectorUpdate, 0.02, false, false},
		{"update-connector-mapping", UpdateConnector(12, mapping), MethodConnectorUpdate, 0.02, false, true},
		{"delete-connector", DeleteConnector(12), MethodConnectorDelete, 0.02, false, false},
		{"add-source", AddSource(source), MethodSourceAdd + " of connector 12", 0.02, true, false},
		{"add-source-without-settings", AddSource(SourceFields{ConnectorID: 12, Title: "CRM"}), MethodSourceAdd + " of connector 12", 0.02, true, true},
		{"update-source", UpdateSource(4, source), MethodSourceUpdate + " of connector 12", 0.02, false, false},
		{"update-source-title", UpdateSource(4, SourceFields{Title: "CRM"}), MethodSourceUpdate, 0.02, false, false},
		{"update-source-active", UpdateSource(4, SourceFields{Title: "CRM", Active: ptr(true)}), MethodSourceUpdate, 0.02, false, true},
		{"delete-source", DeleteSource(4), MethodSourceDelete, 0.02, false, false},
		{"add-table", AddTable(Tables, TableFields{SourceID: 4, Name: "crm_deals", ExternalName: "Deals", ExternalCode: "deals", Description: ptr("d"), Columns: columns}), "biconnector.table.add", 1, true, false},
		{"add-dataset", AddTable(Datasets, TableFields{SourceID: 4, Name: "crm_deals", ExternalName: "Deals", ExternalCode: "deals", Columns: columns}), "biconnector.dataset.add", 1, true, false},
		{"update-table", UpdateTable(Tables, 31, "new"), "biconnector.table.update", 0.02, false, false},
		{"update-columns", UpdateColumns(Tables, 31, ColumnChanges{Add: columns, Delete: []int64{7, 8}}), "biconnector.table.fields.update", 1, false, false},
		{"update-columns-visible", UpdateColumns(Datasets, 31, ColumnChanges{Visible: []ColumnVisibility{{7, false}, {8, true}}}), "biconnector.dataset.fields.update", 1, false, true},
		{"delete-table", DeleteTable(Tables, 31), "biconnector.table.delete", 0.02, false, false},
		{"delete-dataset", DeleteTable(Datasets, 31), "biconnector.dataset.delete", 0.02, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rec := &recorder{}
			creds := must(Application("https://portal.example", oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "a"}), secret.New("k")))(t)
			c := New(Config{Credentials: creds, Transport: rec})
			_, _ = c.single(context.Background(), tt.command)
			ok, why := tt.command.Batchable()
			if ok == tt.single {
				t.Errorf("batchable %v because %q", ok, why)
			}
			if ok {
				_, _ = c.batch(context.Background(), []Command{tt.command})
			}
			rec.golden(t, "command-"+tt.name)
			w, writes := tt.command.(Write)
			if got := tt.command.ReadBack() * MaxBatch; math.Abs(got-tt.cost) > 1e-9 || tt.command.Class() != tt.class || tt.command.Writes() != writes || writes && w.Creates() != tt.creates {
				t.Errorf("class %q, reading back costs %v, writes %v", tt.command.Class(), got, tt.command.Writes())
			}
		})
	}
}
