package exit

import (
	"context"
	"slices"
	"syscall"
	"testing"

	"syncsources/runner"
)

func TestExitCodes(t *testing.T) {
	interrupted := func(s syscall.Signal) context.Context {
		ctx, cancel := context.WithCancelCause(context.Background())
		cancel(Signal{Received: s})
		return ctx
	}
	for _, c := range []struct {
		outcome  runner.Outcome
		ctx      context.Context
		detailed bool
		want     int
	}{
		{outcome: runner.OutcomeOK, want: 0},
		{outcome: runner.OutcomeOK, detailed: true, want: 0},
		{outcome: runner.OutcomeChanges, want: 0},
		{outcome: runner.OutcomeChanges, detailed: true, want: 2},
		{outcome: runner.OutcomeFailed, detailed: true, want: 1},
		{outcome: runner.OutcomeInvalid, want: 3},
		{outcome: runner.OutcomeStopped, want: 4},
		{outcome: runner.OutcomeInterrupted, ctx: interrupted(syscall.SIGINT), want: 130},
		{outcome: runner.OutcomeInterrupted, ctx: interrupted(syscall.SIGTERM), want: 143},
		{outcome: runner.OutcomeInterrupted, ctx: interrupted(syscall.SIGHUP), want: 129},
	} {
		if c.ctx == nil {
			c.ctx = context.Background()
		}
		if got := Of(c.ctx, c.outcome, c.detailed); got != c.want {
			t.Errorf("outcome %s, detailed %t: exit code %d, want %d", c.outcome, c.detailed, got, c.want)
		}
	}
}

// The order of claims is a promise: 3, then 129, 130 and 143, 4, 1, 2, 0.
func TestHigherClaim(t *testing.T) {
	codes := []int{0, 2, 1, 4, 143, 130, 129, 3}
	for i, low := range codes {
		for _, high := range codes[i:] {
			if Higher(low, high) != high || Higher(high, low) != high {
				t.Errorf("of %d and %d the higher claim is %d", low, high, Higher(low, high))
			}
		}
	}
	if !slices.Contains(claims[:], Changes) || len(claims) != len(codes) {
		t.Errorf("claims are %v", claims)
	}
}
