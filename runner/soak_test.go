package runner_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/oauth2"

	"syncsources/bitrix"
	"syncsources/bitrix/auth"
	"syncsources/bitrix/sandbox"
	"syncsources/bitrix/secret"
	"syncsources/runner"
	"syncsources/runner/schedule"
)

var (
	soakSeed  = flag.Uint64("soak.seed", 0, "replay one seed of TestSoak")
	soakSeeds = flag.Uint64("soak.seeds", 40, "how many seeds TestSoak tries")
	soakFrom  = flag.Uint64("soak.from", 1, "the first of them")
)

// A seed makes a portal, what goes wrong on it, and a manifest; three runs
// follow. The first may be ended at any instant, the second meets the same
// portal and its faults, the third a portal on its best behaviour. After each,
// all of the portal is compared with what it was, and the report with both.
func TestSoak(t *testing.T) {
	t.Parallel()
	seeds := *soakSeeds
	if testing.Short() {
		seeds = min(seeds, 15)
	}
	first, last := *soakFrom, *soakFrom+seeds-1
	if *soakSeed > 0 {
		first, last = *soakSeed, *soakSeed
	}
	var all soaked
	for seed := first; seed <= last; seed++ {
		all.add(soak(t, seed))
		if t.Failed() && seed < last {
			t.Fatalf("stopped after seed %d", seed)
		}
	}
	t.Logf("%d seeds: %d runs, of them %d ended early; %d sources, %d updates, %d renewals; %d requests and %d checks that went wrong: %v",
		last-first+1, all.runs, all.ended, all.sources, all.updates, all.renewals, all.struck(), all.faults[sandbox.FaultConnection], all.faults)
}

// A seed that fails must fail again when it is looked into.
func TestSoakReplays(t *testing.T) {
	t.Parallel()
	for seed := uint64(3); seed < 60; seed += 19 {
		one, two := soak(t, seed), soak(t, seed)
		if diff := cmp.Diff(one, two, cmp.AllowUnexported(soaked{})); diff != "" {
			t.Errorf("seed %d gives another run the second time:\n%s", seed, diff)
		}
	}
}

// Tokens that live for seconds, and an authorization server that is slow: in
// these seeds requests that waited for a token once came in crowds, or waited
// so long for their next turn that it had expired again.
func TestSoakOfRenewals(t *testing.T) {
	for _, seed := range []uint64{202725, 210346, 100628} {
		if soak(t, seed).renewals == 0 {
			t.Errorf("seed %d renews nothing any more; look for another one", seed)
		}
	}
}

// soaked counts what happened.
type soaked struct {
	runs, ended, sources, updates, renewals int
	faults                                  map[string]int
	took                                    time.Duration
}

func (s *soaked) add(o soaked) {
	s.runs, s.ended, s.sources, s.updates, s.took = s.runs+o.runs, s.ended+o.ended, s.sources+o.sources, s.updates+o.updates, s.took+o.took
	s.renewals += o.renewals
	if s.faults == nil {
		s.faults = make(map[string]int)
	}
	for kind, n := range o.faults {
		s.faults[kind] += n
	}
}

func (s *soaked) struck() int {
	n := 0
	for kind, times := range s.faults {
		if kind != sandbox.FaultConnection {
			n += times
		}
	}
	return n
}

// soak lives through one seed.
func soak(t *testing.T, seed uint64) (got soaked) {
	t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			w := newWorld(seed)
			got.sources = len(w.desired)
			portal := open(t, w.state)
			defer func() { _ = portal.Close() }()
			store := &memory{} // what is left between runs

			first := w.run(t, portal, store, w.options, w.end)
			if n := portal.Stats().Refused; n > 0 && w.state.Limits.Level == 0 {
				t.Errorf("%d requests ran into the rate limit of a portal that nobody else uses", n)
			}
			again := w.options
			again.NoVerify, again.FailFast = false, false
			second := w.run(t, portal, store, again, 0)
			for i := range w.desired {
				d := &w.desired[i]
				if live, ok := first.visible(first.after, d.ID); ok && len(differing(d, live)) == 0 && second.sent[d.ID]+second.report.Objects[i].Attempts > 0 {
					t.Errorf("source %d was as declared, and run 2 sent an update", d.ID)
				}
			}
			calm := w.state
			calm.Faults, calm.OperatingLimit, calm.Limits.Level, calm.Workers = nil, 0, 0, 0
			calm.Sources = portal.Sources()
			rested := open(t, calm)
			defer func() { _ = rested.Close() }()
			time.Sleep(time.Hour)
			again.Schedule = schedule.Config{Rate: w.options.Schedule.Rate, Burst: w.options.Schedule.Burst, RequestTime: w.state.RequestTime, Seed: seed}
			third := w.run(t, rested, &memory{}, again, 0)
			third.settled(t)

			for _, l := range []*lived{first, second, third} {
				got.runs++
				if o := l.report.Outcome; o == runner.OutcomeStopped || o == runner.OutcomeInterrupted {
					got.ended++
				}
			}
			got.faults = portal.Stats().Faults
			for _, p := range []*sandbox.Portal{portal, rested} {
				got.renewals += p.Stats().Renewals
				for _, n := range p.Stats().Updates {
					got.updates += n
				}
			}
			got.took = time.Since(start)
		})
		if t.Failed() {
			t.Errorf("replay with: go test ./runner -run 'TestSoak$' -soak.seed %d", seed)
		}
	})
	return got
}

func open(t *testing.T, state sandbox.State) *sandbox.Portal {
	state.KeepCalls = -1
	p := must(sandbox.New(&state))(t)
	return p
}

// memory keeps a token pair for a process.
type memory struct {
	pair  auth.Pair
	there bool
}

func (m *memory) Lock(context.Context) (auth.LockedStore, error) { return m, nil }
func (m *memory) Prepare(context.Context, auth.Pair) error       { return nil }
func (m *memory) Discard() error                                 { return nil }
func (m *memory) Store(_ context.Context, p auth.Pair) error     { m.pair, m.there = p, true; return nil }
func (m *memory) Patience() time.Duration                        { return 0 }
func (m *memory) Unlock()                                        {}
func (m *memory) String() string                                 { return "memory" }
func (m *memory) Load(context.Context) (auth.Pair, error) {
	if !m.there {
		return auth.Pair{}, auth.ErrNoPair
	}
	return m.pair, nil
}

// credentials are those that the world has for a portal.
func (w *world) credentials(t *testing.T, portal *sandbox.Portal, store *memory) bitrix.Credentials {
	t.Helper()
	const address = "https://portal.example"
	var tokens oauth2.TokenSource = oauth2.StaticTokenSource(&oauth2.Token{AccessToken: sandbox.AccessToken})
	if w.renewed {
		server, err := auth.NewAuthServer(auth.AuthConfig{URL: address, ClientID: sandbox.ClientID,
			ClientSecret: secret.New(sandbox.ClientSecret), Transport: portal.RoundTripper()})
		check(t, err)
		tokens, err = auth.NewTokenSource(auth.TokenConfig{Server: server, Store: store, Portal: address, Seed: secret.New(sandbox.RefreshToken)})
		check(t, err)
	}
	creds, err := bitrix.Application(address, tokens, secret.New(sandbox.ClientSecret))
	if w.webhook {
		creds, err = bitrix.Webhook(address + sandbox.WebhookPath)
	}
	check(t, err)
	return creds
}

// run applies the manifest and checks what is reported.
func (w *world) run(t *testing.T, portal *sandbox.Portal, store *memory, o runner.Options, end time.Duration) *lived {
	t.Helper()
	carrier := newWire(portal.RoundTripper())
	l := &lived{world: w, options: o, before: byID(portal.Sources())}
	checks := portal.Stats().Checks

	const forever = 48 * time.Hour // a run that takes longer does not end
	ctx, cancel := context.WithTimeout(context.Background(), forever)
	defer cancel()
	if end > 0 && w.signal {
		interrupted, interrupt := context.WithCancelCause(ctx)
		defer time.AfterFunc(end, func() { interrupt(runner.ErrInterrupted) }).Stop()
		ctx = interrupted
	} else if end > 0 {
		limited, cancel := context.WithTimeout(ctx, end)
		defer cancel()
		ctx = limited
	}
	start := time.Now()
	l.report = runner.Apply(ctx, bitrix.New(bitrix.Config{Credentials: w.credentials(t, portal, store), Transport: carrier}), o)
	took := time.Since(start)
	portal.Wait()

	l.after = byID(portal.Sources())
	carrier.mu.Lock()
	l.requests, l.throttled, l.sent, l.fields = carrier.requests, carrier.throttled, maps.Clone(carrier.sent), maps.Clone(carrier.fields)
	l.needless = maps.Clone(carrier.needless)
	carrier.mu.Unlock()
	l.checks = portal.Stats().Checks
	for id, n := range checks {
		l.checks[id] -= n
	}
	for _, broken := range l.broken() {
		t.Error(broken)
	}
	switch {
	case took >= forever:
		t.Error("the run does not end")
	case end > 0 && took > end+16*time.Second:
		t.Errorf("the run took %s, and was to end after %s", took, end)
	}
	return l
}

// settled checks a run on which nothing went wrong: what can be as declared
// is, and what cannot fails with its reason.
func (l *lived) settled(t *testing.T) {
	t.Helper()
	for i := range l.world.desired {
		d, s := &l.world.desired[i], &l.report.Objects[i]
		was, visible := l.visible(l.before, d.ID)
		code := ""
		if s.Error != nil {
			code = s.Error.Code
		}
		want := l.world.hopeless(d, was, visible)
		if want == either && (code == runner.CodeNotConverged || code == "SOURCE_UPDATE_CONNECTION_ERROR") {
			want = code
		}
		if code != want {
			t.Errorf("source %d (%s): want the code %q when nothing goes wrong", d.ID, outcomeOf(s), want)
		}
	}
}

func byID(list []sandbox.Source) map[int64]sandbox.Source {
	m := make(map[int64]sandbox.Source, len(list))
	for _, s := range list {
		m[s.ID] = s
	}
	return m
}
