package runner_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncsources/bitrix/sandbox"
	"syncsources/manifest"
	"syncsources/runner"
)

// What one object of many meets on a portal, in front of it, or inside its
// PHP. All others converge in the same run.
var troublesOfOne = []struct {
	name  string
	fault string // of the source 23, in YAML
	code  string // that it fails with; empty: it is updated
}{
	{"a firewall's 403", "{kind: page, contains: union select, status: 403}", "403"},
	{"a firewall's 400", "{kind: page, contains: union select, status: 400}", "400"},
	{"a firewall's 404", "{kind: page, contains: union select, status: 404}", "404"},
	{"a firewall's 405", "{kind: page, contains: union select, status: 405}", "405"},
	{"a firewall's 406", "{kind: page, contains: union select, status: 406}", "406"},
	{"a firewall that hangs up", "{kind: dropped, contains: union select}", "*"},
	{"PHP dies", "{kind: dead, at: command, id: 23, method: biconnector.source.update}", "*"},
	{"PHP dies and is reported as JSON", "{kind: internal_error, at: command, id: 23, method: biconnector.source.update}", "*"},
	{"PHP dies after it wrote", "{kind: dead, at: command, id: 23, method: biconnector.source.update, ran: true}", ""},
	{"502", "{kind: bad_gateway, at: command, id: 23, method: biconnector.source.update}", "*"},
	{"the connection closes", "{kind: dropped, at: command, id: 23, method: biconnector.source.update}", "*"},
	{"the connection closes after it wrote", "{kind: dropped, at: command, id: 23, method: biconnector.source.update, ran: true}", ""},
	{"half an answer", "{kind: truncated, at: command, id: 23, method: biconnector.source.update}", ""},
	{"an empty answer", "{kind: empty, at: command, id: 23, method: biconnector.source.update}", "*"},
	{"ACCESS_DENIED for one command", "{kind: error, status: 200, code: ACCESS_DENIED, at: command, id: 23, method: biconnector.source.update}", "ACCESS_DENIED"},
	{"NO_AUTH_FOUND for one command", "{kind: error, status: 401, code: NO_AUTH_FOUND, at: command, id: 23, method: biconnector.source.update}", "NO_AUTH_FOUND"},
	{"false without a reason", "{kind: 'false', at: command, id: 23, method: biconnector.source.update}", "*"},
	{"false although it wrote", "{kind: 'false', at: command, id: 23, method: biconnector.source.update, ran: true}", ""},
	{"an error beside true", "{kind: contradiction, at: command, id: 23, method: biconnector.source.update}", ""},
}

func TestOneObjectsTroubleIsItsOwn(t *testing.T) {
	for _, c := range troublesOfOne {
		t.Run(c.name, func(t *testing.T) {
			state := sqlState(120)
			state.UpdateCost, state.Latency = 100*time.Millisecond, 20*time.Millisecond
			addFault(t, &state, c.fault)
			onPortal(t, state, func(t *testing.T, b *bench) {
				desired := retitled(120)
				desired[22].Description = ptr("x' union select 1")
				report := b.apply(runner.Options{Set: declares(desired...)})
				for i, o := range report.Objects {
					switch {
					case i != 22 || c.code == "":
						if o.Status != runner.StatusUpdated {
							t.Errorf("source %d: %s %+v", i+1, o.Status, o.Error)
						}
					case o.Status != runner.StatusFailed || o.Error.Code == "" || c.code != "*" && !strings.Contains(o.Error.Code+o.Error.Message, c.code):
						t.Errorf("source %d: %s %+v, want %s", i+1, o.Status, o.Error, c.code)
					}
				}
				t.Logf("%d requests, %.1f s; source 23: %+v", report.Requests.HTTP, report.Duration, report.Objects[22].Error)
			})
		})
	}
}

// So is the trouble of one that cannot be read, be it the last of all, alone
// with the rest of its batch, or the only one. One that does not exist yet is
// not taken for it.
func TestOneUnreadableTable(t *testing.T) {
	for _, n := range []int{1, 2, 5, 30} {
		for _, bad := range []int64{101, 100 + int64(n)} {
			for _, kind := range []string{"dead", "bad_gateway", "dropped"} {
				state := grown()
				state.Tables = nil
				set := &manifest.Set{}
				for i := range n {
					name := fmt.Sprint("t", i)
					state.Tables = append(state.Tables, sandbox.Table{ID: 101 + int64(i), Name: name, SourceID: 11, ExternalName: "Deals", ExternalCode: name,
						Columns: []sandbox.Column{{Name: "ID", Type: "int", ExternalCode: "id"}}})
					d := declaredTable(name, "")
					d.Source, d.Description = manifest.Ref{ID: 11}, ptr("new")
					set.Tables = append(set.Tables, d)
				}
				another := declaredTable("another", "")
				another.Source = manifest.Ref{ID: 11}
				set.Tables = append(set.Tables, another)
				addFault(t, &state, fmt.Sprintf("{kind: %s, at: command, id: %d, method: biconnector.table.get}", kind, bad))
				onPortal(t, state, func(t *testing.T, b *bench) {
					report := b.apply(runner.Options{Set: set})
					sum, o := report.Summary, report.Objects[bad-101]
					if sum.Updated != n-1 || sum.Created != 1 || o.Status != runner.StatusFailed || o.ID != bad || report.Outcome != runner.OutcomeFailed {
						t.Errorf("%s of %d of %d: %v, %v", kind, bad, n, statuses(report), report.Err())
					}
				})
			}
		}
	}
}

// A source that is in no list that PHP survives is found, and the others are
// read. Where no list works, nobody looks for one.
func TestOneUnreadableSource(t *testing.T) {
	for _, from := range []int{0, 60} { // in two chunks, and in one
		for _, kind := range []string{"dead", "page", "internal_error"} {
			state := sqlState(100)
			addFault(t, &state, fmt.Sprintf("{kind: %s, at: command, method: biconnector.source.list, contains: '77'}", kind))
			onPortal(t, state, func(t *testing.T, b *bench) {
				report := b.apply(runner.Options{Set: declares(retitled(100)[from:]...)})
				if got := statuses(report); got["updated"] != 99-from {
					t.Errorf("%s, from %d: %v, %v", kind, from, got, report.Err())
				}
			})
		}
	}
	state := sqlState(400)
	addFault(t, &state, "{kind: internal_error, at: command, method: biconnector.source.list}")
	onPortal(t, state, func(t *testing.T, b *bench) {
		if report := b.apply(runner.Options{Set: declares(retitled(400)...)}); report.Summary.Updated != 0 || report.Requests.HTTP > 100 {
			t.Errorf("%v after %d requests", statuses(report), report.Requests.HTTP)
		}
	})
}

// A list of connectors that PHP never survives is only a help to a run that has
// sources: it goes on without.
func TestDeadListOfConnectors(t *testing.T) {
	for _, n := range []int{1, 60} {
		for _, kind := range []string{"dead", "dropped", "internal_error"} {
			state := sqlState(n)
			addFault(t, &state, fmt.Sprintf("{kind: %s, at: command, method: biconnector.connector.list}", kind))
			onPortal(t, state, func(t *testing.T, b *bench) {
				if report := b.apply(runner.Options{Set: declares(retitled(n)...)}); report.Summary.Updated != n {
					t.Errorf("%s, %d sources: %v, %v", kind, n, statuses(report), report.Err())
				}
			})
		}
	}
}

// addFault adds a fault of a state file to a state.
func addFault(t *testing.T, state *sandbox.State, fault string) {
	t.Helper()
	s := must(sandbox.ReadState(strings.NewReader("faults: [" + fault + "]")))(t)
	state.Faults = append(state.Faults, s.Faults...)
}

// However a portal writes what it has, a run converges, and the next one has
// nothing to do.
func TestEverySpellingOfAnswers(t *testing.T) {
	for name, s := range map[string]sandbox.Switches{
		"today":            {},
		"ids as texts":     {TextIDs: true},
		"booleans Y and N": {LetterBooleans: true},
		"null texts":       {NullTexts: true},
		"newest keys":      {NewKeys: true, TextCodes: true},
		"whole seconds":    {WholeSeconds: true},
		"no operating":     {HideOperating: true},
		"2025":             {TextIDs: true, LetterBooleans: true, NullTexts: true, NoTableMethods: true, NoSupportMapping: true, NoCode: sandbox.NoCodeEmpty},
		"shown 1 s later":  {ShowAfter: time.Second},
		"both billed":      {OperatingBilled: sandbox.BilledBoth, OperatingBan: 5 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			state := sqlState(60)
			s.HonourActive = true
			state.Switches = s
			onPortal(t, state, func(t *testing.T, b *bench) {
				desired := retitled(60)
				for i := range desired {
					desired[i].Active, desired[i].Description = ptr(i%2 == 0), ptr("")
				}
				if got := statuses(b.apply(runner.Options{Set: declares(desired...)})); got["updated"] != 60 {
					t.Errorf("the first run: %v", got)
				}
				time.Sleep(s.ShowAfter)
				if got := statuses(b.apply(runner.Options{Set: declares(desired...)})); got["unchanged"] != 60 {
					t.Errorf("the second run: %v", got)
				}
			})
		})
	}
}

// An object whose title cannot be read exactly is not made a second time, nor
// removed as undeclared, where a declaration without an id may mean it.
func TestUncleanTitlesMayBeMeant(t *testing.T) {
	for title, want := range map[string]map[string]int{
		"Caf\u00e9":        {"failed " + runner.CodeUncleanText: 1},
		"Caf\U0001f680":    {"failed " + runner.CodeUncleanText: 1},
		"Caf\u00e9 Berlin": {"created": 1, "deleted": 1},
		"Caf":              {"created": 1, "deleted": 1},
		"Sales":            {"created": 1, "deleted": 1},
	} {
		t.Run(title, func(t *testing.T) {
			state := sqlState(1)
			state.Sources[0].Title = "Caf\xed\xa0" // two bytes that are not UTF-8
			onPortal(t, state, func(t *testing.T, b *bench) {
				set := declares(manifest.Source{Object: manifest.Object{Name: "s"}, Connector: manifest.Ref{ID: 1}, Title: &title,
					Settings: []manifest.Setting{{Code: "host", Value: manifest.Literal("h")}}})
				set.Declares.Sources = true
				report := b.apply(runner.Options{Set: set, Prune: true})
				if diff := cmp.Diff(want, statuses(report)); diff != "" {
					t.Errorf("%s\n%v", diff, report.Err())
				}
			})
		})
	}
}

// A text that cannot be read exactly is never sent back: not as the title that
// must go along with a password.
func TestUncleanTitlesAreNotSentBack(t *testing.T) {
	for _, raw := range []bool{false, true} {
		for name, title := range map[string]string{"cp1251": "\xcf\xf0\xee", "half a character": "a\xed\xa0\xbd", "U+FFFD": "a\ufffdb"} {
			t.Run(fmt.Sprint(name, " ", raw), func(t *testing.T) {
				state := sqlState(3)
				state.RawBytes = raw
				state.Sources[1].Title = title
				onPortal(t, state, func(t *testing.T, b *bench) {
					var desired []manifest.Source
					for id := range int64(3) {
						desired = append(desired, manifest.Source{Object: manifest.Object{ID: id + 1, Name: "s"},
							Settings: []manifest.Setting{{Code: "password", Value: manifest.Literal("new")}}})
					}
					report := b.apply(runner.Options{Set: declares(desired...)})
					if diff := cmp.Diff(map[string]int{"updated": 2, "failed " + runner.CodeUncleanText: 1}, statuses(report)); diff != "" {
						t.Errorf("%s, raw %v: %s", name, raw, diff)
					}
					if s, _ := b.Source(2); s.Title != title || s.Settings["password"] != "old-password" {
						t.Errorf("%s, raw %v: it was written: %+v", name, raw, s)
					}
				})
			})
		}
	}
}

// The portal demands a title with every update; a source that gets none, because
// it is as declared, may have a live title of "0".
func TestTitleOfZeroWithoutAnUpdate(t *testing.T) {
	state := sandbox.State{
		Connectors: []sandbox.Connector{{ID: 1, Title: "SQL", Settings: []sandbox.SettingType{{Code: "host", Name: "Host"}}}},
		Sources:    []sandbox.Source{{ID: 4, Title: "0", ConnectorID: 1, Settings: map[string]string{"host": "h"}}},
	}
	onPortal(t, state, func(t *testing.T, b *bench) {
		set := &manifest.Set{Sources: []manifest.Source{{Object: manifest.Object{ID: 4}, Settings: []manifest.Setting{{Code: "host", Value: manifest.Literal("h")}}}}}
		if report := b.apply(runner.Options{Set: set}); report.Summary.Unchanged != 1 {
			t.Errorf("%+v", report.Objects[0])
		}
	})
}

// On a connector that has settings called like fields, no setting is
// overwritten by what was meant for a field.
func TestSettingsCalledLikeFieldsStay(t *testing.T) {
	state := sandbox.State{
		Switches:   sandbox.Switches{HonourActive: true},
		Connectors: []sandbox.Connector{{ID: 1, Settings: []sandbox.SettingType{{Code: "title"}, {Code: "type"}, {Code: "active"}, {Code: "description"}, {Code: "connector_id"}}}},
		Sources: []sandbox.Source{{ID: 1, Title: "old", ConnectorID: 1, Settings: map[string]string{"title": "t", "type": "u"}},
			{ID: 2, Title: "old", ConnectorID: 1}},
	}
	onPortal(t, state, func(t *testing.T, b *bench) {
		report := b.apply(runner.Options{Set: declares(
			manifest.Source{Object: manifest.Object{ID: 1, Name: "a"}, Title: ptr("new"), Description: ptr("D"), Active: ptr(false)},
			manifest.Source{Object: manifest.Object{ID: 2, Name: "b"}, Title: ptr("new"), Active: ptr(false)})})
		if got := statuses(report); got["updated"] != 2 {
			t.Errorf("%v", got)
		}
		for id, want := range map[int64]map[string]string{1: {"title": "t", "type": "u"}, 2: {}} {
			if s, _ := b.Source(id); !maps.Equal(s.Settings, want) || s.Title != "new" || *s.Active {
				t.Errorf("source %d: %+v", id, s)
			}
		}
	})
}

// What a portal stores otherwise is said, with what it shows where that may be
// printed and the way out, and is written once a run at most.
func TestStoredOtherwise(t *testing.T) {
	password := func(value string) manifest.Source {
		return manifest.Source{Settings: []manifest.Setting{{Code: "password", Value: manifest.Literal(value)}}}
	}
	for name, c := range map[string]struct {
		switches sandbox.Switches
		source   manifest.Source
		message  string // what the failure holds
		hint     string // what its hint holds, in each run
	}{
		"cut titles":      {sandbox.Switches{CutTitles: 3}, manifest.Source{Title: ptr("longer")}, `title: sent "longer", shown "lon"`, "declare what the portal shows"},
		"escaped":         {sandbox.Switches{StoreTexts: []string{"escape"}}, manifest.Source{Title: ptr("a & b")}, `shown "a &amp; b", with characters escaped`, "declare what the portal shows"},
		"normalised":      {sandbox.Switches{StoreTexts: []string{"nfc"}}, manifest.Source{Description: ptr("e\u0301clair")}, "other code points", "declare what the portal shows"},
		"without emoji":   {sandbox.Switches{StoreTexts: []string{"bmp"}}, manifest.Source{Title: ptr("a 🚀")}, "such as emoji", "declare what the portal shows"},
		"leading zeros":   {sandbox.Switches{StoreNumbers: true}, password("007"), "settings.password is stored as a number", "declare what the portal shows"},
		"masked":          {sandbox.Switches{ShowSettings: sandbox.SettingsMasked}, password("x"), "", `hides the values of "password", so they cannot be verified: leave the setting out`},
		"hashed":          {sandbox.Switches{ShowSettings: sandbox.SettingsHashed}, password("x"), "", "leave the setting out of the manifest and change it by hand, or use --no-verify"},
		"left out":        {sandbox.Switches{ShowSettings: sandbox.SettingsOmitted}, password("x"), "", `hides the values of "password"`},
		"left out, empty": {sandbox.Switches{ShowSettings: sandbox.SettingsOmitted}, password(""), "", `hides the values of "password"`},
		"shown late":      {sandbox.Switches{ShowAfter: time.Hour}, manifest.Source{Title: ptr("new")}, `title: sent "new", shown`, "if it shows writes late, the next run finds this one"},
		"no settings key": {sandbox.Switches{OmitKeys: []string{"settings"}}, manifest.Source{Settings: []manifest.Setting{{Code: "login", Value: manifest.Literal("")}}}, "nothing about settings", ""},
		"no description":  {sandbox.Switches{OmitKeys: []string{"description"}}, manifest.Source{Description: ptr("")}, "nothing about description", ""},
		"a code twice":    {sandbox.Switches{DoubleSettings: true}, manifest.Source{Settings: []manifest.Setting{{Code: "login", Value: manifest.Literal("admin")}}}, "twice", ""},
	} {
		t.Run(name, func(t *testing.T) {
			state := sqlState(1)
			state.Switches = c.switches
			onPortal(t, state, func(t *testing.T, b *bench) {
				c.source.Object = manifest.Object{ID: 1, Name: "s"}
				for run := range 2 {
					before := b.Stats().Updates[1]
					report := b.apply(runner.Options{Set: declares(c.source)})
					o := report.Objects[0]
					if o.Status != runner.StatusFailed {
						t.Errorf("run %d: %s", run, o.Status)
					} else if !strings.Contains(o.Error.Message, c.message) || !strings.Contains(o.Error.Hint, c.hint) {
						t.Errorf("run %d: %s: %s (%s)", run, o.Error.Code, o.Error.Message, o.Error.Hint)
					}
					if n := b.Stats().Updates[1] - before; n > 1 {
						t.Errorf("run %d: %d updates", run, n)
					}
				}
			})
		})
	}
}

// A setting whose value the portal hides is written for three sources, and for
// no more once they have come back without it.
func TestHiddenSettings(t *testing.T) {
	for name, c := range map[string]struct {
		show    string
		was     map[string]string
		updates int
	}{
		"masked":               {sandbox.SettingsMasked, map[string]string{"password": "old"}, 3},
		"masked once it is":    {sandbox.SettingsMasked, nil, 3},
		"left out":             {sandbox.SettingsOmitted, map[string]string{"password": "old"}, 3},
		"shown, and empty yet": {"", nil, 20},
		"hashed once it is":    {sandbox.SettingsHashed, nil, 20},
	} {
		t.Run(name, func(t *testing.T) {
			state := sqlState(20)
			state.ShowSettings = c.show
			var desired []manifest.Source
			for i := range state.Sources {
				state.Sources[i].Settings = c.was
				desired = append(desired, manifest.Source{Object: manifest.Object{ID: state.Sources[i].ID, Name: "s"},
					Settings: []manifest.Setting{{Code: "password", Value: manifest.Literal("new"), Reveal: true}}})
			}
			onPortal(t, state, func(t *testing.T, b *bench) {
				report := b.apply(runner.Options{Set: declares(desired...)})
				for _, o := range report.Objects {
					if o.Error != nil && strings.Contains(o.Error.Message, "so it was not sent") && strings.Contains(o.Error.Message, `sent "new"`) {
						t.Errorf("it says both: %s", o.Error.Message)
					}
				}
				want := "updated"
				if c.show != "" {
					want = "failed " + runner.CodeNotConverged
				}
				if got := statuses(report); got[want] != len(desired) || len(b.Stats().Updates) != c.updates {
					t.Errorf("%v after %d updates, want %d", got, len(b.Stats().Updates), c.updates)
				}
			})
		})
	}
}

// Another job of the application spends the operating time: the run asks again
// with one command when the portal says so, and ends as soon as it may.
func TestAnotherJobSpendsTheTime(t *testing.T) {
	state := sqlState(400)
	state.UpdateCost, state.OperatingLimit, state.Latency = 500*time.Millisecond, 300*time.Second, 20*time.Millisecond
	state.OtherJobs = []sandbox.OtherJob{{Method: "biconnector.source.update", Spends: 200 * time.Second, Every: time.Minute, Times: 1}}
	onPortal(t, state, func(t *testing.T, b *bench) {
		report := b.apply(runner.Options{Set: declares(retitled(400)...)})
		if got := statuses(report); got["updated"] != 400 || report.Duration > 700 {
			t.Errorf("%v in %.0f s", got, report.Duration)
		}
		t.Logf("%.0f s, %d requests, %d refused", report.Duration, report.Requests.HTTP, b.Stats().Blocked["biconnector.source.update"])
	})
}

// What comes before or after the JSON, or in its place, is said in words.
func TestNotJSON(t *testing.T) {
	for fault, want := range map[string]string{
		"{kind: text_before}": "text before the JSON",
		"{kind: text_after}":  "more after the JSON",
		"{kind: empty}":       "nothing",
		"{kind: page, status: 200, text: '<html><h1>Maintenance</h1>'}":       "a web page",
		"{kind: page, status: 200, text: '<?xml version=\"1.0\"?><result/>'}": "XML",
		"{kind: bad_gateway}": "502 Bad Gateway",
	} {
		t.Run(want, func(t *testing.T) {
			state := sqlState(2)
			addFault(t, &state, fault)
			onPortal(t, state, func(t *testing.T, b *bench) {
				report := b.apply(runner.Options{Set: declares(retitled(2)...)})
				if report.Outcome != runner.OutcomeStopped || report.Error == nil || report.Error.Code != "BAD_ANSWER" || !strings.Contains(report.Error.Message, want) {
					t.Errorf("%s: %s %+v, want %q", fault, report.Outcome, report.Error, want)
				}
				if report.Duration > 60 {
					t.Errorf("%s: %.0f s", fault, report.Duration)
				}
			})
		})
	}
}

// Errors in the form of REST 3.0 are read as what they are.
func TestREST3Errors(t *testing.T) {
	state := sqlState(2)
	state.REST3Errors = true
	addFault(t, &state, "{kind: error, status: 403, code: user_access_error, description: no}")
	onPortal(t, state, func(t *testing.T, b *bench) {
		report := b.apply(runner.Options{Set: declares(retitled(2)...)})
		if report.Error == nil || report.Error.Code != "user_access_error" || report.Requests.HTTP > 2 {
			t.Errorf("%+v after %d requests", report.Error, report.Requests.HTTP)
		}
	})
}

// A portal that drips, or never answers, is given up.
func TestDrippingPortal(t *testing.T) {
	for _, fault := range []string{"{kind: drip, delay: 3s}", "{kind: slow, delay: 10h}"} {
		t.Run(fault, func(t *testing.T) {
			state := sqlState(2)
			addFault(t, &state, fault)
			onPortal(t, state, func(t *testing.T, b *bench) {
				b.patience(10 * time.Second)
				report := b.apply(runner.Options{Set: declares(retitled(2)...)})
				if report.Outcome != runner.OutcomeStopped || report.Duration > 120 {
					t.Errorf("%s: %s after %.0f s: %+v", fault, report.Outcome, report.Duration, report.Error)
				}
			})
		})
	}
}

// The error of fields.update after its commit, and tables of older portals.
func TestTablesOfOtherPortals(t *testing.T) {
	for name, s := range map[string]sandbox.Switches{
		"today": {}, "sync fails": {SyncFails: true}, "sync fails, with a code": {SyncFails: true, TextCodes: true}, "dataset only": {NoTableMethods: true},
	} {
		t.Run(name, func(t *testing.T) {
			state := sqlState(1)
			state.Switches = s
			state.Tables = []sandbox.Table{{ID: 1, Name: "deals", SourceID: 1, ExternalName: "D", ExternalCode: "d",
				Columns: []sandbox.Column{{Name: "ID", Type: "int"}, {Name: "OLD", Type: "int"}}}}
			onPortal(t, state, func(t *testing.T, b *bench) {
				set := &manifest.Set{Tables: []manifest.Table{{Object: manifest.Object{Name: "deals"}, Source: manifest.Ref{ID: 1},
					ExternalName: ptr("D"), ExternalCode: ptr("d"), Description: ptr("new"),
					Columns: []manifest.Column{{Name: "ID", Type: "int", ExternalCode: "ID", Visible: ptr(false)}, {Name: "NEW", Type: "string", ExternalCode: "n"}}}}}
				set.Declares.Tables = true
				for run, want := range []string{"updated", "unchanged"} {
					report := b.apply(runner.Options{Set: set, Prune: true})
					if got := statuses(report); got[want] != 1 {
						t.Errorf("%s, run %d: %v %+v", name, run, got, report.Objects)
					}
				}
				tab, _ := b.Table(1)
				var columns []string
				for _, c := range tab.Columns {
					columns = append(columns, fmt.Sprint(c.Name, *c.Visible))
				}
				if got := fmt.Sprint(columns) + " " + tab.Description; got != "[IDfalse NEWtrue] new" {
					t.Errorf("%s: %s", name, got)
				}
			})
		})
	}
}

// Whoever deletes an object while lists are read hides no other one, whether
// ids have gaps or none.
func TestDeletedWhileListsAreRead(t *testing.T) {
	state := sqlState(300)
	for i := range state.Sources {
		state.Sources[i].ID = int64(1000 + i)
		if i < 60 || i >= 240 {
			state.Sources[i].ID = int64(3 + 10*i)
		}
	}
	for nth := range 4 {
		state.People = append(state.People, sandbox.Deed{After: "biconnector.source.list", Nth: nth + 1, Do: "delete", Kind: "source", ID: int64(3 + 10*nth)})
	}
	onPortal(t, state, func(t *testing.T, b *bench) {
		plan := runner.Plan(t.Context(), b.client, runner.Options{Set: &manifest.Set{}, ShowUnmanaged: true})
		shown := map[int64]bool{}
		for _, u := range plan.Unmanaged {
			shown[u.ID] = true
		}
		for _, s := range b.Sources() {
			if !shown[s.ID] {
				t.Errorf("source %d is there and not shown", s.ID)
			}
		}
		if n := len(b.Sources()); n != 296 {
			t.Errorf("%d sources are left", n)
		}
	})
}
