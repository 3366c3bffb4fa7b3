package runner_test

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncsources/bitrix"
	"syncsources/bitrix/sandbox"
	"syncsources/manifest"
	"syncsources/runner"
)

// The portal documentation's own example: source 4 with everything an update
// can carry.
func TestApplyDocumentationExample(t *testing.T) {
	desired := []manifest.Source{{
		Object: manifest.Object{ID: 4, Name: "#4"}, Title: ptr("New source name"), Description: ptr("Updated source description"), Active: ptr(false),
		Settings: []manifest.Setting{
			{Code: "login", Value: manifest.Literal("new_admin")},
			{Code: "password", Value: manifest.Literal("new_password")},
		},
	}}
	state := sqlState(5)
	state.HonourActive = true
	onPortal(t, state, func(t *testing.T, b *bench) {
		report := b.apply(runner.Options{Set: declares(desired...)})
		if report.Outcome != runner.OutcomeOK || report.Objects[0].Status != runner.StatusUpdated || !report.Objects[0].Verified || report.Objects[0].Notes != nil {
			t.Fatalf("%+v %+v", report.Outcome, report.Objects[0])
		}
		got, _ := b.Source(4)
		want := sandbox.Source{ID: 4, Title: "New source name", Description: ptr("Updated source description"), Active: ptr(false),
			ConnectorID: 1, CreatedByID: 1, Settings: map[string]string{"login": "new_admin", "password": "new_password"}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the portal has:\n%s", diff)
		}
		again := b.apply(runner.Options{Set: declares(desired...)})
		if again.Summary.Unchanged != 1 || b.Stats().Updates[4] != report.Objects[0].Attempts {
			t.Errorf("the second run: %+v after %d updates", again.Summary, b.Stats().Updates[4])
		}
	})
	state.HonourActive = false
	onPortal(t, state, func(t *testing.T, b *bench) {
		report := b.apply(runner.Options{Set: declares(desired...)})
		s := report.Objects[0]
		if s.Status != runner.StatusFailed || s.Error.Code != runner.CodeNotConverged || !strings.HasSuffix(s.Error.Message, "active") || s.Notes == nil {
			t.Errorf("%s %v", s.Status, s.Error)
		}
		if got, _ := b.Source(4); got.Title != "New source name" || got.Settings["password"] != "new_password" {
			t.Errorf("the other fields were not written: %+v", got)
		}
	})
}

func TestOneBadSourceStopsNoOther(t *testing.T) {
	state := sqlState(6)
	state.Sources[1].Check = sandbox.CheckFail
	state.Sources[2].Check = sandbox.CheckFailOnce
	state.Connectors = append(state.Connectors, sandbox.Connector{ID: 2, Owner: "another application", Settings: state.Connectors[0].Settings})
	state.Sources[3].ConnectorID = 2
	state.Sources[4].Title = "new"
	onPortal(t, state, func(t *testing.T, b *bench) {
		report := b.apply(runner.Options{Set: declares(append(retitled(6), manifest.Source{Object: manifest.Object{ID: 99}, Title: ptr("x")})...)})
		var got []string
		for _, s := range report.Objects {
			line := string(s.Status)
			if s.Error != nil {
				line += " " + s.Error.Code
			}
			got = append(got, line)
		}
		want := []string{"updated", "failed SOURCE_UPDATE_CONNECTION_ERROR", "updated", "failed SOURCE_NOT_FOUND", "unchanged", "updated", "failed SOURCE_NOT_FOUND"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if checks := b.Stats().Checks; checks[2] != 2 || checks[3] != 2 {
			t.Errorf("connection checks: %v, want one later retry each", checks)
		}
		if report.Outcome != runner.OutcomeFailed || report.Err() == nil {
			t.Errorf("outcome %s, error %v", report.Outcome, report.Err())
		}
	})
}

// A portal that loses the updates of some seconds, while it answers reads, is
// waited for.
func TestUpdatesOutlastARestart(t *testing.T) {
	state := sqlState(1)
	state.HonourActive = true
	state.Faults = []sandbox.Fault{{Kind: sandbox.FaultBadGateway, Method: bitrix.MethodSourceUpdate, Rate: 1, Times: 5}}
	onPortal(t, state, func(t *testing.T, b *bench) {
		report := b.apply(runner.Options{Set: declares([]manifest.Source{{Object: manifest.Object{ID: 1, Name: "#1"}, Active: ptr(false)}}...)})
		s := report.Objects[0]
		if s.Status != runner.StatusUpdated || s.Attempts != 6 {
			t.Errorf("%s after %d attempts: %v", s.Status, s.Attempts, s.Error)
		}
		if report.Duration < 15 || report.Duration > 20 {
			t.Errorf("it took %.1f s; the attempts should span 1+2+4+8 s", report.Duration)
		}
	})
}

// A lost answer is settled by reading: nothing is updated twice that the
// portal already has, and nothing is left out.
func TestLostAnswers(t *testing.T) {
	for _, kind := range []string{sandbox.FaultDropped, sandbox.FaultTruncated, sandbox.FaultInternal, sandbox.FaultBadGateway, sandbox.FaultTimeout, sandbox.FaultEmpty} {
		for _, ran := range []bool{true, false} {
			if kind == sandbox.FaultTruncated && !ran {
				continue // a truncated answer always ran
			}
			t.Run(kind, func(t *testing.T) {
				state := sqlState(60)
				state.Faults = []sandbox.Fault{{Kind: kind, Nth: []int{2}, Ran: ran}}
				onPortal(t, state, func(t *testing.T, b *bench) {
					report := b.apply(runner.Options{Set: declares(retitled(60)...)})
					if diff := cmp.Diff(map[string]int{"updated": 60}, statuses(report)); diff != "" {
						t.Fatal(diff)
					}
					for id, n := range b.Stats().Updates {
						if n != 1 {
							t.Errorf("source %d was updated %d times", id, n)
						}
					}
				})
			})
		}
	}
}

// Retries are commands that were sent again, whoever saw to it.
func TestRetriesAreCounted(t *testing.T) {
	for name, tt := range map[string]struct {
		fault   sandbox.Fault
		check   string
		retries int
	}{
		"none":                {retries: 0},
		"a lost batch":        {fault: sandbox.Fault{Kind: sandbox.FaultBadGateway, Nth: []int{2}}, retries: 1},
		"it ran all the same": {fault: sandbox.Fault{Kind: sandbox.FaultBadGateway, Nth: []int{2}, Ran: true}, retries: 0},
		"a lost flag":         {fault: sandbox.Fault{Kind: sandbox.FaultBadGateway, Nth: []int{3}}, retries: 1},
		"a lost read-back":    {fault: sandbox.Fault{Kind: sandbox.FaultBadGateway, Nth: []int{4}}, retries: 1},
		"a failed check":      {check: sandbox.CheckFailOnce, retries: 1},
	} {
		t.Run(name, func(t *testing.T) {
			state := sqlState(1)
			state.HonourActive, state.Sources[0].Check = true, tt.check
			if tt.fault.Kind != "" {
				state.Faults = []sandbox.Fault{tt.fault}
			}
			onPortal(t, state, func(t *testing.T, b *bench) {
				report := b.apply(runner.Options{Set: declares([]manifest.Source{{Object: manifest.Object{ID: 1, Name: "#1"}, Title: ptr("new"), Active: ptr(false)}}...)})
				if report.Summary.Updated != 1 || report.Requests.Retries != tt.retries {
					t.Errorf("%v, %d retries, want %d", statuses(report), report.Requests.Retries, tt.retries)
				}
			})
		})
	}
}

func TestGuards(t *testing.T) {
	limit := must(runner.ParseLimit("40%"))(t)
	for name, tt := range map[string]struct {
		options runner.Options
		code    string
	}{
		"max changes": {runner.Options{MaxChanges: limit}, runner.CodeTooManyChanges},
		"checksum":    {runner.Options{Checksum: "0123"}, runner.CodeStalePlan},
	} {
		t.Run(name, func(t *testing.T) {
			onPortal(t, sqlState(5), func(t *testing.T, b *bench) {
				tt.options.Set = declares(retitled(5)...)
				report := b.apply(tt.options)
				if report.Outcome != runner.OutcomeFailed || report.Error.Code != tt.code || report.Summary.Skipped != 5 {
					t.Errorf("%s %+v %v", report.Outcome, report.Error, statuses(report))
				}
				if len(b.Stats().Updates) != 0 {
					t.Error("written all the same")
				}
				plan := runner.Plan(context.Background(), b.client, runner.Options{Set: declares(retitled(5)...)})
				done := b.apply(runner.Options{Set: declares(retitled(5)...), Checksum: plan.Checksum})
				if done.Summary.Updated != 5 {
					t.Errorf("with the plan's checksum: %v %v", statuses(done), done.Error)
				}
				set := retitled(5)
				set[0].Title, set[1].Title = ptr("newer"), ptr("newer")
				if two := b.apply(runner.Options{Set: declares(set...), MaxChanges: limit}); two.Summary.Updated != 2 {
					t.Errorf("two of five: %v %v", statuses(two), two.Error)
				}
			})
		})
	}
}

// On a portal that ignores active, three sources find it out and the others
// are not sent.
func TestIgnoredActiveIsNotSentOnAndOn(t *testing.T) {
	var desired []manifest.Source
	for id := range int64(40) {
		desired = append(desired, manifest.Source{Object: manifest.Object{ID: id + 1}, Active: ptr(false)})
	}
	desired[20].Title = ptr("new")
	onPortal(t, sqlState(40), func(t *testing.T, b *bench) {
		report := b.apply(runner.Options{Set: declares(desired...)})
		counts(t, report, map[string]int{"failed NOT_CONVERGED": 40})
		total := 0
		for _, n := range b.Stats().Updates {
			total += n
		}
		if total != 4 {
			t.Errorf("%d updates, want 3 probes and a title", total)
		}
		if live, _ := b.Source(21); live.Title != "new" {
			t.Error("the title was not written")
		}
	})
	state := sqlState(40)
	state.HonourActive = true
	onPortal(t, state, func(t *testing.T, b *bench) {
		if report := b.apply(runner.Options{Set: declares(desired...)}); report.Summary.Updated != 40 {
			t.Errorf("%v", statuses(report))
		}
	})
}

func TestNoVerify(t *testing.T) {
	onPortal(t, sqlState(3), func(t *testing.T, b *bench) {
		report := b.apply(runner.Options{Set: declares(retitled(3)...), NoVerify: true})
		if report.Summary.Updated != 3 || report.Objects[0].Verified {
			t.Errorf("%v, verified %v", statuses(report), report.Objects[0].Verified)
		}
		if report.Requests.HTTP != 4 {
			t.Errorf("%d requests, want a read and three writes", report.Requests.HTTP)
		}
	})
}

// Without verification a lost answer is settled by reading all the same.
func TestNoVerifyOfALostAnswer(t *testing.T) {
	state := sqlState(3)
	state.Faults = []sandbox.Fault{{Kind: sandbox.FaultDropped, Method: bitrix.MethodSourceUpdate, At: sandbox.AtCommand, Nth: []int{1}}}
	onPortal(t, state, func(t *testing.T, b *bench) {
		report := b.apply(runner.Options{Set: declares(retitled(3)...), NoVerify: true})
		for _, o := range report.Objects {
			if live, _ := b.Source(o.ID); o.Status != runner.StatusUpdated || live.Title != "new" {
				t.Errorf("%s, the title is %q", o.Status, live.Title)
			}
		}
	})
}

// Without verification what a stop kept from being sent does not count as done.
func TestNoVerifyOfWhatWasNotSent(t *testing.T) {
	state := sqlState(1)
	state.HonourActive, state.UpdateCost = true, time.Second
	onPortal(t, state, func(t *testing.T, b *bench) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second/2)
		defer cancel()
		set := retitled(1)
		set[0].Active = ptr(false) // a second call
		report := runner.Apply(ctx, b.client, runner.Options{Set: declares(set...), NoVerify: true})
		o := report.Objects[0]
		if live, _ := b.Source(o.ID); live.Title != "new" || live.Active != nil && !*live.Active || o.Status != runner.StatusFailed || o.Error.Code != runner.CodeNotConverged {
			t.Errorf("%s %v of %+v", o.Status, o.Error, live)
		}
	})
}

// answering is a client whose updates are not done, and answered with a result.
type answering struct {
	*bitrix.Client
	result string
}

func (a answering) Write(_ context.Context, updates []bitrix.Write) (*bitrix.Response, error) {
	return &bitrix.Response{Replies: slices.Repeat([]bitrix.Reply{{Result: []byte(a.result)}}, len(updates))}, nil
}

// Only true says that an update was done; that is believed without a look.
func TestNothingButTrueIsBelieved(t *testing.T) {
	for result, want := range map[string]string{"true": "updated", "false": "failed BAD_ANSWER", "null": "failed BAD_ANSWER", "1": "failed BAD_ANSWER", `"true"`: "failed BAD_ANSWER", "[]": "failed BAD_ANSWER"} {
		onPortal(t, sqlState(3), func(t *testing.T, b *bench) {
			report := runner.Apply(context.Background(), answering{b.client, result}, runner.Options{Set: declares(retitled(3)...), NoVerify: true})
			if got := statuses(report); got[want] != 3 {
				t.Errorf("%s: %v", result, got)
			}
		})
	}
}

// Waiting is time with nothing in flight; the time of requests is none.
func TestWaited(t *testing.T) {
	state := sqlState(3)
	state.Latency = time.Second
	onPortal(t, state, func(t *testing.T, b *bench) {
		report := b.apply(runner.Options{Set: declares(retitled(3)...)})
		if report.Requests.Waited != 0 || report.Duration < 3 {
			t.Errorf("waited %v s of %v s", report.Requests.Waited, report.Duration)
		}
	})
}

func TestUnmanaged(t *testing.T) {
	onPortal(t, sqlState(230), func(t *testing.T, b *bench) {
		report := runner.Plan(context.Background(), b.client, runner.Options{
			Set: declares(retitled(3)...), ShowUnmanaged: true})
		// 227 sources and their connector.
		if report.Summary.Unmanaged != 228 || report.Unmanaged[0].Kind != runner.KindConnector || report.Unmanaged[1].ID != 4 || report.Summary.Planned != 3 {
			t.Errorf("%+v", report.Summary)
		}
		// What is declared is declared, though it is not selected.
		report = runner.Plan(context.Background(), b.client, runner.Options{
			Set: declares(retitled(3)...), ShowUnmanaged: true, Selected: func(o manifest.Object) bool { return o.ID == 1 }})
		if report.Summary.Unmanaged != 228 || report.Summary.Total != 1 {
			t.Errorf("one is selected: %+v", report.Summary)
		}
	})
}

// The portal checks a connection with what it has, and may say so: also with
// the password that this update does not change.
func TestLivePasswordInAnError(t *testing.T) {
	state := sqlState(1)
	state.Sources[0].Check = sandbox.CheckFail
	for name, edit := range map[string]func(s *manifest.Source){
		"title":  func(s *manifest.Source) { s.Title = ptr("new") },
		"active": func(s *manifest.Source) { s.Active = ptr(false) },
		"password": func(s *manifest.Source) {
			s.Settings = append(s.Settings, manifest.Setting{Code: "password", Value: manifest.Literal("new")})
		},
	} {
		onPortal(t, state, func(t *testing.T, b *bench) {
			client := b.through(rewritten(b.RoundTripper(), func(content []byte) []byte {
				return bytes.ReplaceAll(content, []byte(`"error_description":"`), []byte(`"error_description":"admin:old-password@db `))
			}))
			s := manifest.Source{Object: manifest.Object{ID: 1, Name: "s"}, Settings: []manifest.Setting{{Code: "login", Value: manifest.Literal("admin"), Reveal: true}}}
			edit(&s)
			report := runner.Apply(context.Background(), client, runner.Options{Set: declares(s)})
			got := report.Objects[0].Error
			if got == nil || !strings.HasPrefix(got.Message, "admin:(sensitive)@db ") {
				t.Errorf("%s: got %v", name, got)
			}
		})
	}
}
