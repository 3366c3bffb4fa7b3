package runner_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"syncsources/bitrix/sandbox"
	"syncsources/runner"
)

// TestIsolation: whatever one object of many meets, in whatever place, however
// it fails, and whether or not it was done by then, all others are created in
// the same run, each once; the object itself is told as what it is.
func TestIsolation(t *testing.T) {
	t.Parallel()
	seeds := uint64(150)
	if testing.Short() {
		seeds = 30
	}
	kinds := []string{sandbox.FaultInternal, sandbox.FaultUnexpected, sandbox.FaultDead, sandbox.FaultBadGateway, sandbox.FaultTimeout, sandbox.FaultDropped,
		sandbox.FaultTruncated, sandbox.FaultEmpty, sandbox.FaultError, sandbox.FaultPage, sandbox.FaultBefore, sandbox.FaultAfter, sandbox.FaultFalse, sandbox.FaultContradiction}
	for seed := range seeds {
		r := rand.New(rand.NewPCG(seed, 1))
		n := 1 + r.IntN(70)
		k := r.IntN(n)
		table := r.IntN(2) == 0
		fault := sandbox.Fault{Kind: one(r, kinds...), At: sandbox.AtCommand, Method: "biconnector.source.add", Contains: fmt.Sprintf("pw-s%03d", k),
			Ran: r.IntN(2) == 0, Status: one(r, 400, 403, 404, 406, 500), Code: one(r, "BX_ERROR", "ACCESS_DENIED", "NO_AUTH_FOUND", "ERROR_CORE")}
		if fault.Kind == sandbox.FaultPage { // a firewall, which may have looked at the answer
			fault.At, fault.Method, fault.Status = "", "", one(r, 400, 403, 404, 405, 406)
		}
		if table {
			fault.Contains = fmt.Sprintf("t_s%03d", k)
			if fault.Method != "" {
				fault.Method = "biconnector.table.add"
			}
		}
		if r.IntN(3) == 0 {
			fault.Times = 1 + r.IntN(3)
		}
		state := sandbox.State{Faults: []sandbox.Fault{fault}, Seed: seed,
			UpdateCost: one(r, 0, 50*time.Millisecond, 900*time.Millisecond), WriteCost: one(r, 0, 20*time.Millisecond), Latency: one(r, 0, 100*time.Millisecond)}
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			onPortal(t, state, func(t *testing.T, b *bench) {
				report := b.apply(runner.Options{Set: fromNothing(n)})
				b.Wait()
				for _, o := range report.Objects {
					troubled := o.Name == fmt.Sprintf("s%03d", k) && !table || o.Name == fmt.Sprintf("t_s%03d", k)
					switch {
					case o.Status == runner.StatusCreated:
					case !troubled:
						t.Errorf("%s %s: %s %+v", o.Kind, o.Name, o.Status, o.Error)
					}
				}
				titles := map[string]int{}
				for _, s := range b.Sources() {
					if titles[s.Title]++; titles[s.Title] > 1 {
						t.Errorf("%s was made twice", s.Title)
					}
				}
				missing := n - len(b.Sources()) + n - len(b.Tables())
				if missing > 2 || len(b.Connectors()) != 1 {
					t.Errorf("%d sources, %d tables of %d, %d connectors", len(b.Sources()), len(b.Tables()), n, len(b.Connectors()))
				}
				created := 0
				for _, o := range report.Objects {
					if o.Status == runner.StatusCreated {
						created++
					}
				}
				if created > 1+len(b.Sources())+len(b.Tables()) {
					t.Errorf("%d are called created", created)
				}
				if t.Failed() {
					t.Logf("%+v, source or table %d of %d: %s after %.0f s, %d requests", fault, k, n, report.Outcome, report.Duration, report.Requests.HTTP)
				}
			})
		})
	}
}
