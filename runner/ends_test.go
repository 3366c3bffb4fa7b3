package runner_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"syncsources/bitrix"
	"syncsources/bitrix/sandbox"
	"syncsources/manifest"
	"syncsources/runner"
	"syncsources/runner/schedule"
)

func TestDoomStopsTheRun(t *testing.T) {
	state := sqlState(200)
	state.UpdateCost = time.Second
	state.Faults = []sandbox.Fault{{Kind: sandbox.FaultOverload, Nth: []int{4}}}
	onPortal(t, state, func(t *testing.T, b *bench) {
		report := b.apply(runner.Options{Set: declares(retitled(200)...)})
		if report.Outcome != runner.OutcomeStopped || report.Error == nil || report.Error.Code != "OVERLOAD_LIMIT" {
			t.Fatalf("%s %v", report.Outcome, report.Error)
		}
		if report.Summary.Skipped == 0 {
			t.Errorf("nothing skipped: %v", statuses(report))
		}
		b.Wait()
		for _, s := range report.Objects {
			if live, _ := b.Source(s.ID); s.Status == runner.StatusSkipped && live.Title != "old" {
				t.Errorf("source %d is reported as skipped and was written", s.ID)
			} else if s.Status == runner.StatusUpdated && live.Title != "new" {
				t.Errorf("source %d is reported as updated and was not", s.ID)
			} else if s.Status != runner.StatusUpdated && live.Title == "new" {
				t.Errorf("source %d was written, and is reported as %s: %v", s.ID, s.Status, s.Error)
			} else if s.Error != nil && strings.Contains(s.Error.Message, runner.CodeInterrupted) {
				t.Errorf("nobody interrupted the run: %v", s.Error)
			}
		}
	})
}

// What ends every call lets all go who wait for something: at a gate, for what
// they depend on, and for what must be gone before. The bubble panics where any
// flow is left behind.
func TestDoomLeavesNobodyWaiting(t *testing.T) {
	for nth := range 12 {
		state := grown()
		state.Faults = []sandbox.Fault{{Kind: sandbox.FaultOverload, Nth: []int{nth + 4, nth + 5, nth + 6, nth + 7}},
			{Kind: sandbox.FaultDropped, Method: "biconnector.connector.update", At: sandbox.AtCommand, Ran: true}}
		for id := range int64(8) {
			state.Sources = append(state.Sources, sandbox.Source{ID: 40 + id, Title: "old", ConnectorID: 1})
		}
		onPortal(t, state, func(t *testing.T, b *bench) {
			set := fromNothing(2)
			set.Connectors[0].Name, set.Connectors[0].Title = "erp", ptr("ERP")
			set.Connectors = append(set.Connectors, declaredConnector("new"))
			set.Sources = append(set.Sources, declaredSource("waits", "new"))
			for id := range int64(8) {
				set.Sources = append(set.Sources, manifest.Source{Object: manifest.Object{ID: 40 + id, Name: "s"}, Title: ptr("new"), Active: ptr(false)})
			}
			report := b.apply(runner.Options{Set: set, Prune: true})
			if report.Outcome != runner.OutcomeStopped || report.Summary.Planned > 0 {
				t.Errorf("at request %d: %s, %v", nth+4, report.Outcome, statuses(report))
			}
		})
	}
}

// Whenever something ends every call: what had been done by then is called
// created, updated or deleted where one more look can be had, and nothing else
// is. What was written and is not so has failed, what was not written is
// skipped.
func TestLastLook(t *testing.T) {
	seen := map[string]bool{}
	for nth := range 12 {
		for name, tt := range map[string]struct {
			also int // another request that fails
			late time.Duration
		}{"shown": {}, "shown late": {late: time.Hour}, "no look": {also: 1}} {
			state := grown()
			state.ShowAfter = tt.late
			state.Faults = []sandbox.Fault{{Kind: sandbox.FaultOverload, Nth: []int{nth + 4, nth + 4 + tt.also}}}
			onPortal(t, state, func(t *testing.T, b *bench) {
				set := declaringCRM()
				set.Connectors[0].Description = ptr("new")
				set.Sources = append(set.Sources, declaredSource("new", "erp"), manifest.Source{Object: manifest.Object{ID: 13, Name: "shop"}, Title: ptr("new")})
				set.Tables[0].Description = ptr("new")
				set.Tables[0].Columns = []manifest.Column{{Name: "ID", Type: "int", ExternalCode: "id"}, {Name: "NEW", Type: "int", ExternalCode: "new"}}
				report := b.apply(runner.Options{Set: set, Prune: true, Schedule: schedule.Config{BatchSize: 2, Concurrency: 1, Seed: 1}})
				b.Wait()
				time.Sleep(tt.late)
				done := func(o runner.Object) bool {
					c, _ := b.Connector(o.ID)
					s, isSource := b.Source(o.ID)
					table, isTable := b.Table(o.ID)
					switch {
					case o.Action == runner.ActionDelete:
						return !slices.Contains(live(b), string(o.Kind)+" "+o.Title)
					case o.Kind == runner.KindConnector:
						return c.Description == "new"
					case o.Kind == runner.KindTable:
						return isTable && table.Description == "new" && slices.ContainsFunc(table.Columns, func(c sandbox.Column) bool { return c.Name == "NEW" })
					case o.Action == runner.ActionCreate:
						return slices.Contains(live(b), "source "+o.Title)
					}
					return isSource && s.Title == "new"
				}
				for _, o := range report.Objects {
					if o.Action == runner.ActionNone {
						continue
					}
					key := string(o.Action) + " " + string(o.Status)
					if o.Error != nil {
						key += " " + o.Error.Code
					}
					seen[name+": "+key] = true
					succeeded := o.Status == runner.StatusCreated || o.Status == runner.StatusUpdated || o.Status == runner.StatusDeleted
					switch is := done(o); {
					case succeeded && (!is || !o.Verified || name == "shown late"), is && name == "shown" && !succeeded,
						o.Status == runner.StatusSkipped && (is || o.Attempts > 0), o.Attempts == 0 && (strings.Contains(key, runner.CodeNotConverged) || strings.Contains(key, runner.CodeUnknownOutcome)),
						key == "update failed NOT_CONVERGED" && name == "shown" && !strings.Contains(o.Error.Message, "the run ended before all was sent"),
						strings.Contains(fmt.Sprint(o.Error), "  "):
						t.Errorf("request %d, %s: done is %t: %+v", nth+4, name, is, o)
					}
				}
			})
		}
	}
	for _, key := range []string{"shown: create created", "shown: update updated", "shown: update failed NOT_CONVERGED", "shown: delete deleted",
		"shown late: create failed NOT_CONVERGED", "no look: update failed UNKNOWN_OUTCOME", "no look: delete failed UNKNOWN_OUTCOME", "no look: create skipped"} {
		if !seen[key] {
			t.Errorf("never seen: %s", key)
		}
	}
}

func TestWebhookIsRefused(t *testing.T) {
	onPortal(t, sqlState(3), func(t *testing.T, b *bench) {
		creds := must(bitrix.Webhook("https://portal.example" + sandbox.WebhookPath))(t)
		client := bitrix.New(bitrix.Config{Credentials: creds, Transport: b.RoundTripper()})
		report := runner.Apply(context.Background(), client, runner.Options{Set: declares(retitled(3)...)})
		if report.Outcome != runner.OutcomeStopped || report.Error.Code != "ACCESS_DENIED" {
			t.Errorf("%s %+v", report.Outcome, report.Error)
		}
		if report.Summary.Skipped != 3 {
			t.Errorf("%v", statuses(report))
		}
	})
}

func TestFailFast(t *testing.T) {
	state := sqlState(1500)
	state.UpdateCost = time.Second
	state.Sources[0].Check = sandbox.CheckFail
	onPortal(t, state, func(t *testing.T, b *bench) {
		report := b.apply(runner.Options{Set: declares(retitled(1500)...), FailFast: true})
		if report.Outcome != runner.OutcomeFailed || report.Summary.Skipped == 0 || report.Summary.Failed != 1 {
			t.Errorf("%s %v", report.Outcome, statuses(report))
		}
		for _, s := range report.Objects {
			if live, _ := b.Source(s.ID); (live.Title == "new") != (s.Status == runner.StatusUpdated) {
				t.Errorf("source %d is %s and has the title %q", s.ID, s.Status, live.Title)
			}
		}
	})
}

// A time limit that ends while the last write is settled costs nothing. Where
// its outcome cannot be read, the run was stopped, and has not failed.
func TestTimeoutDuringTheLastWrite(t *testing.T) {
	for readable, want := range map[bool]runner.Outcome{true: runner.OutcomeOK, false: runner.OutcomeStopped} {
		state := sqlState(1)
		state.UpdateCost = 10 * time.Second
		onPortal(t, state, func(t *testing.T, b *bench) {
			client := b.sourcesEdited(each(func(_ string, it item) {
				if it["title"] == "new" && !readable {
					delete(it, "title")
				}
			}))
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			report := runner.Apply(ctx, client, runner.Options{Set: declares(retitled(1)...)})
			if report.Outcome != want || report.Objects[0].Attempts != 1 || readable == (report.Error != nil) {
				t.Errorf("readable %t: %s, %v, %v", readable, report.Outcome, report.Error, statuses(report))
			}
		})
	}
}

// What ends every call is the reason, although the time limit is over by then.
func TestFatalAtTheTimeLimit(t *testing.T) {
	state := sqlState(1)
	state.UpdateCost = 10 * time.Second
	state.Faults = []sandbox.Fault{{Kind: sandbox.FaultError, Method: "batch", Contains: "source.update", Status: 503, Code: "OVERLOAD_LIMIT", Ran: true}}
	onPortal(t, state, func(t *testing.T, b *bench) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		report := runner.Apply(ctx, b.client, runner.Options{Set: declares(retitled(1)...)})
		if report.Outcome != runner.OutcomeStopped || report.Error == nil || report.Error.Code != "OVERLOAD_LIMIT" {
			t.Errorf("%s, %v, after %.0f s", report.Outcome, report.Error, report.Duration)
		}
	})
}

// A write that the portal does not answer is not waited for longer than the end
// of a run allows, and a pause of the portal not at all.
func TestEndWithoutAnAnswer(t *testing.T) {
	hanging, paused := sqlState(1), sqlState(200)
	hanging.UpdateCost, hanging.RequestTime = time.Hour, -1
	paused.UpdateCost, paused.OperatingLimit = time.Second, 50*time.Second
	for name, tt := range map[string]struct {
		state sandbox.State
		most  float64 // seconds
	}{"hanging": {hanging, 115}, "paused": {paused, 101}} {
		onPortal(t, tt.state, func(t *testing.T, b *bench) {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Second)
			defer cancel()
			report := runner.Apply(ctx, b.client, runner.Options{Set: declares(retitled(len(tt.state.Sources))...), Schedule: schedule.Config{OperatingLimit: 50 * time.Second}})
			if report.Outcome != runner.OutcomeStopped || report.Duration < 100 || report.Duration > tt.most {
				t.Errorf("%s: %s after %.1f s, %v", name, report.Outcome, report.Duration, statuses(report))
			}
		})
	}
}

// A write that was lost before a signal is read back once, and not waited for.
func TestInterruptedAfterALostAnswer(t *testing.T) {
	state := sqlState(3)
	state.Faults = []sandbox.Fault{{Kind: sandbox.FaultDropped, Method: bitrix.MethodSourceUpdate, At: sandbox.AtCommand}}
	onPortal(t, state, func(t *testing.T, b *bench) {
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		time.AfterFunc(2*time.Second, func() { cancel(runner.ErrInterrupted) })
		report := runner.Apply(ctx, b.client, runner.Options{Set: declares(retitled(3)...)})
		if report.Outcome != runner.OutcomeInterrupted || report.Duration > 10 || report.Summary.Failed != 3 {
			t.Errorf("%s after %.0f s: %v", report.Outcome, report.Duration, statuses(report))
		}
	})
}

func TestEnds(t *testing.T) {
	for name, tt := range map[string]struct {
		end     func(context.Context) (context.Context, context.CancelFunc)
		outcome runner.Outcome
		code    string
	}{
		"signal": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancelCause(ctx)
			time.AfterFunc(30*time.Second, func() { cancel(runner.ErrInterrupted) })
			return ctx, func() { cancel(nil) }
		}, runner.OutcomeInterrupted, runner.CodeInterrupted},
		"time limit": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, 30*time.Second)
		}, runner.OutcomeStopped, runner.CodeTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			state := sqlState(2000)
			state.UpdateCost = time.Second
			onPortal(t, state, func(t *testing.T, b *bench) {
				ctx, cancel := tt.end(context.Background())
				defer cancel()
				report := runner.Apply(ctx, b.client, runner.Options{Set: declares(retitled(2000)...)})
				if report.Outcome != tt.outcome || report.Error == nil || report.Error.Code != tt.code {
					t.Fatalf("%s %+v %v", report.Outcome, report.Error, statuses(report))
				}
				if report.Duration > 46 {
					t.Errorf("took %.0f s, want at most 15 s after the end", report.Duration)
				}
				if report.Summary.Updated == 0 || report.Summary.Skipped == 0 {
					t.Errorf("%v", statuses(report))
				}
				b.Wait()
				for _, s := range report.Objects {
					live, _ := b.Source(s.ID)
					if s.Status == runner.StatusUpdated && live.Title != "new" || s.Status == runner.StatusSkipped && live.Title != "old" {
						t.Fatalf("source %d is %s and has the title %q", s.ID, s.Status, live.Title)
					}
				}
			})
		})
	}
}
