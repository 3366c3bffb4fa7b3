package main

import (
	"fmt"
	"strings"
	"testing"

	"syncsources/cmd/syncsources/option"
)

func TestParseShard(t *testing.T) {
	for text, want := range map[string]shard{"1/1": {1, 1, false}, "2/8": {2, 8, false}, "8/8": {8, 8, false}, "auto/4": {0, 4, true}} {
		if got, err := parseShard(text); err != nil || got != want {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "1", "0/4", "5/4", "-1/4", "1/0", "1/-1", "a/4", "1/4/2", "01/4", "1/04", "auto/", "auto/0", "1/100001", " 1/4"} {
		if got, err := parseShard(text); err == nil {
			t.Errorf("%q is %+v", text, got)
		}
	}
}

// Kubernetes counts from 0, shards from 1.
func TestShardOfAnIndexedJob(t *testing.T) {
	auto := shard{of: 4, auto: true}
	for index, want := range []string{"1/4", "2/4", "3/4", "4/4"} {
		s, err := auto.resolve(option.NewEnvironment([]string{fmt.Sprintf("JOB_COMPLETION_INDEX=%d", index)}))
		if err != nil || s.String() != want {
			t.Errorf("index %d: %v, %v, want %s", index, s, err, want)
		}
	}
	for _, environ := range [][]string{nil, {"JOB_COMPLETION_INDEX="}, {"JOB_COMPLETION_INDEX=4"}, {"JOB_COMPLETION_INDEX=-1"}, {"JOB_COMPLETION_INDEX=x"}} {
		if s, err := auto.resolve(option.NewEnvironment(environ)); err == nil || !strings.Contains(err.Error(), "JOB_COMPLETION_INDEX") {
			t.Errorf("%v: %v, %v", environ, s, err)
		}
	}
}

// Every portal falls to exactly one shard, and about as many to each.
func TestShardsCoverEachPortalOnce(t *testing.T) {
	const portals, shards = 2000, 8
	var load [shards]int
	for p := range portals {
		name, falls := fmt.Sprintf("portal-%d", p), 0
		for i := range shards {
			if (shard{index: i + 1, of: shards}).has(name) {
				falls++
				load[i]++
			}
		}
		if falls != 1 {
			t.Errorf("%s falls to %d shards", name, falls)
		}
	}
	for i, n := range load {
		if n < portals/shards*7/10 || n > portals/shards*13/10 {
			t.Errorf("shard %d has %d portals of %d", i+1, n, portals)
		}
	}
}

// A portal stays with its shard from release to release: the tokens, locks and
// reports of a machine are where they were. Do not change these values.
func TestShardsAreStable(t *testing.T) {
	for name, want := range map[string]int{"acme": 1, "globex": 8, "портал.рф": 15} {
		got := 0
		for i := range 16 {
			if (shard{index: i + 1, of: 16}).has(name) {
				got = i + 1
			}
		}
		if got != want {
			t.Errorf("%s falls to shard %d of 16, not %d", name, got, want)
		}
	}
}
