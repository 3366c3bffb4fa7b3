package runner_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"syncsources/bitrix/sandbox"
	"syncsources/manifest"
	"syncsources/runner"
)

// For random desired and live states: after an apply, a plan finds no change
// in any source that the apply did not report as failed, and another apply
// writes nothing to it.
func TestApplyThenPlanGivesNoChange(t *testing.T) {
	t.Parallel()
	for seed := range uint64(40) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			state, desired := randomPortal(r), []manifest.Source(nil)
			for id := range int64(len(state.Sources)) + 2 {
				if r.IntN(4) > 0 {
					desired = append(desired, randomSource(r, id+1, state.Connectors[0].Settings))
				}
			}
			onPortal(t, state, func(t *testing.T, b *bench) {
				first := b.apply(runner.Options{Set: declares(desired...)})
				plan := runner.Plan(context.Background(), b.client, runner.Options{Set: declares(desired...)})
				before := b.Stats().Updates
				second := b.apply(runner.Options{Set: declares(desired...)})
				for i, s := range first.Objects {
					if s.Status == runner.StatusFailed {
						continue
					}
					if plan.Objects[i].Status != runner.StatusUnchanged || second.Objects[i].Status != runner.StatusUnchanged {
						t.Errorf("source %d: %s, then planned as %s %v", s.ID, s.Status, plan.Objects[i].Status, plan.Objects[i].Changes)
					}
					if n := b.Stats().Updates[s.ID] - before[s.ID]; n != 0 {
						t.Errorf("source %d: the second run sent %d updates", s.ID, n)
					}
				}
			})
		})
	}
}

// texts are what batches, trimming and PHP find hard.
var texts = []string{"a", "", "0", " padded\t", "x$time[1]y", "$RESULT[c0][id]", "$result", "50%", "a+b", "a&b=c", "~", "ü", "\u00a0", "日本", "[x]", "1e3", "true", "line\nline", "\x00", `"\`}

func pick(r *rand.Rand) string { return texts[r.IntN(len(texts))] }

func title(r *rand.Rand) string {
	for {
		if s := pick(r); s != "" && s != "0" {
			return s
		}
	}
}

func randomPortal(r *rand.Rand) sandbox.State {
	state := sandbox.State{Switches: sandbox.Switches{HonourActive: r.IntN(2) == 0}, Connectors: []sandbox.Connector{
		{ID: 1, Title: "SQL", Settings: []sandbox.SettingType{{Code: "host"}, {Code: "a[b]"}, {Code: "7"}, {Code: "port", Type: "INT"}}}}}
	for id := range int64(r.IntN(130)) {
		state.Sources = append(state.Sources, sandbox.Source{ID: id + 1, Title: title(r), ConnectorID: 1, Active: ptr(r.IntN(2) == 0),
			Settings: map[string]string{"host": "h", "7": "x"}})
	}
	return state
}
