package main

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"syncsources/cmd/syncsources/exit"
	"syncsources/cmd/syncsources/option"
)

// varShardIndex is the variable in which Kubernetes gives a pod of an Indexed
// Job its number, from 0.
const varShardIndex = "JOB_COMPLETION_INDEX"

// shard is one of the parts of a run that is spread over machines, from 1. The
// zero value is the whole run.
type shard struct {
	index, of int
	auto      bool // index comes from varShardIndex
}

// maxShards bounds the number of shards: more than anybody has machines for.
const maxShards = 100_000

// parseShard reads I/N and auto/N.
func parseShard(text string) (shard, error) {
	bad := fmt.Errorf("must be a shard and the number of shards, like 2/8, or auto/8 in a Kubernetes Indexed Job")
	first, second, ok := strings.Cut(text, "/")
	of, err := strconv.Atoi(second)
	if !ok || err != nil || of < 1 || of > maxShards || second != strconv.Itoa(of) {
		return shard{}, bad
	}
	if first == "auto" {
		return shard{of: of, auto: true}, nil
	}
	index, err := strconv.Atoi(first)
	if err != nil || index < 1 || index > of || first != strconv.Itoa(index) {
		return shard{}, bad
	}
	return shard{index: index, of: of}, nil
}

// resolve fills the index of auto/N in.
func (s shard) resolve(e option.Environment) (shard, error) {
	if !s.auto {
		return s, nil
	}
	text, set := e.Lookup(varShardIndex)
	if !set || text == "" {
		return s, exit.Refuse(exit.CodeCommandLine, fmt.Sprintf("flag --shard: auto/%d needs the variable %s, which is not set", s.of, varShardIndex),
			"Kubernetes sets it in the pods of an Indexed Job; elsewhere write the shard's number, like 1/"+strconv.Itoa(s.of))
	}
	index, err := strconv.Atoi(text)
	if err != nil || index < 0 || index >= s.of {
		return s, exit.Refuse(exit.CodeCommandLine, fmt.Sprintf("environment variable %s: %q must be an integer from 0 to %d", varShardIndex, text, s.of-1),
			"set the Job's completions and the N of --shard auto/N to the same number")
	}
	s.index = index + 1
	return s, nil
}

// has reports whether a portal of this name falls to the shard: the same on
// every machine and in every release.
func (s shard) has(name string) bool {
	if s.of == 0 {
		return true
	}
	sum := sha256.Sum256([]byte(name))
	return binary.BigEndian.Uint64(sum[:8])%uint64(s.of) == uint64(s.index-1)
}

// String is the shard as it is written, 2/8.
func (s shard) String() string { return fmt.Sprintf("%d/%d", s.index, s.of) }
