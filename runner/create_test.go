package runner_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncsources/bitrix/sandbox"
	"syncsources/manifest"
	"syncsources/runner"
	"syncsources/runner/schedule"
)

// declaredConnector is all that creating a connector needs.
func declaredConnector(name string) manifest.Connector {
	return manifest.Connector{
		Object: manifest.Object{Name: name}, Title: ptr(strings.ToUpper(name)),
		URLCheck: ptr("https://x.example/check"), URLTableList: ptr("https://x.example/tables"),
		URLTableDescription: ptr("https://x.example/describe"), URLData: ptr("https://x.example/data"),
		Settings: []manifest.SettingType{{Code: "host", Name: "Host", Type: "STRING"}, {Code: "password", Name: "Password", Type: "STRING"}},
	}
}

func declaredSource(name, connector string) manifest.Source {
	return manifest.Source{
		Object: manifest.Object{Name: name}, Connector: manifest.Ref{Name: connector}, Title: ptr("Source " + name),
		Settings: []manifest.Setting{{Code: "password", Value: manifest.Literal("pw-" + name)}},
	}
}

func declaredTable(name, source string) manifest.Table {
	return manifest.Table{
		Object: manifest.Object{Name: name}, Source: manifest.Ref{Name: source}, ExternalName: ptr("Deals"), ExternalCode: ptr(name),
		Columns: []manifest.Column{{Name: "ID", Type: "int", ExternalCode: "id"}, {Name: "AMOUNT", Type: "double", ExternalCode: "amount"}},
	}
}

// fromNothing declares a connector, n sources of it, and a table of each.
func fromNothing(n int) *manifest.Set {
	set := &manifest.Set{Connectors: []manifest.Connector{declaredConnector("erp")}, Declares: manifest.Declares{Connectors: true, Sources: true, Tables: true}}
	for i := range n {
		name := fmt.Sprintf("s%03d", i)
		set.Sources = append(set.Sources, declaredSource(name, "erp"))
		set.Tables = append(set.Tables, declaredTable("t_"+name, name))
	}
	return set
}

// once holds a portal to one live object for each declaration of fromNothing,
// and nothing else.
func once(t *testing.T, b *bench, n int) {
	t.Helper()
	b.Wait() // for what happens behind a lost answer
	if got := []int{len(b.Connectors()), len(b.Sources()), len(b.Tables())}; !cmp.Equal(got, []int{1, n, n}) {
		t.Errorf("connectors, sources, tables: %v, want 1, %d, %d", got, n, n)
	}
	titles := map[string]int{}
	for _, s := range b.Sources() {
		titles[s.Title]++
	}
	for title, n := range titles {
		if n > 1 {
			t.Errorf("%d sources are called %q", n, title)
		}
	}
}

// supportMapping: false is what a portal before 2026 does anyway, and it knows
// no such field.
func TestCreateWithoutMapping(t *testing.T) {
	onPortal(t, sandbox.State{Switches: sandbox.Switches{NoSupportMapping: true}}, func(t *testing.T, b *bench) {
		set := fromNothing(0)
		set.Connectors[0].SupportMapping = ptr(false)
		for _, want := range []string{"created", "unchanged"} {
			if report := b.apply(runner.Options{Set: set}); statuses(report)[want] != 1 {
				t.Errorf("%v, want %s: %v", statuses(report), want, report.Err())
			}
		}
	})
}

// A replica may not show a new object at once: it is looked for once more, and
// only then it has not converged.
func TestCreateShownLate(t *testing.T) {
	for late, want := range map[time.Duration]string{time.Second: "created", time.Hour: "failed " + runner.CodeNotConverged} {
		onPortal(t, sandbox.State{Switches: sandbox.Switches{ShowAfter: late}}, func(t *testing.T, b *bench) {
			if got := statuses(b.apply(runner.Options{Set: fromNothing(3)})); got[want] != 7 {
				t.Errorf("shown %s later: %v, want %s", late, got, want)
			}
		})
	}
}

func TestCreateFromNothing(t *testing.T) {
	const n = 100
	onPortal(t, sandbox.State{UpdateCost: 100 * time.Millisecond, Latency: 100 * time.Millisecond}, func(t *testing.T, b *bench) {
		began := time.Now()
		report := b.apply(runner.Options{Set: fromNothing(n)})
		if diff := cmp.Diff(map[string]int{"created": 2*n + 1}, statuses(report)); diff != "" {
			t.Fatalf("%s\n%v", diff, report.Err())
		}
		took := time.Since(began)
		for _, o := range report.Objects {
			if o.ID == 0 || !o.Verified || o.Attempts != 1 || o.Action != runner.ActionCreate {
				t.Fatalf("%+v", o)
			}
		}
		once(t, b, n)
		t.Logf("%d requests, %s", report.Requests.HTTP, took)
		again := b.apply(runner.Options{Set: fromNothing(n)})
		counts(t, again, map[string]int{"unchanged": 2*n + 1})
		t.Logf("second run: %d requests", again.Requests.HTTP)
	})
}

// A lost answer to an add makes no second object: whether the add was executed
// before, behind the dropped connection, or not at all.
func TestLostAnswerToAnAddMakesNoSecondObject(t *testing.T) {
	for name, fault := range map[string]sandbox.Fault{
		"executed":     {Kind: sandbox.FaultDropped, Ran: true},
		"not executed": {Kind: sandbox.FaultDropped},
		"truncated":    {Kind: sandbox.FaultTruncated, Ran: true},
		"bad gateway":  {Kind: sandbox.FaultBadGateway, Ran: true},
		"internal":     {Kind: sandbox.FaultInternal, Ran: true},
		"cut":          {Kind: sandbox.FaultTimeout, Ran: true},
		"page":         {Kind: sandbox.FaultEmpty, Ran: true},
	} {
		for _, method := range []string{"biconnector.connector.add", "batch"} {
			t.Run(name+" "+method, func(t *testing.T) {
				fault.Method, fault.Nth = method, []int{1, 2, 4}
				onPortal(t, sandbox.State{Faults: []sandbox.Fault{fault}}, func(t *testing.T, b *bench) {
					report := b.apply(runner.Options{Set: fromNothing(10)})
					counts(t, report, map[string]int{"created": 21})
					once(t, b, 10)
				})
			})
		}
	}
}

// The add that was lost may be executed up to the portal's request time later.
func TestAddExecutedLateMakesNoSecondObject(t *testing.T) {
	state := sandbox.State{UpdateCost: 50 * time.Second, Connectors: []sandbox.Connector{{ID: 1, Title: "ERP", Settings: []sandbox.SettingType{{Code: "password"}}}}}
	onPortal(t, state, func(t *testing.T, b *bench) {
		set := &manifest.Set{Sources: []manifest.Source{declaredSource("a", "")}}
		set.Sources[0].Connector = manifest.Ref{ID: 1}
		// The client gives up after 20 s; the portal makes the source after 50.
		b.patience(20 * time.Second)
		report := b.apply(runner.Options{Set: set})
		counts(t, report, map[string]int{"created": 1})
		b.Wait()
		if n := len(b.Sources()); n != 1 || report.Requests.HTTP > 12 {
			t.Errorf("%d sources after %d requests", n, report.Requests.HTTP)
		}
	})
}

var soakCreations = flag.Int("soak.creations", 0, "how many creations TestCreatedExactlyOnce simulates at least; 0 means few")

// Random faults, kills and reruns: at the end there is one object for each
// declaration. A tenth of all answers is lost.
func TestCreatedExactlyOnce(t *testing.T) {
	t.Parallel()
	n, creations, kills, lost := 12, 0, 0, 0
	least := 60 * (2*n + 1)
	if testing.Short() {
		least = 8 * (2*n + 1)
	}
	if *soakCreations > 0 {
		n, least = 100, *soakCreations
	}
	seed := uint64(0)
	for ; creations < least; seed++ {
		r := rand.New(rand.NewPCG(seed, 7))
		state := sandbox.State{Seed: seed, Latency: time.Duration(r.IntN(300)) * time.Millisecond, UpdateCost: time.Duration(r.IntN(2000)) * time.Millisecond}
		for _, kind := range []string{sandbox.FaultDropped, sandbox.FaultTruncated, sandbox.FaultBadGateway, sandbox.FaultTimeout, sandbox.FaultInternal} {
			state.Faults = append(state.Faults, sandbox.Fault{Kind: kind, Rate: 0.02, Ran: r.IntN(2) == 0})
		}
		onPortal(t, state, func(t *testing.T, b *bench) {
			lastAdd := &note{}
			for run := 0; ; run++ {
				o := runner.Options{Set: fromNothing(n), Schedule: schedule.Config{Seed: seed + 1}, LastAdd: lastAdd.get(),
					NoteAdd:     func(_ context.Context, at time.Time) error { lastAdd.set(at); return nil },
					AddsSettled: func() { lastAdd.set(time.Time{}) },
				}
				if r.IntN(3) > 0 && run < 6 {
					kills++
					b.killAfter(time.Duration(r.IntN(20000))*time.Millisecond, o)
					continue
				}
				report := b.apply(o)
				if report.Outcome == runner.OutcomeOK {
					break
				}
				if run > 40 {
					t.Fatalf("seed %d: %v", seed, report.Err())
				}
			}
			once(t, b, n)
			for _, struck := range b.Stats().Faults {
				lost += struck
			}
		})
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
		creations += 2*n + 1
	}
	t.Logf("%d worlds, %d objects created once each, %d kills, %d requests that went wrong", seed, creations, kills, lost)
}

// A run that finds the note of a killed one reads nothing before the portal
// must have ended the add that it had sent.
func TestWaitsForTheAddOfAKilledRun(t *testing.T) {
	onPortal(t, sandbox.State{KeepCalls: 100}, func(t *testing.T, b *bench) {
		sent := time.Now().Add(-20 * time.Second)
		report := b.apply(runner.Options{Set: fromNothing(1), LastAdd: sent})
		if report.Outcome != runner.OutcomeOK {
			t.Fatal(report.Err())
		}
		if first := b.Calls()[0].At; first.Before(sent.Add(time.Minute)) {
			t.Errorf("the portal was read %s after the add", first.Sub(sent))
		}
	})
}

// A clock that was set back since the note makes the run wait no longer than
// the portal can take.
func TestWaitsForTheAddOfARunThatIsYetToCome(t *testing.T) {
	onPortal(t, sandbox.State{KeepCalls: 100}, func(t *testing.T, b *bench) {
		start := time.Now()
		b.apply(runner.Options{Set: fromNothing(1), LastAdd: start.Add(24 * time.Hour)})
		if waited := b.Calls()[0].At.Sub(start); waited < time.Minute || waited > 2*time.Minute {
			t.Errorf("the portal was read after %s", waited)
		}
	})
}

// An add that cannot be noted is not sent.
func TestAnAddThatCannotBeNotedIsNotSent(t *testing.T) {
	onPortal(t, sandbox.State{}, func(t *testing.T, b *bench) {
		settled := false
		report := b.apply(runner.Options{Set: fromNothing(1), AddsSettled: func() { settled = true },
			NoteAdd: func(context.Context, time.Time) error { return errors.New("disk full") }})
		if report.Outcome != runner.OutcomeStopped || report.Error.Code != "LOCKED" || len(b.Connectors()) != 0 {
			t.Errorf("%s %v, %d connectors", report.Outcome, report.Error, len(b.Connectors()))
		}
		if !settled {
			t.Error("nothing was sent, and the lock is not told")
		}
	})
}

// Where looking for a lost add finds two, nobody chooses.
func TestLostAddAndTwoFound(t *testing.T) {
	state := sandbox.State{Faults: []sandbox.Fault{{Kind: sandbox.FaultDropped, Ran: true, Method: "biconnector.source.add", At: sandbox.AtCommand, Nth: []int{1}}},
		Connectors: []sandbox.Connector{{ID: 1, Title: "ERP", Settings: []sandbox.SettingType{{Code: "password"}}}}}
	onPortal(t, state, func(t *testing.T, b *bench) {
		time.AfterFunc(500*time.Millisecond, func() {
			if err := b.SetSource(sandbox.Source{ID: 900, Title: "Source a", ConnectorID: 1}); err != nil {
				t.Error(err)
			}
		})
		set := declares(declaredSource("a", ""))
		set.Sources[0].Connector = manifest.Ref{ID: 1}
		report := b.apply(runner.Options{Set: set})
		counts(t, report, map[string]int{"failed AMBIGUOUS": 1})
	})
}

// A portal that cuts titles gets one source, however often the run is repeated.
func TestTitleStoredOtherwiseMakesNoSecondObject(t *testing.T) {
	state := sandbox.State{Connectors: []sandbox.Connector{{ID: 1, Title: "ERP", Settings: []sandbox.SettingType{{Code: "password"}}}}}
	state.CutTitles = 60
	onPortal(t, state, func(t *testing.T, b *bench) {
		set := declares(declaredSource("a", ""))
		set.Sources[0].Connector, set.Sources[0].Title = manifest.Ref{ID: 1}, ptr(strings.Repeat("long title ", 10))
		for range 3 {
			report := b.apply(runner.Options{Set: set})
			counts(t, report, map[string]int{"failed NOT_CONVERGED": 1})
		}
		if n := len(b.Sources()); n != 1 {
			t.Errorf("%d sources", n)
		}
	})
}
