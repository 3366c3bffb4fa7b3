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
connectors: [{id: 1, title: SQL, description: d, settings: [{code: host, name: Host, type: STRING}, {code: port, type: INT}]}]
sources:
  - {id: 4, title: Old name, connectorId: 1, active: false, description: "", settings: {host: db.example, port: 5432}, owner: x,
     check: fail_once, update_cost: 2s, datasets: 3}
limits: {rate: 5, burst: 250, level: 7, phase: 250ms, unlimited: false}
latency: 20ms
update_cost: 1.35s
read_cost: 5ms
request_time: 30s
operating_limit: 8m
operating_billed: batch
hide_operating: true
workers: 6
webhooks: true
honour_active: true
scope: [biconnector]
token_lifetime: 1h
address: https://acme.example
redirect: http://localhost:9000/
faults: [{kind: error, rate: 0.5, nth: [1, 2], times: 3, method: batch, ran: true, delay: 1s, status: 403, code: C, description: D}]
seed: 9
keep_calls: 100
`))
	if err != nil {
		t.Fatal(err)
	}
	off, text, cost := false, "", 2*time.Second
	want := &State{
		Connectors: []Connector{{1, "SQL", "d", []SettingType{{"host", "Host", "STRING"}, {"port", "", "INT"}}}},
		Sources: []Source{{4, "Old name", 1, &off, &text, map[string]string{"host": "db.example", "port": "5432"}, "x",
			CheckFailOnce, &cost, 3}},
		Limits:  Limits{5, 250, 7, 250 * time.Millisecond, false},
		Latency: 20 * time.Millisecond, UpdateCost: 1350 * time.Millisecond, ReadCost: 5 * time.Millisecond,
		RequestTime: 30 * time.Second, OperatingLimit: 8 * time.Minute, OperatingBilled: BilledBatch, HideOperating: true, Workers: 6,
		Webhooks: true, HonourActive: true, Scope: []string{"biconnector"}, TokenLifetime: time.Hour,
		Address: "https://acme.example", Redirect: "http://localhost:9000/",
		Faults: []Fault{{FaultError, 0.5, []int{1, 2}, 3, "batch", true, time.Second, 403, "C", "D"}},
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
		{"connectors:\n- id: 1\n- id: 1\n", `s.yaml:3: connector 1 is there twice`},
		{"connectors: [{id: 1, settings: [{name: x}]}]\n", `s.yaml:1: a setting needs a code`},
		{"connectors: [{id: 1, settings: [{code: a},\n  {code: a}]}]\n", `s.yaml:2: setting "a" is there twice`},
		{"connectors: [{id: 1, settings: [{code: a,\n  type: TEXT}]}]\n", `s.yaml:2: unknown type "TEXT": STRING or INT`},
		{head + "sources:\n- title: x\n", `s.yaml:4: a source needs a positive id`},
		{head + "sources:\n- {id: 1, connectorId: 1}\n- {id: 1, connectorId: 1}\n", `s.yaml:5: source 1 is there twice`},
		{head + "sources:\n- id: 1\n  connectorId: 7\n", `s.yaml:5: source 1: there is no connector 7`},
		{head + "sources:\n- id: 1\n  connectorId: 1\n  check: no\n", `s.yaml:6: source 1: unknown check "no": ok, fail or fail_once`},
		{head + "sources:\n- id: 1\n  connectorId: 1\n  settings:\n    hots: x\n", `s.yaml:7: source 1: connector 1 declares no setting "hots"`},
		{"latency: 1s\nupdate_cost: -1s\n", `s.yaml:2: update_cost must not be negative`},
		{"operating_billed: me\n", `s.yaml:1: unknown value "me": nested or batch`},
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
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
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
	s, err := LoadFile(filepath.Join("..", "..", "examples", "sandbox.yaml"))
	if err != nil {
		t.Fatal(err)
	}
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
