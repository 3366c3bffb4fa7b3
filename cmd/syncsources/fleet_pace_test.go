package main

import (
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"syncsources/bitrix/sandbox"
	"syncsources/cmd/syncsources/exit"
	"syncsources/runner"
)

var (
	fleetPortals  = flag.Int("fleet.portals", 20, "how many portals TestFleetMakespan has")
	fleetParallel = flag.Int("fleet.parallel", 0, "how many of them run side by side; 0: all")
)

// Many portals take as long as the slowest of them alone: none waits for
// another.
func TestFleetMakespan(t *testing.T) {
	const sources, changed = 100, 10
	state, declared := &strings.Builder{}, &strings.Builder{}
	state.WriteString("connectors: [{id: 1, title: SQL}]\nsources:\n")
	declared.WriteString("version: 1\nsources:\n")
	for id := 1; id <= sources; id++ {
		title := "Old"
		if id <= changed {
			title = "New"
		}
		fmt.Fprintf(state, "  - {id: %d, title: Old, connectorId: 1}\n", id)
		fmt.Fprintf(declared, "  - {id: %d, title: %s}\n", id, title)
	}
	var names []string
	for i := range *fleetPortals {
		names = append(names, fmt.Sprintf("p%d", i))
	}
	r := newFleetRun(t, nil)
	text := "version: 1\ndefaults: {credentials: {access_token: {env: TOKEN}}}\nportals:\n"
	for _, name := range names {
		text += fmt.Sprintf("  - {name: %s, url: https://%s.example, manifests: [m.yaml]}\n", name, name)
	}
	writeRedacted(t, r.file, text)
	writeRedacted(t, strings.TrimSuffix(r.file, "portals.yaml")+"m.yaml", declared.String())
	synctest.Test(t, func(t *testing.T) {
		for i, name := range names {
			s := must(sandbox.ReadState(strings.NewReader(fmt.Sprintf("%supdate_cost: %dms\nlatency: %dms\n", state, 500+i%10*100, 50+i%7*10))))(t)
			s.KeepCalls = -1
			r.portals[name+".example"] = must(sandbox.New(s))(t)
		}
		defer r.close()
		var before runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		begin := time.Now()
		path := filepath.Join(filepath.Dir(r.file), "all.json")
		got := r.run(t.Context(), "", "apply", "--quiet", "--report", path, "--parallel", fmt.Sprint(cmp.Or(*fleetParallel, len(names))))
		makespan := time.Since(begin).Seconds()
		var after runtime.MemStats
		runtime.ReadMemStats(&after)
		content := must(os.ReadFile(path))(t)
		var all struct {
			Summary runner.Summary
			Portals []struct {
				Report struct {
					Duration float64 `json:"duration_seconds"`
				}
			}
		}
		check(t, json.Unmarshal(content, &all))
		slowest := 0.0
		for _, p := range all.Portals {
			slowest = max(slowest, p.Report.Duration)
		}
		if got.code != exit.OK || all.Summary.Updated != changed*len(names) || makespan > 1.05*slowest && *fleetParallel == 0 {
			t.Errorf("exit code %d, %+v, %.1f s, the slowest portal alone %.1f s", got.code, all.Summary, makespan, slowest)
		}
		t.Logf("%d portals of %d sources: %.1f s, the slowest %.1f s; from the system %d MiB, of these %d before", len(names), sources, makespan, slowest, after.Sys>>20, before.Sys>>20)
	})
}
