//go:build zz

package runner_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"syncsources/bitrix"
	"syncsources/manifest"
	"syncsources/runner"
	"syncsources/runner/schedule"
)

func TestZZLie(t *testing.T) {
	seed := uint64(81)
	state := grown()
	state.Seed = seed
	onPortal(t, state, func(t *testing.T, b *bench) {
		r := rand.New(rand.NewPCG(seed, 5))
		client := bitrix.New(bitrix.Config{Credentials: b.creds, Transport: &liar{portal: b.RoundTripper(), rand: r}})
		set := fromNothing(6)
		set.Declares = manifest.Declares{}
		set.Connectors[0].Name, set.Connectors[0].Title = "erp", ptr("ERP")
		for k := range 3 {
			report := runner.Apply(context.Background(), client, runner.Options{Set: set, Schedule: schedule.Config{Seed: seed + 1}})
			b.Wait()
			fmt.Println("RUN", k, report.Err())
			for _, o := range report.Objects {
				fmt.Println("  ", o.Kind, o.Name, o.ID, o.Status, o.Error, o.Attempts)
			}
			for _, s := range b.Sources() {
				fmt.Println("    live", s.ID, s.Title)
			}
		}
	})
}
