package runner_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"syncsources/bitrix"
	"syncsources/bitrix/rest"
	"syncsources/runner"
)

// listed reads all sources of a portal whose answers are edited.
func listed(b *bench, edit func([]any) []any) (runner.Live, *runner.Report) {
	client := b.sourcesEdited(edit)
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	return runner.List(ctx, client, runner.Options{})
}

// between edits the sources whose ids are in a range.
func between(from, to int, edit func(it item)) func([]any) []any {
	return each(func(id string, it item) {
		var n int
		if _, err := fmt.Sscan(id, &n); err == nil && from <= n && n <= to {
			edit(it)
		}
	})
}

// A whole page of what cannot be read hides nothing that comes behind it. Where
// not even the ids can be read, the end of the list is unknown.
func TestPageThatCannotBeRead(t *testing.T) {
	noTitle, noID := func(it item) { it["title"] = item{} }, func(it item) { delete(it, "id") }
	for name, tt := range map[string]struct {
		edit   func([]any) []any
		shown  int
		broken int
		error  string
	}{
		"the first":             {between(1, 50, noTitle), 250, 50, ""},
		"one between":           {between(101, 150, noTitle), 250, 50, ""},
		"the last":              {between(251, 300, noTitle), 250, 50, ""},
		"the end of the first":  {between(41, 50, noTitle), 290, 10, ""},
		"one without its id":    {between(150, 150, noID), 299, 1, ""},
		"the first without ids": {between(1, 50, noID), 0, 0, "ids"},
		"one between without":   {between(101, 150, noID), 0, 0, "ids"},
		"nothing at the end": {func(list []any) []any {
			if len(list) > 0 && fmt.Sprint(list[0].(item)["id"]) == "300" {
				return []any{}
			}
			return list
		}, 0, 0, "end"},
	} {
		onPortal(t, sqlState(300), func(t *testing.T, b *bench) {
			live, report := listed(b, tt.edit)
			if tt.error != "" {
				if report.Error == nil || report.Error.Code != string(rest.BadAnswer) || !strings.Contains(report.Error.Message, tt.error) {
					t.Errorf("%s: %v, %d sources", name, report.Error, len(live.Sources))
				}
			} else if len(live.Sources) != tt.shown || len(live.Broken[runner.KindSource]) != tt.broken || report.Outcome != runner.OutcomeFailed {
				t.Errorf("%s: %s, %d sources, %d broken, %v", name, report.Outcome, len(live.Sources), len(live.Broken[runner.KindSource]), report.Error)
			}
		})
	}
}

// A portal whose pages are shorter than documented hides nothing: what is hidden
// would be made again.
func TestShorterPagesThanDocumented(t *testing.T) {
	for _, size := range []int{1, 7, 20, 49} {
		onPortal(t, sqlState(300), func(t *testing.T, b *bench) {
			live, report := listed(b, func(list []any) []any { return list[:min(size, len(list))] })
			if len(live.Sources) != 300 || report.Outcome != runner.OutcomeOK {
				t.Errorf("by %d: %d sources, %v", size, len(live.Sources), report.Error)
			}
		})
	}
}

// A page that is not full is the end of a list, whatever its order.
func TestShortPageWithoutOrder(t *testing.T) {
	onPortal(t, sqlState(30), func(t *testing.T, b *bench) {
		live, report := listed(b, func(list []any) []any {
			slices.Reverse(list)
			return list
		})
		if len(live.Sources) != 30 || report.Error != nil {
			t.Errorf("%d sources, %v", len(live.Sources), report.Error)
		}
	})
}

// What cannot be read is logged once, although two pages show it.
func TestBrokenSourceIsLoggedOnce(t *testing.T) {
	onPortal(t, sqlState(30), func(t *testing.T, b *bench) {
		var log bytes.Buffer
		client := b.sourcesEdited(between(7, 7, func(it item) { it["title"] = item{} }))
		runner.List(context.Background(), client, runner.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		if n := strings.Count(log.String(), "a source cannot be read"); n != 1 {
			t.Errorf("%d times:\n%s", n, &log)
		}
	})
}

// An id that is out of all proportion costs a few more ranges.
func TestEnormousIDs(t *testing.T) {
	onPortal(t, sqlState(300), func(t *testing.T, b *bench) {
		live, report := listed(b, func(list []any) []any {
			if len(list) > 0 && fmt.Sprint(list[0].(item)["id"]) == "300" {
				for i := range list {
					list[i].(item)["id"] = int64(math.MaxInt64 - 1 - i)
				}
			}
			return list
		})
		if len(live.Sources) != 350 || report.Error != nil || report.Requests.HTTP > 50 {
			t.Errorf("%d sources in %d requests, %v", len(live.Sources), report.Requests.HTTP, report.Error)
		}
	})
}

// boundless is a portal with a full page of sources every hundred thousand ids,
// for ever.
func boundless(r *http.Request) (*http.Response, error) {
	const every = 100_000
	var in struct{ Cmd map[string]string }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return nil, err
	}
	results := map[string][]item{}
	for key, command := range in.Cmd {
		method, query, _ := strings.Cut(command, "?")
		values, err := url.ParseQuery(query)
		if err != nil {
			return nil, err
		}
		from, _ := strconv.Atoi(values.Get("filter[>=id]"))
		to, err := strconv.Atoi(values.Get("filter[<id]"))
		if err != nil {
			to = math.MaxInt64
		}
		first, step := (from+every-1)/every*every+1, 1
		if values.Get("order[id]") == "DESC" {
			first, step = math.MaxInt64-1, -1
		}
		results[key] = []item{}
		for i := 0; i < bitrix.PageSize && first+i*step < to && method == bitrix.MethodSourceList; i++ {
			results[key] = append(results[key], item{"id": first + i*step, "title": "t", "description": nil, "active": true, "connectorId": 1, "settings": nil})
		}
	}
	body, err := json.Marshal(item{"result": item{"result": results, "result_error": []any{}}})
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(body))}, err
}

// A list that does not end is found out before it fills the memory.
func TestListWithoutEnd(t *testing.T) {
	onPortal(t, sqlState(0), func(t *testing.T, b *bench) {
		client := b.through(roundTrip(boundless))
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		live, report := runner.List(ctx, client, runner.Options{})
		if report.Error == nil || report.Error.Code != string(rest.BadAnswer) || !strings.Contains(report.Error.Message, "does not end") || report.Requests.HTTP > 300 {
			t.Errorf("%d sources in %d requests, %v", len(live.Sources), report.Requests.HTTP, report.Error)
		}
	})
}

// Where ids are dense at one end of a list, they are taken to be so everywhere:
// ranges that hold too much would cost one more request than those of a list
// without gaps.
func TestRangesOfADenseList(t *testing.T) {
	requests := map[int64]int{}
	for _, gap := range []int64{1, 10} {
		state := sqlState(300)
		for i := range state.Sources[250:] {
			state.Sources[250+i].ID = 251 + gap*int64(i)
		}
		onPortal(t, state, func(t *testing.T, b *bench) {
			live, report := listed(b, func(list []any) []any { return list })
			if requests[gap] = report.Requests.HTTP; len(live.Sources) != 300 {
				t.Errorf("%d sources", len(live.Sources))
			}
		})
	}
	if requests[1] != requests[10] {
		t.Errorf("requests by gap: %v", requests)
	}
}
