package runner_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncsources/bitrix"
	"syncsources/bitrix/sandbox"
	"syncsources/manifest"
	"syncsources/runner"
	"syncsources/runner/schedule"
)

// erpState is a portal with a connector, and no source yet.
func erpState() sandbox.State {
	return sandbox.State{Connectors: []sandbox.Connector{{ID: 1, Title: "ERP", Settings: []sandbox.SettingType{{Code: "password"}}}}}
}

// newSources declares n sources of the connector of erpState.
func newSources(n int) *manifest.Set {
	set := &manifest.Set{}
	for i := range n {
		s := declaredSource(fmt.Sprintf("s%03d", i), "")
		s.Connector = manifest.Ref{ID: 1}
		set.Sources = append(set.Sources, s)
	}
	return set
}

// What an add cannot say follows: that a source is inactive, and that a column
// is hidden.
func TestCreateInactiveAndHidden(t *testing.T) {
	for _, noVerify := range []bool{false, true} {
		onPortal(t, sandbox.State{Switches: sandbox.Switches{HonourActive: true}}, func(t *testing.T, b *bench) {
			set := fromNothing(2)
			set.Sources[0].Active = ptr(false)
			set.Tables[0].Columns[1].Visible = ptr(false)
			report := b.apply(runner.Options{Set: set, NoVerify: noVerify})
			counts(t, report, map[string]int{"created": 5})
			for _, s := range b.Sources() {
				if active := s.Active == nil || *s.Active; active != (s.Title == "Source s001") {
					t.Errorf("%s is active: %t", s.Title, active)
				}
			}
			for _, table := range b.Tables() {
				if c := table.Columns[1]; (c.Visible == nil || *c.Visible) != (table.Name == "t_s001") {
					t.Errorf("%s: %+v", table.Name, c)
				}
			}
		})
	}
}

// A firewall's page about an answer leaves open whether the add ran.
func TestPageOverAnAddMakesNoSecondObject(t *testing.T) {
	for _, ran := range []bool{true, false} {
		t.Run(fmt.Sprintf("ran %t", ran), func(t *testing.T) {
			state := erpState()
			state.Faults = []sandbox.Fault{{Kind: sandbox.FaultPage, Contains: "union select", Ran: ran}}
			onPortal(t, state, func(t *testing.T, b *bench) {
				set := newSources(20)
				set.Sources[7].Description = ptr("x' union select 1")
				report := b.apply(runner.Options{Set: set})
				want := map[string]int{"created": 20}
				if !ran {
					want = map[string]int{"created": 19, "failed BAD_ANSWER": 1}
				}
				counts(t, report, want)
				if n := len(b.Sources()); n != want["created"] {
					t.Errorf("%d sources", n)
				}
				if n := report.Objects[7].Attempts; n > 3 {
					t.Errorf("%d attempts to create what a firewall refuses", n)
				}
			})
		})
	}
}

// A portal that shows a new object after the run has ended: the next run waits
// for it, and makes no second one.
func TestNewObjectShownLate(t *testing.T) {
	state := erpState()
	state.ShowAfter = 10 * time.Second
	onPortal(t, state, func(t *testing.T, b *bench) {
		var added time.Time
		settled := false
		o := runner.Options{Set: newSources(1), AddsSettled: func() { settled = true }, NoteAdd: func(_ context.Context, at time.Time) error { added = at; return nil }}
		counts(t, b.apply(o), map[string]int{"failed NOT_CONVERGED": 1})
		if settled {
			t.Error("the next run would not wait for the add of this one")
		}
		counts(t, b.apply(runner.Options{Set: newSources(1), LastAdd: added}), map[string]int{"unchanged": 1})
		if n := len(b.Sources()); n != 1 {
			t.Errorf("%d sources", n)
		}
	})
}

// Where the page refuses the look for the object too, nobody knows whether it is
// there, and it is not added again.
func TestPageOverTheLookForAnAdd(t *testing.T) {
	state := erpState()
	state.Faults = []sandbox.Fault{{Kind: sandbox.FaultPage, Contains: "union select", Ran: true}}
	onPortal(t, state, func(t *testing.T, b *bench) {
		set := newSources(5)
		set.Sources[2].Title = ptr("x' union select 1")
		settled := false
		report := b.apply(runner.Options{Set: set, AddsSettled: func() { settled = true }})
		if settled {
			t.Error("the next run would not wait for the add of this one")
		}
		counts(t, report, map[string]int{"created": 4, "failed UNKNOWN_OUTCOME": 1})
		if n := len(b.Sources()); n != 5 {
			t.Errorf("%d sources", n)
		}
	})
}

// An add that is answered with the id of another object changes nothing of that
// object: the new one is looked for, or fails.
func TestAddAnsweredWithTheIDOfAnother(t *testing.T) {
	for name, tt := range map[string]struct {
		answers map[any]int // by the true id
		want    map[string]int
	}{
		"of one that is known": {map[any]int{32.0: 12}, map[string]int{"created": 2}},
		"of the other new one": {map[any]int{32.0: 33, 33.0: 32}, map[string]int{"failed NOT_CONVERGED": 2}},
	} {
		t.Run(name, func(t *testing.T) {
			state := grown()
			state.HonourActive = true
			onPortal(t, state, func(t *testing.T, b *bench) {
				set := newSources(2)
				set.Sources[0].Active, set.Sources[1].Active = ptr(false), ptr(false)
				client := b.through(edited(b.RoundTripper(), func(root item) {
					batch, _ := root["result"].(item)
					answers, _ := batch["result"].(item)
					for _, answer := range answers {
						if added, is := answer.(item); is && len(added) == 1 && tt.answers[added["id"]] != 0 {
							added["id"] = tt.answers[added["id"]]
						}
					}
				}))
				report := runner.Apply(t.Context(), client, runner.Options{Set: set})
				counts(t, report, tt.want)
				for _, o := range report.Objects {
					if o.Error != nil && o.Attempts != 1 {
						t.Errorf("what is another object was written to: %+v", o)
					}
				}
				for _, s := range b.Sources() {
					if strings.HasPrefix(s.Title, "Source") == (s.ID < 32) || s.ID < 32 && s.Active != nil && !*s.Active {
						t.Errorf("%+v", s)
					}
				}
				if n := len(b.Sources()); n != len(state.Sources)+2 {
					t.Errorf("%d sources", n)
				}
			})
		})
	}
}

// A new table whose names the portal stores otherwise is not said to be created:
// the next run could only fail.
func TestNamesOfANewTableThatAreStoredOtherwise(t *testing.T) {
	for _, key := range []string{"name", "externalName", "externalCode"} {
		onPortal(t, grown(), func(t *testing.T, b *bench) {
			table := declaredTable("returns", "")
			table.Source = manifest.Ref{ID: 13}
			var edit func(root item)
			edit = func(m item) {
				if text, is := m[key].(string); is && m["dateCreate"] != nil && m["id"] == 106.0 {
					m[key] = text + "_"
				}
				for _, v := range m {
					if below, is := v.(item); is {
						edit(below)
					}
				}
			}
			client := b.through(edited(b.RoundTripper(), edit))
			report := runner.Apply(t.Context(), client, runner.Options{Set: &manifest.Set{Tables: []manifest.Table{table}}})
			if o := report.Objects[0]; o.Error == nil || o.Error.Code != runner.CodeNotConverged || !strings.Contains(o.Error.Message, key) || o.Attempts != 1 {
				t.Errorf("%s: %+v", key, o)
			}
		})
	}
}

// A write whose connection check fails is tried once more, two seconds later,
// and with fail-fast not at all.
func TestConnectionCheck(t *testing.T) {
	for method, set := range map[string]*manifest.Set{bitrix.MethodSourceAdd: newSources(1), bitrix.MethodSourceUpdate: declares(retitled(1)...)} {
		for _, failFast := range []bool{false, true} {
			state := sqlState(1)
			state.Faults = []sandbox.Fault{{Kind: sandbox.FaultConnection, Method: method, Nth: []int{1}}}
			onPortal(t, state, func(t *testing.T, b *bench) {
				report := b.apply(runner.Options{Set: set, FailFast: failFast})
				o := report.Objects[0]
				if failFast != (o.Error != nil) || failFast && !strings.HasSuffix(o.Error.Code, "_CONNECTION_ERROR") {
					t.Errorf("%s: %+v", method, o)
				}
				if !failFast && report.Duration < 2 {
					t.Errorf("%s: the second attempt came after %.1f s", method, report.Duration)
				}
			})
		}
	}
}

// A run that ends before the second attempt says why the first one failed.
func TestInterruptedBeforeTheSecondAttempt(t *testing.T) {
	for name, tt := range map[string]struct {
		fault sandbox.Fault
		set   *manifest.Set
		code  string
	}{
		"refused add":    {sandbox.Fault{Kind: sandbox.FaultConnection}, newSources(1), "SOURCE_CREATE_CONNECTION_ERROR"},
		"refused update": {sandbox.Fault{Kind: sandbox.FaultConnection}, declares(retitled(1)...), "SOURCE_UPDATE_CONNECTION_ERROR"},
		"page over add":  {sandbox.Fault{Kind: sandbox.FaultPage, Contains: "source.add"}, newSources(1), "BAD_ANSWER"},
	} {
		state := sqlState(1)
		state.Latency = time.Second
		state.Faults = []sandbox.Fault{tt.fault}
		onPortal(t, state, func(t *testing.T, b *bench) {
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(2500*time.Millisecond, func() { cancel(runner.ErrInterrupted) })
			report := runner.Apply(ctx, b.client, runner.Options{Set: tt.set})
			if o := report.Objects[0]; report.Outcome != runner.OutcomeInterrupted || o.Status != runner.StatusFailed || o.Error.Code != tt.code || o.Attempts != 1 {
				t.Errorf("%s: %s, %+v", name, report.Outcome, o)
			}
		})
	}
}

// Once an add is settled its lost answers are history: what follows it is sent
// at once, and what the end of the run keeps from being sent was not lost.
func TestLossesEndWithTheAdd(t *testing.T) {
	state := erpState()
	state.HonourActive, state.KeepCalls = true, 1000
	state.Faults = []sandbox.Fault{{Kind: sandbox.FaultDropped, Method: bitrix.MethodSourceAdd, At: sandbox.AtCommand, Times: 3}}
	set := newSources(1)
	set.Sources[0].Active = ptr(false)
	onPortal(t, state, func(t *testing.T, b *bench) {
		report := b.apply(runner.Options{Set: set})
		if diff := cmp.Diff(map[string]int{"created": 1}, statuses(report)); diff != "" {
			t.Fatalf("%s\n%v", diff, report.Err())
		}
		var added time.Time
		for _, c := range b.Calls() {
			switch c.Method {
			case bitrix.MethodSourceAdd:
				added = c.At
			case bitrix.MethodSourceUpdate:
				if wait := c.At.Sub(added); wait >= time.Second {
					t.Errorf("the update came %s after the add", wait)
				}
			}
		}
	})
	state.UpdateCost = time.Second
	state.Faults[0].Ran, state.Faults[0].Times = true, 5
	set = newSources(500)
	for i := range set.Sources {
		set.Sources[i].Active = ptr(false)
	}
	onPortal(t, state, func(t *testing.T, b *bench) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		report := runner.Apply(ctx, b.client, runner.Options{Set: set})
		if report.Summary.Failed == 0 || report.Summary.Skipped == 0 {
			t.Fatal(statuses(report))
		}
		for _, o := range report.Objects {
			if o.Status == runner.StatusFailed && o.ID != 0 && !strings.HasPrefix(o.Error.Message, "the run ended before all was sent") {
				t.Errorf("%v", o.Error)
			}
		}
	})
}

// Where the look for a lost add shows something that cannot be read, that may
// be the object, and it is not added again.
func TestLookForAnAddThatCannotBeRead(t *testing.T) {
	for _, key := range []string{"id", "title"} {
		state := erpState()
		state.Faults = []sandbox.Fault{{Kind: sandbox.FaultDropped, Ran: true, Method: bitrix.MethodSourceAdd, At: sandbox.AtCommand}}
		onPortal(t, state, func(t *testing.T, b *bench) {
			client := b.sourcesEdited(each(func(_ string, it item) { delete(it, key) }))
			report := runner.Apply(t.Context(), client, runner.Options{Set: newSources(1)})
			if diff := cmp.Diff(map[string]int{"failed UNKNOWN_OUTCOME": 1}, statuses(report)); diff != "" {
				t.Errorf("no %s: %s", key, diff)
			}
			if n := len(b.Sources()); n != 1 {
				t.Errorf("no %s: %d sources", key, n)
			}
		})
	}
}

// A lost add is found under a title that cannot be read exactly.
func TestLookForAnAddWhoseTitleIsNotUTF8(t *testing.T) {
	state := erpState()
	state.Faults = []sandbox.Fault{{Kind: sandbox.FaultDropped, Ran: true, Method: bitrix.MethodSourceAdd, At: sandbox.AtCommand}}
	onPortal(t, state, func(t *testing.T, b *bench) {
		set := newSources(1)
		set.Sources[0].Title = ptr("Caf\u00e9")
		client := b.through(rewritten(b.RoundTripper(), func(content []byte) []byte {
			return bytes.ReplaceAll(bytes.ReplaceAll(content, []byte(`\u00e9`), []byte("\xe9")), []byte("\u00e9"), []byte("\xe9"))
		}))
		counts(t, runner.Apply(t.Context(), client, runner.Options{Set: set}), map[string]int{"failed NOT_CONVERGED": 1})
		if n := len(b.Sources()); n != 1 {
			t.Errorf("%d sources", n)
		}
	})
}

// A signal while objects are created skips the rest, and the outcome says so.
func TestInterruptedCreation(t *testing.T) {
	onPortal(t, sandbox.State{UpdateCost: time.Second}, func(t *testing.T, b *bench) {
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(3*time.Second, func() { cancel(runner.ErrInterrupted) })
		report := runner.Apply(ctx, b.client, runner.Options{Set: fromNothing(250)})
		if got := statuses(report); report.Outcome != runner.OutcomeInterrupted || got["created"] == 0 || got["skipped"] == 0 || got["created"]+got["skipped"] != 501 {
			t.Errorf("%s %v", report.Outcome, got)
		}
	})
}

// The next run waits for an add only if nobody knows what became of it.
func TestAddsThatAreSettled(t *testing.T) {
	for want, faults := range map[string][]sandbox.Fault{
		"failed SOURCE_CREATE_CONNECTION_ERROR": {{Kind: sandbox.FaultConnection}},
		"failed UNKNOWN_OUTCOME":                nil, // of the read-back
	} {
		state := erpState()
		state.Faults = faults
		onPortal(t, state, func(t *testing.T, b *bench) {
			settled := false
			client := b.sourcesEdited(each(func(_ string, it item) { delete(it, "title") }))
			report := runner.Apply(t.Context(), client, runner.Options{Set: newSources(1), AddsSettled: func() { settled = true }})
			if got := statuses(report); !settled || got[want] != 1 {
				t.Errorf("settled %t, %v, want %s", settled, got, want)
			}
		})
	}
}

// Adds whose answers are lost, on a portal that stores their titles otherwise,
// are found among what is newer than the plan, however much that is.
func TestLostAddStoredOtherwise(t *testing.T) {
	state := erpState()
	state.CutTitles = 60
	state.Sources = []sandbox.Source{{ID: 4, Title: "another", ConnectorID: 1}}
	state.Faults = []sandbox.Fault{{Kind: sandbox.FaultDropped, Ran: true, Method: bitrix.MethodSourceAdd, At: sandbox.AtCommand, Times: 60}}
	onPortal(t, state, func(t *testing.T, b *bench) {
		set := newSources(60)
		for i := range set.Sources {
			set.Sources[i].Title = ptr(fmt.Sprintf("%02d %s", i, strings.Repeat("long title ", 10)))
		}
		report := b.apply(runner.Options{Set: set, Schedule: schedule.Config{BatchSize: 1}})
		counts(t, report, map[string]int{"failed NOT_CONVERGED": 60})
		if n := len(b.Sources()); n != 61 {
			t.Errorf("%d sources", n)
		}
	})
}

// A portal that lets a request take longer may execute an add that much later.
func TestAddExecutedAfterALongRequestTime(t *testing.T) {
	state := erpState()
	state.UpdateCost, state.RequestTime = 100*time.Second, 3*time.Minute
	onPortal(t, state, func(t *testing.T, b *bench) {
		b.patience(20 * time.Second)
		report := b.apply(runner.Options{Set: newSources(1), Schedule: schedule.Config{RequestTime: 3 * time.Minute}})
		b.Wait()
		if n := len(b.Sources()); n != 1 || report.Summary.Created != 1 {
			t.Errorf("%d sources, %v", n, statuses(report))
		}
	})
}

// A table's name that somebody else has is a failure of its own, however the
// portal puts it.
func TestNameOfATableIsTaken(t *testing.T) {
	for _, switches := range []sandbox.Switches{{}, {TextCodes: true}, {NoTableMethods: true}} {
		state := erpState()
		state.Switches = switches
		state.Connectors = append(state.Connectors, sandbox.Connector{ID: 2, Title: "Theirs", Owner: "another application"})
		state.Sources = []sandbox.Source{{ID: 4, Title: "Source a", ConnectorID: 1}, {ID: 5, Title: "Theirs", ConnectorID: 2}}
		state.Tables = []sandbox.Table{{ID: 9, Name: "deals", SourceID: 5, ExternalName: "Deals", ExternalCode: "deals", Columns: []sandbox.Column{{Name: "ID", Type: "int", ExternalCode: "id"}}}}
		onPortal(t, state, func(t *testing.T, b *bench) {
			table := declaredTable("deals", "")
			table.Source = manifest.Ref{ID: 4}
			report := b.apply(runner.Options{Set: &manifest.Set{Tables: []manifest.Table{table}}})
			counts(t, report, map[string]int{"failed NAME_TAKEN": 1})
		})
	}
}
