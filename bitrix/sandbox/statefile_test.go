package sandbox

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

func TestReadStateWithEverything(t *testing.T) {
	got, err := ReadState(strings.NewReader(`
connectors:
  - {id: 1, title: SQL, description: d, logo: l, sort: 5, urlCheck: c, urlTableList: tl, urlTableDescription: td, urlData: u, supportMapping: true,
     sourceCode: mysql, settings: [{code: host, name: Host, type: STRING}, {code: port, type: INT}], owner: x, check: fail, check_cost: 3s}
sources:
  - {id: 4, title: Old name, connectorId: 1, active: false, description: "", settings: {host: db.example, port: 5432}, createdById: 7,
     check: fail_once, update_cost: 2s}
tables:
  - {id: 5, name: t, sourceId: 4, externalName: T, externalCode: tt, description: d, externalId: 9, createdById: 7,
     columns: [{id: 3, name: ID, type: int, externalCode: id, visible: false}]}
taken_names: [csv]
limits: {rate: 5, burst: 250, level: 7, phase: 250ms, unlimited: false}
latency: 20ms
update_cost: 1.35s
host_costs: {db.example: 4s}
write_cost: 6ms
read_cost: 5ms
request_time: 30s
operating_limit: 8m
other_jobs: [{method: m, spends: 1s, every: 1m, times: 2}]
operating_billed: batch
hide_operating: true
workers: 6
webhooks: true
honour_active: true
scope: [biconnector]
token_lifetime: 1h
address: https://acme.example
old_hosts: [old.example]
redirect: http://localhost:9000/
store_texts: [trim]
faults: [{kind: error, at: command, rate: 0.5, nth: [1, 2], times: 3, method: batch, id: 4, contains: x, ran: true, delay: 1s, status: 403, code: C, description: D, text: T}]
people: [{after: m, nth: 2, do: rename, kind: source, id: 4, title: T}]
seed: 9
keep_calls: 100
`))
	check(t, err)
	off, text, cost, checkCost := false, "", 2*time.Second, 3*time.Second
	want := &State{
		Connectors: []Connector{{ID: 1, Title: "SQL", Description: "d", Logo: "l", Sort: 5, URLCheck: "c", URLTableList: "tl", URLTableDescription: "td", URLData: "u",
			SupportMapping: true, SourceCode: "mysql", Settings: []SettingType{{"host", "Host", "STRING"}, {"port", "", "INT"}}, Owner: "x", Check: CheckFail, CheckCost: &checkCost}},
		Sources: []Source{{ID: 4, Title: "Old name", ConnectorID: 1, Active: &off, Description: &text, Settings: map[string]string{"host": "db.example", "port": "5432"},
			CreatedByID: 7, Check: CheckFailOnce, UpdateCost: &cost}},
		Tables: []Table{{ID: 5, Name: "t", SourceID: 4, ExternalName: "T", ExternalCode: "tt", Description: "d", ExternalID: 9, CreatedByID: 7,
			Columns: []Column{{3, "ID", "int", "id", &off}}}},
		TakenNames: []string{"csv"},
		Limits:     Limits{5, 250, 7, 250 * time.Millisecond, false},
		Latency:    20 * time.Millisecond, UpdateCost: 1350 * time.Millisecond, WriteCost: 6 * time.Millisecond, ReadCost: 5 * time.Millisecond,
		HostCosts:   map[string]time.Duration{"db.example": 4 * time.Second},
		RequestTime: 30 * time.Second, OperatingLimit: 8 * time.Minute, OtherJobs: []OtherJob{{"m", time.Second, time.Minute, 2}}, Workers: 6,
		Switches: Switches{OperatingBilled: BilledBatch, HideOperating: true, Webhooks: true, HonourActive: true,
			Address: "https://acme.example", OldHosts: []string{"old.example"}, StoreTexts: []string{"trim"}},
		Scope: []string{"biconnector"}, TokenLifetime: time.Hour, Redirect: "http://localhost:9000/",
		Faults: []Fault{{Kind: FaultError, At: AtCommand, Rate: 0.5, Nth: []int{1, 2}, Times: 3, Method: "batch", ID: 4, Contains: "x", Ran: true, Delay: time.Second,
			Status: 403, Code: "C", Description: "D", Text: "T"}},
		People: []Deed{{"m", 2, "rename", "source", 4, "T"}},
		Seed:   9, KeepCalls: 100,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestReadStateOfNothing(t *testing.T) {
	for _, text := range []string{"", "# nothing\n", "---\n"} {
		if s, err := ReadState(strings.NewReader(text)); err != nil || !reflect.DeepEqual(s, &State{}) {
			t.Errorf("%q: %+v, %v", text, s, err)
		}
	}
}

// Every mistake comes with its line and what would be right.
func TestStateFileErrors(t *testing.T) {
	const head = "connectors:\n  - {id: 1, settings: [{code: host}]}\n"
	for _, c := range []struct{ text, want string }{
		{"sources: []\nsauces: []\n", `s.yaml:2: unknown key "sauces"`},
		{"limits: {rate: 2,\n  brust: 3}\n", `s.yaml:2: unknown key "brust"`},
		{"latency: 1s\nlatency: 2s\n", `s.yaml:2: mapping key "latency" already defined at line 1`},
		{"update_cost: 1\n", "s.yaml:1: a whole number where a duration such as 1.35s belongs: `1`"},
		{"\nupdate_cost: soon\n", "s.yaml:2: a text where a duration such as 1.35s belongs: `soon`"},
		{"workers: many\n", "s.yaml:1: a text where a whole number belongs: `many`"},
		{"sources: {}\n", `s.yaml:1: a map where a list belongs`},
		{"limits: []\n", `s.yaml:1: a list where a map belongs`},
		{"faults: [{rate: x}]\n", "s.yaml:1: a text where a number belongs: `x`"},
		{"a: [\n", `s.yaml:1: did not find expected node content`},
		{"{}\n---\n{}\n", `s.yaml: a state is a single YAML document`},
		{"connectors: [{title: x}]\n", `s.yaml:1: a connector needs a positive id`},
		{"connectors:\n- id: 1\n- id: 1\n", `s.yaml:3: connector 1 is declared twice`},
		{"connectors: [{id: 1, settings: [{name: x}]}]\n", `s.yaml:1: a setting needs a code`},
		{"connectors: [{id: 1, settings: [{code: a},\n  {code: a}]}]\n", `s.yaml:2: setting "a" is declared twice`},
		{"connectors: [{id: 1, settings: [{code: a,\n  type: TEXT}]}]\n", `s.yaml:2: unknown type "TEXT": STRING or INT`},
		{head + "sources:\n- title: x\n", `s.yaml:4: a source needs a positive id`},
		{head + "sources:\n- {id: 1, connectorId: 1}\n- {id: 1, connectorId: 1}\n", `s.yaml:5: source 1 is declared twice`},
		{head + "sources:\n- id: 1\n  connectorId: 7\n", `s.yaml:5: source 1: there is no connector 7`},
		{head + "sources:\n- id: 1\n  connectorId: 1\n  check: no\n", `s.yaml:6: source 1: unknown check "no": ok, fail or fail_once`},
		{head + "sources:\n- id: 1\n  connectorId: 1\n  settings:\n    hots: x\n", `s.yaml:7: source 1: connector 1 declares no setting "hots"`},
		{"connectors: [{id: 1, check: no}]\n", `s.yaml:1: connector 1: unknown check "no": ok, fail or fail_once`},
		{head + "sources: [{id: 1, connectorId: 1}]\ntables:\n- {id: 2, name: t, sourceId: 1}\n- {id: 3, name: t, sourceId: 1}\n", `s.yaml:6: table 3: the name t is taken`},
		{head + "sources: [{id: 1, connectorId: 1}]\ntables:\n- {id: 2, name: T, sourceId: 1}\n", `s.yaml:5: table 2: "T" is not a table name such as crm_deals`},
		{head + "tables: [{id: 2, name: t, sourceId: 1}]\n", `s.yaml:3: table 2: there is no source 1`},
		{head + "sources: [{id: 1, connectorId: 1}]\ntables: [{id: 2, name: t, sourceId: 1, columns: [{name: A, type: text}]}]\n", `s.yaml:4: table 2: unknown type "text": int, string, `},
		{"people: [{after: m, do: steal, kind: source, id: 1}]\n", `s.yaml:1: unknown deed "steal" of a "source": `},
		{"other_jobs: [{method: m}]\n", `s.yaml:1: another job needs a method, `},
		{"echo: loud\n", `s.yaml:1: unknown value "loud": plain, upper, `},
		{"old_hosts: [a]\n", `s.yaml:1: old_hosts need the new address`},
		{"store_texts: [rot13]\n", `s.yaml:1: unknown value "rot13": bmp, escape, nfc or trim`},
		{"faults: [{kind: slow, id: 4}]\n", `s.yaml:1: a fault with an id looks at commands: at: command`},
		{"latency: 1s\nupdate_cost: -1s\n", `s.yaml:2: update_cost must not be negative`},
		{"operating_billed: me\n", `s.yaml:1: unknown value "me": nested, batch or both`},
		{"limits: {phase: 1s}\n", `s.yaml:1: rate, burst, level and phase must not be negative, and phase must be below 1s`},
		{"address: acme\n", `s.yaml:1: "acme" is not an address such as https://acme.example`},
		{"redirect: https://elsewhere.example\n", `s.yaml:1: "https://elsewhere.example" is not a loopback address`},
		{"faults:\n- {kind: slow}\n- {kind: quick}\n", `s.yaml:3: unknown kind "quick" of fault: internal_error, `},
		{"faults: [{kind: slow, rate: 2}]\n", `s.yaml:1: the rate of a fault must be a probability from 0 to 1`},
		{"faults: [{kind: slow, nth: [0]}]\n", `s.yaml:1: nth must count requests from 1`},
		{"faults: [{kind: slow, delay: -1s}]\n", `s.yaml:1: delay and times of a fault must not be negative`},
		{"faults: [{kind: error}]\n", `s.yaml:1: a fault of kind error needs a status and a code`},
	} {
		path := filepath.Join(t.TempDir(), "s.yaml")
		check(t, os.WriteFile(path, []byte(c.text), 0o600))
		_, err := LoadFile(path)
		if err == nil {
			t.Errorf("%q: no error", c.text)
			continue
		}
		if got := strings.ReplaceAll(err.Error(), path, "s.yaml"); !strings.HasPrefix(got, c.want) {
			t.Errorf("%q:\ngot  %s\nwant %s", c.text, got, c.want)
		}
	}
}

func TestLoadFileThatIsNotThere(t *testing.T) {
	if _, err := LoadFile(filepath.Join(t.TempDir(), "none.yaml")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
	if _, err := ReadState(iotest.ErrReader(fs.ErrPermission)); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("error %v", err)
	}
}

// New refuses the same as the file does.
func TestNewChecksItsState(t *testing.T) {
	if _, err := New(&State{Sources: []Source{{ID: 1}}}); err == nil || err.Error() != "sandbox: source 1: there is no connector 0" {
		t.Errorf("error %v", err)
	}
}

// The state for the first steps works, and holds what they need.
func TestExampleState(t *testing.T) {
	s := must(LoadFile(filepath.Join("..", "..", "examples", "sandbox.yaml")))(t)
	p := newPortalOf(t, s)
	r := call(t, p, "biconnector.source.update", docsUpdate)
	if src, _ := p.Source(4); r.at("result") != true || src.Title != "New source name" || *src.Active {
		t.Errorf("the documentation's example: %s", r.body)
	}
}

// docsUpdate is the body of the documentation's example.
const docsUpdate = `{
	"id": 4,
	"fields": {
		"title": "New source name",
		"description": "Updated source description",
		"active": false,
		"settings": {
			"login": "new_admin",
			"password": "new_password"
		}
	}
}`
