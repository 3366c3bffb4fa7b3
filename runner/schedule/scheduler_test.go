package schedule

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"syncsources/bitrix"
	"syncsources/bitrix/rest"
)

func reads(n int) []bitrix.Query {
	list := make([]bitrix.Query, n)
	for i := range list {
		list[i] = bitrix.SourcesByID([]int64{int64(i + 1)})
	}
	return list
}

// A few writes go at once, each by itself: nobody knows what they cost.
func TestAFewGoAtOnce(t *testing.T) {
	for _, n := range []int{1, 4, few} {
		bubble(t, func(t *testing.T, p *fakePortal) {
			p.cost = func(c bitrix.Command) time.Duration {
				if c.Writes() {
					return 1350 * time.Millisecond
				}
				return 0
			}
			s := New(Config{Seed: 1}, p)
			collect(s, reads(1), false)
			results := collect(s, updates(n), false)
			if err := drive(s, context.Background()); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(p.start); took != 1350*time.Millisecond {
				t.Errorf("%d updates took %v", n, took)
			}
			for i, r := range results {
				if r.Reply.Err != nil || r.Sent != 1 {
					t.Errorf("update %d: %+v", i, r)
				}
			}
		})
	}
}

func TestReadsAreFew(t *testing.T) {
	for n, want := range map[int]int{1: 1, 4: 1, 50: 2, 51: 2, 200: 5, 201: 5} {
		bubble(t, func(t *testing.T, p *fakePortal) {
			s := New(Config{Seed: 1}, p)
			collect(s, reads(n), false)
			if err := drive(s, context.Background()); err != nil {
				t.Fatal(err)
			}
			if len(p.requests) != want {
				t.Errorf("%d reads took %d requests, want %d", n, len(p.requests), want)
			}
		})
	}
}

func TestLazyReadsWaitForCompany(t *testing.T) {
	bubble(t, func(t *testing.T, p *fakePortal) {
		p.cost = func(c bitrix.Command) time.Duration {
			if _, ok := c.(bitrix.Write); ok {
				return 100 * time.Millisecond
			}
			return 0
		}
		s := New(Config{Seed: 1}, p)
		verified := 0
		for _, u := range updates(400) {
			s.Submit(Task{Command: u, Owner: func(Outcome) {
				s.Submit(Task{Command: bitrix.SourcesByID([]int64{u.ID()}), Lazy: true, Owner: func(Outcome) { verified++ }})
			}})
		}
		if err := drive(s, context.Background()); err != nil {
			t.Fatal(err)
		}
		readRequests := 0
		for _, r := range p.requests {
			if r.method == bitrix.MethodSourceList {
				readRequests++
			}
		}
		if verified != 400 || readRequests > 9 {
			t.Errorf("%d verified in %d requests, want 400 in 8 or 9", verified, readRequests)
		}
	})
}

func TestNoRefusalWhateverThePhase(t *testing.T) {
	for _, phase := range []time.Duration{time.Second, 100 * time.Millisecond, 500 * time.Millisecond, 999 * time.Millisecond} {
		bubble(t, func(t *testing.T, p *fakePortal) {
			p.phase = phase
			p.cost = func(bitrix.Command) time.Duration { return 7 * time.Millisecond }
			s := New(Config{Seed: 1}, p)
			collect(s, updates(5000), false)
			if err := drive(s, context.Background()); err != nil {
				t.Fatal(err)
			}
			if p.refused != 0 {
				t.Errorf("phase %v: %d refusals", phase, p.refused)
			}
			if took := time.Since(p.start); took > 29*time.Second {
				t.Errorf("phase %v: %v for %d requests", phase, took, len(p.requests))
			}
		})
	}
}

func TestFullBucket(t *testing.T) {
	bubble(t, func(t *testing.T, p *fakePortal) {
		p.level = 50
		s := New(Config{Seed: 1}, p)
		collect(s, updates(2000), false)
		if err := drive(s, context.Background()); err != nil {
			t.Fatal(err)
		}
		after := 0
		for _, r := range p.requests {
			if r.at >= 5*time.Second && r.at < 15*time.Second {
				after++
			}
		}
		if p.refused > 3 || after < 19 {
			t.Errorf("%d refusals, %d requests in the 10 s after the first 5; want at most 3, at least 19", p.refused, after)
		}
	})
}

func TestStrayRefusalCostsLittle(t *testing.T) {
	took := func(stray int) (d time.Duration) {
		bubble(t, func(t *testing.T, p *fakePortal) {
			p.fault = func(n int, _ []bitrix.Command, _ bool) error {
				if n == stray {
					return throttled
				}
				return nil
			}
			s := New(Config{Seed: 1}, p)
			collect(s, updates(5000), false)
			if err := drive(s, context.Background()); err != nil {
				t.Fatal(err)
			}
			d = time.Since(p.start)
		})
		return d
	}
	without := took(0)
	for _, n := range []int{1, 3, 20, 60, 90} {
		if with := took(n); with > without+3*time.Second {
			t.Errorf("a stray refusal of request %d cost %v", n, with-without)
		}
	}
}

// Stray refusals that are minutes apart do not make each other's pauses longer,
// also where every answer takes long.
func TestStrayRefusalsDoNotAddUp(t *testing.T) {
	bubble(t, func(t *testing.T, p *fakePortal) {
		p.cost = func(bitrix.Command) time.Duration { return 5 * time.Second }
		p.fault = func(n int, _ []bitrix.Command, _ bool) error {
			if n%60 == 0 {
				return throttled
			}
			return nil
		}
		s := New(Config{Seed: 1, Concurrency: 16}, p)
		collect(s, updates(2000), false)
		if err := drive(s, context.Background()); err != nil {
			t.Fatal(err)
		}
		strays := 0
		for i, r := range p.requests[1:] {
			if i%60 == 59 {
				strays++
				if pause := r.at - p.requests[i].at; pause > 2*time.Second {
					t.Errorf("stray refusal %d cost a pause of %v", strays, pause)
				}
			}
		}
		if strays < 8 {
			t.Errorf("%d refusals in %d requests are too few", strays, len(p.requests))
		}
	})
}

// Requests that are lost at the same moment are one event: the pause is the
// first one, however many they are.
func TestLossesOfOneMomentAreOne(t *testing.T) {
	bubble(t, func(t *testing.T, p *fakePortal) {
		const restart = 40 * time.Second
		p.cost = func(bitrix.Command) time.Duration { return 100 * time.Millisecond }
		p.fault = func(n int, _ []bitrix.Command, _ bool) error {
			if at := time.Since(p.start); n >= 5 && at < restart {
				time.Sleep(restart - at)
				return &rest.Error{Code: rest.Network}
			}
			return nil
		}
		s := New(Config{Seed: 1}, p)
		collect(s, updates(2000), false)
		if err := drive(s, context.Background()); err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(p.requests, func(r fakeRequest) bool { return r.at >= restart })
		if i < 15 {
			t.Fatalf("%d requests before the restart", i)
		}
		if pause := p.requests[i].at - restart; pause > 500*time.Millisecond {
			t.Errorf("a pause of %v after %d requests were lost", pause, i-4)
		}
	})
}

// As soon as the request that asks is answered, the others follow.
func TestOthersFollowTheOneThatAsks(t *testing.T) {
	bubble(t, func(t *testing.T, p *fakePortal) {
		p.latency = 50 * time.Millisecond
		p.fault = func(int, []bitrix.Command, bool) error {
			if at := time.Since(p.start); at > 10*time.Second && at < 14*time.Second {
				return &rest.Error{Code: rest.Network, NotSent: true}
			}
			return nil
		}
		s := New(Config{Seed: 1}, p)
		collect(s, updates(4000), false)
		if err := drive(s, context.Background()); err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(p.requests, func(r fakeRequest) bool { return r.at >= 14*time.Second })
		if wait := p.requests[i+1].at - p.requests[i].at; wait > 200*time.Millisecond {
			t.Errorf("the next one went %v after the one that asked", wait)
		}
	})
}

// While nobody answers, one request at a time finds out whether that is over.
func TestNoHerdAtAPortalThatIsAway(t *testing.T) {
	bubble(t, func(t *testing.T, p *fakePortal) {
		p.latency = 50 * time.Millisecond
		p.cost = func(bitrix.Command) time.Duration { return 20 * time.Millisecond }
		p.fault = func(int, []bitrix.Command, bool) error {
			if at := time.Since(p.start); at > 10*time.Second && at < 22*time.Second {
				return &rest.Error{Code: rest.Network, NotSent: true}
			}
			return nil
		}
		s := New(Config{Seed: 1}, p)
		collect(s, updates(4000), false)
		if err := drive(s, context.Background()); err != nil {
			t.Fatal(err)
		}
		seen := map[time.Duration]int{}
		for _, r := range p.requests {
			if r.at > 12*time.Second && r.at < 22*time.Second {
				seen[r.at]++
			}
		}
		for at, n := range seen {
			if n > 1 {
				t.Errorf("%d requests at once after %v", n, at)
			}
		}
		if len(seen) < 2 {
			t.Errorf("asked %d times in ten seconds", len(seen))
		}
	})
}

func TestFatalStops(t *testing.T) {
	bubble(t, func(t *testing.T, p *fakePortal) {
		p.cost = func(bitrix.Command) time.Duration { return time.Second }
		p.fault = func(n int, _ []bitrix.Command, _ bool) error {
			if n == 3 {
				return &rest.Error{Code: rest.OverloadLimit, Status: 503}
			}
			return nil
		}
		s := New(Config{Seed: 1, Concurrency: 16}, p)
		results := collect(s, updates(500), false)
		err := drive(s, context.Background())
		if !errors.Is(err, rest.OverloadLimit) {
			t.Fatalf("Run: %v", err)
		}
		skipped := 0
		for _, r := range results {
			if r.Skipped {
				skipped++
			}
		}
		if skipped < 400 {
			t.Errorf("%d skipped", skipped)
		}
	})
}

func TestUnknownUpdatesComeOutAndReadsAreRepeated(t *testing.T) {
	bubble(t, func(t *testing.T, p *fakePortal) {
		p.fault = func(n int, _ []bitrix.Command, _ bool) error {
			if n == 1 {
				return &rest.Error{Code: rest.BadAnswer, Status: 502}
			}
			return nil
		}
		s := New(Config{Seed: 1}, p)
		r := collect(s, reads(1), false)
		if err := drive(s, context.Background()); err != nil {
			t.Fatal(err)
		}
		if r[0].Sent != 2 || r[0].Reply.Err != nil {
			t.Errorf("read: %+v", r[0])
		}
		p.requests = nil
		u := collect(s, updates(1), false)
		if err := drive(s, context.Background()); err != nil {
			t.Fatal(err)
		}
		if u[0].Sent != 1 || !errors.Is(u[0].Reply.Err, rest.BadAnswer) {
			t.Errorf("update: %+v", u[0])
		}
	})
}

func TestOutage(t *testing.T) {
	bubble(t, func(t *testing.T, p *fakePortal) {
		p.fault = func(int, []bitrix.Command, bool) error {
			return &rest.Error{Code: rest.Network, NotSent: true, Message: "connection refused"}
		}
		s := New(Config{Seed: 1}, p)
		r := collect(s, reads(1), false)
		err := drive(s, context.Background())
		if !errors.Is(err, rest.Network) || !r[0].Skipped {
			t.Fatalf("Run: %v, %+v", err, r[0])
		}
		if took := time.Since(p.start); took < 20*time.Second || took > 30*time.Second {
			t.Errorf("gave up after %v", took)
		}
	})
}

func TestStopWriting(t *testing.T) {
	bubble(t, func(t *testing.T, p *fakePortal) {
		p.cost = func(bitrix.Command) time.Duration { return time.Second }
		s := New(Config{Seed: 1, Concurrency: 16}, p)
		u, r := collect(s, updates(500), false), collect(s, reads(60), true)
		time.AfterFunc(3*time.Second, s.StopWriting)
		if err := drive(s, context.Background()); err != nil {
			t.Fatal(err)
		}
		skipped := 0
		for _, res := range u {
			if res.Skipped {
				skipped++
			}
		}
		if skipped < 100 || skipped == 500 {
			t.Errorf("%d updates skipped", skipped)
		}
		for i, res := range r {
			if res.Skipped || res.Reply.Err != nil {
				t.Errorf("read %d: %+v", i, res)
			}
		}
	})
}

func TestCancel(t *testing.T) {
	bubble(t, func(t *testing.T, p *fakePortal) {
		p.cost = func(bitrix.Command) time.Duration { return time.Second }
		s := New(Config{Seed: 1, Concurrency: 16}, p)
		u := collect(s, updates(500), false)
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := drive(s, ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("Run: %v", err)
		}
		if took := time.Since(p.start); took != 10*time.Second {
			t.Errorf("took %v", took)
		}
		var skipped, unknown int
		for _, res := range u {
			switch {
			case res.Skipped:
				skipped++
			case res.Reply.Err != nil:
				unknown++
			}
		}
		if skipped == 0 || unknown == 0 {
			t.Errorf("%d skipped, %d unknown", skipped, unknown)
		}
	})
}

func TestExtremeLimits(t *testing.T) {
	for name, conf := range map[string]Config{
		"everything":      {Concurrency: math.MaxInt, Burst: math.MaxInt, Rate: math.MaxFloat64},
		"many slots":      {Concurrency: math.MaxInt},
		"one at a time":   {Concurrency: 1, Burst: 1000, BatchSize: 1, Rate: 1000},
		"hardly any rate": {Rate: 1e-300},
	} {
		bubble(t, func(t *testing.T, p *fakePortal) {
			p.rate, p.burst = 1000, 1000000
			p.cost = func(bitrix.Command) time.Duration { return 100 * time.Millisecond }
			conf.Seed = 1
			s := New(conf, p)
			u := collect(s, updates(600), false)
			if err := drive(s, context.Background()); err != nil {
				t.Fatal(err)
			}
			for i, r := range u {
				if r.Sent != 1 || r.Reply.Err != nil {
					t.Fatalf("%s: update %d: %+v", name, i, r)
				}
			}
			if took := time.Since(p.start); took > 61*time.Second {
				t.Errorf("%s: took %v for a minute of work", name, took)
			}
		})
	}
}
