package runner_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncsources/bitrix"
	"syncsources/bitrix/rest"
	"syncsources/bitrix/sandbox"
	"syncsources/manifest"
	"syncsources/runner"
)

// sourcesEdited is a client whose answers have other lists of sources.
func (b *bench) sourcesEdited(edit func(list []any) []any) *bitrix.Client {
	var walk func(item)
	walk = func(m item) {
		for key, v := range m {
			switch v := v.(type) {
			case item:
				walk(v)
			case []any:
				first, _ := append(v, nil)[0].(item)
				if _, source := first["connectorId"]; source || len(v) == 0 && strings.HasPrefix(key, "c") {
					m[key] = edit(v)
				}
			}
		}
	}
	return b.through(edited(b.RoundTripper(), walk))
}

func each(f func(id string, it item)) func([]any) []any {
	return func(list []any) []any {
		for _, v := range list {
			f(fmt.Sprint(v.(item)["id"]), v.(item))
		}
		return list
	}
}

func applyEdited(b *bench, edit func([]any) []any, n int, o runner.Options) *runner.Report {
	client := b.sourcesEdited(edit)
	o.Set = declares(retitled(n)...)
	return runner.Apply(context.Background(), client, o)
}

// A source that the portal answers nonsense about fails alone.
func TestBrokenSourceStopsNoOther(t *testing.T) {
	for name, edit := range map[string]func(it item){
		"title":      func(it item) { it["title"] = item{"ru": "x"} },
		"no id":      func(it item) { delete(it, "id") },
		"odd id":     func(it item) { it["id"] = "seven" },
		"settings":   func(it item) { it["settings"] = "none" },
		"setting":    func(it item) { it["settings"] = []any{item{"code": "login", "value": []any{"x"}}} },
		"not itself": func(it item) { it["id"] = "8" }, // source 8 appears twice then
	} {
		t.Run(name, func(t *testing.T) {
			onPortal(t, sqlState(120), func(t *testing.T, b *bench) {
				report := applyEdited(b, each(func(id string, it item) {
					if id == "7" {
						edit(it)
					}
				}), 120, runner.Options{})
				want := map[string]int{"updated": 119, "failed BAD_ANSWER": 1}
				if name == "not itself" {
					want = map[string]int{"updated": 118, "failed BAD_ANSWER": 1, "failed SOURCE_NOT_FOUND": 1}
				}
				counts(t, report, want)
			})
		})
	}
}

// What cannot be read back is not called updated.
func TestBrokenReadBack(t *testing.T) {
	onPortal(t, sqlState(60), func(t *testing.T, b *bench) {
		report := applyEdited(b, each(func(id string, it item) {
			if id == "7" && it["title"] == "new" {
				it["title"] = []any{"new"}
			}
		}), 60, runner.Options{})
		counts(t, report, map[string]int{"updated": 59, "failed UNKNOWN_OUTCOME": 1})
	})
}

// A portal that does not say whether a source is active has not shown that it
// is not. Where active is not declared, that matters to nobody.
func TestActiveUntold(t *testing.T) {
	for name, edit := range map[string]func(it item){
		"absent": func(it item) { delete(it, "active") },
		"null":   func(it item) { it["active"] = nil },
		"odd":    func(it item) { it["active"] = "maybe" },
	} {
		for when, want := range map[string]map[string]int{
			"always":       {"updated": 1, "failed BAD_ANSWER": 2},
			"read back so": {"updated": 1, "unchanged": 1, "failed UNKNOWN_OUTCOME": 1},
		} {
			t.Run(name+" "+when, func(t *testing.T) {
				state := sqlState(3)
				state.Sources[0].Active, state.Sources[1].Active = ptr(false), ptr(false)
				onPortal(t, state, func(t *testing.T, b *bench) {
					client := b.sourcesEdited(each(func(id string, it item) {
						if when == "always" || it["title"] == "new" {
							edit(it)
						}
					}))
					desired := retitled(3)
					desired[0].Active, desired[1].Active, desired[1].Title = ptr(false), ptr(false), nil
					report := runner.Apply(context.Background(), client, runner.Options{Set: declares(desired...)})
					counts(t, report, want)
				})
			})
		}
	}
}

// A portal that says true and stores nothing is found out.
func TestTrueAndNothingStored(t *testing.T) {
	onPortal(t, sqlState(60), func(t *testing.T, b *bench) {
		report := applyEdited(b, each(func(id string, it item) {
			if id == "7" {
				it["title"] = "old"
			}
		}), 60, runner.Options{})
		counts(t, report, map[string]int{"updated": 59, "failed NOT_CONVERGED": 1})
		if s := report.Objects[6]; s.Attempts != 1 || !s.Verified {
			t.Errorf("%d attempts, verified %v", s.Attempts, s.Verified)
		}
	})
}

// The first answer about an object counts: one of the last page that was on the
// first one too, and is another there, changes nothing.
func TestFirstAnswerCounts(t *testing.T) {
	onPortal(t, sqlState(60), func(t *testing.T, b *bench) {
		report := applyEdited(b, func(list []any) []any {
			if len(list) > 0 && fmt.Sprint(list[0].(item)["id"]) == "60" {
				return each(func(_ string, it item) { it["title"] = "another" })(list)
			}
			return list
		}, 0, runner.Options{ShowUnmanaged: true})
		titles := map[string]int{}
		for _, u := range report.Unmanaged {
			titles[u.Title]++
		}
		if diff := cmp.Diff(map[string]int{"SQL": 1, "old": 50, "another": 10}, titles); diff != "" {
			t.Error(diff)
		}
	})
}

// A portal that does not heed the order has shown who knows what.
func TestListWithoutOrder(t *testing.T) {
	onPortal(t, sqlState(60), func(t *testing.T, b *bench) {
		report := applyEdited(b, func(list []any) []any {
			slices.Reverse(list)
			return list
		}, 0, runner.Options{ShowUnmanaged: true})
		if report.Error == nil || report.Error.Code != string(rest.BadAnswer) || !strings.Contains(report.Error.Message, "order") {
			t.Errorf("%v, %d shown", report.Error, len(report.Unmanaged))
		}
	})
}

// After a write that nobody could read back, an earlier look proves nothing.
func TestVerifiedBeforeALaterWrite(t *testing.T) {
	state := sqlState(1)
	state.HonourActive = true
	state.Faults = []sandbox.Fault{{Kind: sandbox.FaultDropped, Nth: []int{2}}}
	onPortal(t, state, func(t *testing.T, b *bench) {
		writes := 0
		client := b.through(roundTrip(func(r *http.Request) (*http.Response, error) {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			if strings.Contains(r.URL.Path+string(body), "source.update") {
				writes++
			}
			resp, err := b.RoundTripper().RoundTrip(r)
			if writes > 1 && bytes.Contains(body, []byte("source.list")) {
				return nil, errors.New("the connection is gone")
			}
			return resp, err
		}))
		report := runner.Apply(context.Background(), client, runner.Options{Set: declares(retitled(1)...)})
		if o := report.Objects[0]; o.Status != runner.StatusFailed || o.Verified || o.Attempts == 0 {
			t.Errorf("%+v after %d writes", o, writes)
		}
	})
}

// What is said of a password that was not stored holds neither the one that
// was sent nor the one that is shown.
func TestPasswordThatIsNotStored(t *testing.T) {
	onPortal(t, sqlState(1), func(t *testing.T, b *bench) {
		set := declares(manifest.Source{Object: manifest.Object{ID: 1, Name: "s"}, Settings: []manifest.Setting{{Code: "password", Value: manifest.Literal("sent-canary")}}})
		client := b.sourcesEdited(each(func(_ string, it item) {
			it["settings"] = []any{item{"code": "password", "value": "shown-canary"}}
		}))
		report := runner.Apply(context.Background(), client, runner.Options{Set: set})
		if o := report.Objects[0]; o.Error == nil || o.Error.Code != runner.CodeNotConverged || strings.Contains(fmt.Sprintf("%+v", o.Error), "canary") {
			t.Errorf("%+v", o.Error)
		}
	})
}

// A portal that overlooks the filter does not prove that a source is missing,
// and what nobody asked for is not looked at.
func TestSourcesNobodyAskedFor(t *testing.T) {
	other := item{"id": "9000", "title": "other", "description": nil, "connectorId": "1", "active": true, "settings": nil}
	for name, tt := range map[string]struct {
		edit func([]any) []any
		want map[string]int
	}{
		"beside the others": {func(l []any) []any { return append(l, other) }, map[string]int{"updated": 5}},
		"in their place":    {func([]any) []any { return []any{other} }, map[string]int{"failed BAD_ANSWER": 5}},
		"none at all":       {func([]any) []any { return []any{} }, map[string]int{"failed SOURCE_NOT_FOUND": 5}},
	} {
		t.Run(name, func(t *testing.T) {
			onPortal(t, sqlState(5), func(t *testing.T, b *bench) {
				report := applyEdited(b, tt.edit, 5, runner.Options{})
				counts(t, report, tt.want)
			})
		})
	}
}

// A portal that shows ever new sources, whatever range of ids it is asked for,
// is found out, and not read for ever.
func TestEndlessList(t *testing.T) {
	onPortal(t, sqlState(0), func(t *testing.T, b *bench) {
		var shown atomic.Int64
		client := b.sourcesEdited(func([]any) []any {
			list, next := make([]any, bitrix.PageSize), shown.Add(1000)
			for i := range list {
				list[i] = item{"id": next + int64(i), "title": "t", "description": nil, "active": true, "connectorId": 1, "settings": nil}
			}
			return list
		})
		live, report := runner.List(context.Background(), client, runner.Options{})
		if report.Outcome != runner.OutcomeStopped || report.Error.Code != string(rest.BadAnswer) {
			t.Errorf("%s %v after %d sources", report.Outcome, report.Error, len(live.Sources))
		}
		if report.Requests.HTTP > 50 {
			t.Errorf("%d requests", report.Requests.HTTP)
		}
	})
}

// A broken source on a page is left out of the list, and told.
func TestBrokenSourceOnAPage(t *testing.T) {
	onPortal(t, sqlState(120), func(t *testing.T, b *bench) {
		client := b.sourcesEdited(each(func(id string, it item) {
			if id == "7" {
				it["title"] = item{}
			}
		}))
		list, report := runner.List(context.Background(), client, runner.Options{})
		if len(list.Sources) != 119 || report.Outcome != runner.OutcomeFailed || len(report.Objects) != 1 || report.Objects[0].ID != 7 {
			t.Errorf("%d sources, %s %+v", len(list.Sources), report.Outcome, report.Objects)
		}
		plan := runner.Plan(context.Background(), client, runner.Options{ShowUnmanaged: true, Set: declares(retitled(1)...)})
		if plan.Summary.Unmanaged != 120 || // the connector too
			plan.Summary.Planned != 1 || plan.Outcome != runner.OutcomeChanges {
			t.Errorf("%s %+v", plan.Outcome, plan.Summary)
		}
	})
}

// What somebody else does between an update and its read-back is told as it
// is: not as declared, or not there.
func TestChangedInTheMeantime(t *testing.T) {
	for code, change := range map[string]func(b *bench, s sandbox.Source){
		runner.CodeNotConverged: func(b *bench, s sandbox.Source) {
			s.Title = "theirs"
			_ = b.SetSource(s)
		},
		"SOURCE_NOT_FOUND": func(b *bench, s sandbox.Source) { b.DeleteSource(s.ID) },
	} {
		state := sqlState(3)
		state.Latency = 2 * time.Second
		onPortal(t, state, func(t *testing.T, b *bench) {
			done := make(chan struct{})
			time.AfterFunc(2*time.Second+500*time.Millisecond, func() { // read at 1 s, answered at 2 s
				for { // until the update is there; its answer takes another second
					if s, _ := b.Source(2); s.Title == "new" {
						change(b, s)
						close(done)
						return
					}
					time.Sleep(10 * time.Millisecond)
				}
			})
			report := b.apply(runner.Options{Set: declares(retitled(3)...)})
			<-done
			counts(t, report, map[string]int{"updated": 2, "failed " + code: 1})
		})
	}
}

// expired refuses the updates of each batch, as if the token had run out once
// more whenever it has been renewed.
type expired struct{ runner.Client }

func (expired) Write(_ context.Context, updates []bitrix.Write) (*bitrix.Response, error) {
	replies := make([]bitrix.Reply, len(updates))
	for i := range replies {
		replies[i].Err = &rest.Error{Code: rest.ExpiredToken, Message: "expired", NotSent: true}
	}
	return &bitrix.Response{Replies: replies}, nil
}

// What never gets through is not tried for ever, and was not attempted.
func TestNeverDelivered(t *testing.T) {
	onPortal(t, sqlState(3), func(t *testing.T, b *bench) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		report := runner.Apply(ctx, expired{b.client}, runner.Options{Set: declares(retitled(3)...)})
		if diff := cmp.Diff(map[string]int{"failed expired_token": 3}, statuses(report)); diff != "" || report.Error != nil || report.Objects[0].Attempts != 0 || report.Objects[0].Verified {
			t.Errorf("%v, %+v\n%s", report.Error, report.Objects[0], diff)
		}
	})
}
