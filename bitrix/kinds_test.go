package bitrix

import (
	"context"
	"errors"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"syncsources/bitrix/rest"
	"syncsources/bitrix/sandbox"
	"syncsources/bitrix/secret"
)

// onSandbox returns a client of a sandbox with this state.
func onSandbox(t *testing.T, state string) *Client {
	t.Helper()
	s := must(sandbox.ReadState(strings.NewReader(state)))(t)
	p := must(sandbox.New(s))(t)
	t.Cleanup(func() { _ = p.Close() })
	creds := must(Application("https://portal.example", oauth2.StaticTokenSource(&oauth2.Token{AccessToken: sandbox.AccessToken}), secret.New("k")))(t)
	return New(Config{Credentials: creds, Transport: p.RoundTripper()})
}

// done sends a write, in a batch where it may go there, and wants no error.
func done(t *testing.T, c *Client, w Write) Reply {
	t.Helper()
	var resp *Response
	var err error
	if ok, _ := w.Batchable(); ok {
		resp, err = c.Write(context.Background(), []Write{w})
	} else {
		resp, err = c.WriteAlone(context.Background(), w)
	}
	if err == nil {
		err = resp.Replies[0].Err
	}
	if err != nil {
		t.Fatalf("%v: %v", w, err)
	}
	if !w.Creates() && !resp.Replies[0].True() {
		t.Fatalf("%v: %s", w, resp.Replies[0].Result)
	}
	return resp.Replies[0]
}

func added(t *testing.T, c *Client, w Write) int64 {
	t.Helper()
	id := must(DecodeAdded(done(t, c, w)))(t)
	return id
}

// shown sends a query and decodes its result.
func shown[T any](t *testing.T, c *Client, q Query, decode func([]byte) (T, error)) T {
	t.Helper()
	resp, err := c.Query(context.Background(), []Query{q})
	if err == nil {
		err = resp.Replies[0].Err
	}
	if err != nil {
		t.Fatalf("%v: %v", q, err)
	}
	v, err := decode(resp.Replies[0].Result)
	if err != nil {
		t.Fatalf("%v: %v", q, err)
	}
	return v
}

// From nothing to a table and back, by both families of methods.
func TestThreeKindsLiveAndDie(t *testing.T) {
	for f, state := range map[Family]string{Tables: "connectors: []\n", Datasets: "connectors: []\nno_table_methods: true\ndataset_delete: works\n"} {
		t.Run(string(f), func(t *testing.T) {
			c := onSandbox(t, state)
			connector := added(t, c, AddConnector(ConnectorFields{Title: ptr("ERP"), Logo: ptr("data:,"), URLCheck: ptr("https://e.example/c"), URLTableList: ptr("https://e.example/l"),
				URLTableDescription: ptr("https://e.example/t"), URLData: ptr("https://e.example/d"), Settings: []SettingType{{"host", "Host", "STRING"}, {"port", "Port", "INT"}}}))
			done(t, c, UpdateConnector(connector, ConnectorFields{Title: ptr("ERP 2"), Sort: ptr[int64](7), SupportMapping: ptr(true)}))
			live := shown(t, c, ConnectorsByID([]int64{connector}), func(b []byte) (List[Connector], error) { return DecodeConnectors(b) })
			if len(live.Items) != 1 || live.Items[0].Title != "ERP 2" || live.Items[0].Sort != 7 || live.Items[0].SupportMapping != rest.True || len(live.Items[0].Settings) != 2 {
				t.Fatalf("%+v", live)
			}

			source := added(t, c, AddSource(SourceFields{ConnectorID: connector, Title: "CRM", Settings: []Setting{{"host", secret.New("db")}}}))
			done(t, c, UpdateSource(source, SourceFields{Title: "CRM 2", Settings: []Setting{{"port", secret.New("5432")}}}))
			sources := shown(t, c, SourcesOf(connector, Range{}), func(b []byte) (List[Source], error) { return DecodeSources(b) })
			if len(sources.Items) != 1 || sources.Items[0].Title != "CRM 2" || len(sources.Items[0].Settings) != 2 || sources.Items[0].Active != rest.True {
				t.Fatalf("%+v", sources)
			}

			columns := []Column{{Name: "ID", Type: "int", ExternalCode: "id"}, {Name: "AMOUNT", Type: "double", ExternalCode: "amount"}}
			fields := TableFields{SourceID: source, Name: "crm_deals", ExternalName: "Deals", ExternalCode: "deals", Columns: columns}
			table := added(t, c, AddTable(f, fields))
			if _, err := c.WriteAlone(context.Background(), AddTable(f, fields)); !NameTaken(err) {
				t.Errorf("added again: %v", err)
			}
			done(t, c, UpdateTable(f, table, "all of them"))
			get := func() Table {
				return shown(t, c, GetTable(f, table), func(b []byte) (Table, error) { return DecodeTable(b) })
			}
			whole := get()
			if len(whole.Columns) != 2 || whole.Description != "all of them" {
				t.Fatalf("%+v", whole)
			}
			done(t, c, UpdateColumns(f, table, ColumnChanges{Add: []Column{{Name: "NOTE", Type: "string", ExternalCode: "note"}},
				Visible: []ColumnVisibility{{whole.Columns[0].ID, false}}, Delete: []int64{whole.Columns[1].ID}}))
			if whole = get(); len(whole.Columns) != 2 || whole.Columns[0].Visible || whole.Columns[1].Name != "NOTE" {
				t.Errorf("%+v", whole)
			}
			tables := func(q Query) List[Table] {
				return shown(t, c, q, func(b []byte) (List[Table], error) { return DecodeTables(b) })
			}
			for _, q := range []Query{ListTables(f, Range{}), TablesByName(f, "crm_deals")} {
				if l := tables(q); len(l.Items) != 1 || l.Items[0].SourceID != source {
					t.Errorf("%v: %+v", q, l)
				}
			}
			for _, q := range []Query{ListTables(f, Range{From: table + 1}), TablesByName(f, "crm")} {
				if l := tables(q); len(l.Items) != 0 {
					t.Errorf("%v: %+v", q, l)
				}
			}

			if _, err := c.WriteAlone(context.Background(), DeleteConnector(connector)); !errors.Is(err, rest.Code("CONNECTOR_DELETE_RESTRICTED")) {
				t.Errorf("deleted below a source: %v", err)
			}
			done(t, c, DeleteTable(f, table))
			done(t, c, DeleteSource(source))
			done(t, c, DeleteConnector(connector))
			if l := shown(t, c, ListConnectors(Range{}), func(b []byte) (List[Connector], error) { return DecodeConnectors(b) }); l.Count != 0 {
				t.Errorf("%+v", l)
			}
		})
	}
}
