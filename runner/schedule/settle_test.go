package schedule

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"syncsources/bitrix"
	"syncsources/bitrix/rest"
)

var held = &rest.Error{Code: rest.OperationTimeLimit, Status: 429}

// closedUntil closes source.update, or batch, between two times of the run,
// without telling a reset.
func closedUntil(p *fakePortal, from, until time.Duration, batch bool) {
	isClosed := func() bool {
		now := time.Since(p.start)
		return now >= from && now < until
	}
	if batch {
		p.fault = func(_ int, _ []bitrix.Command, alone bool) error {
			if !alone && isClosed() {
				return held
			}
			return nil
		}
		return
	}
	p.reply = func(c bitrix.Command) error {
		if _, ok := c.(bitrix.Write); ok && isClosed() {
			return held
		}
		return nil
	}
}

func TestHeldCommandsGoBackAndOthersGoOn(t *testing.T) {
	bubble(t, func(t *testing.T, p *fakePortal) {
		p.cost = func(bitrix.Command) time.Duration { return 50 * time.Millisecond }
		closedUntil(p, time.Second, 100*time.Second, false)
		var waits []Wait
		var log strings.Builder
		s := New(Config{Seed: 1, OnWait: func(w Wait) { waits = append(waits, w) }, Logger: slog.New(slog.NewTextHandler(&log, nil))}, p)
		u := collect(s, updates(2000), false)
		var readAt time.Duration
		s.Submit(Task{Command: reads(1)[0], NotBefore: p.start.Add(20 * time.Second), Owner: func(Outcome) { readAt = time.Since(p.start) }})
		if err := drive(s, context.Background()); err != nil {
			t.Fatal(err)
		}
		for i, r := range u {
			if r.Reply.Err != nil || r.Sent != 1 {
				t.Fatalf("update %d: %+v", i, r)
			}
		}
		if readAt > 21*time.Second {
			t.Errorf("a read waited with the updates until %v", readAt)
		}
		if took := time.Since(p.start); took < 100*time.Second || took > 200*time.Second {
			t.Errorf("took %v", took)
		}
		// Waits of 10, 20, 40 and 80 s: not many knocks at a closed door.
		knocks := 0
		for _, r := range p.requests {
			if r.method == bitrix.MethodSourceUpdate && r.at > 5*time.Second && r.at < 100*time.Second {
				knocks++
			}
		}
		if knocks > 4 {
			t.Errorf("%d requests at the closed door: %v", knocks, p.requests)
		}
		if len(waits) == 0 || waits[0].Reason != WaitOperating || waits[len(waits)-1] != (Wait{}) {
			t.Errorf("announced: %v", waits)
		}
		if !strings.Contains(log.String(), "waiting 10 s for the portal's operating limit") {
			t.Errorf("log: %s", log.String())
		}
		if got := s.Stats(); got.Held == 0 || got.Waited < 60*time.Second {
			t.Errorf("stats: %+v", got)
		}
	})
}

// After a refusal one command goes ahead, also where no cost is known yet.
func TestOneCommandKnocks(t *testing.T) {
	bubble(t, func(t *testing.T, p *fakePortal) {
		p.cost = func(bitrix.Command) time.Duration { return 50 * time.Millisecond }
		closedUntil(p, 0, 5*time.Second, false)
		s := New(Config{Seed: 1}, p)
		collect(s, updates(3), false)
		if err := drive(s, context.Background()); err != nil {
			t.Fatal(err)
		}
		var sizes []int
		for _, r := range p.requests {
			sizes = append(sizes, r.size)
		}
		if want := []int{1, 1}; len(sizes) < 3 || !slices.Equal(sizes[:2], want) {
			t.Errorf("requests of %v commands, want %v first", sizes, want)
		}
	})
}

// What the portal looks at and rejects shows that the door is open again.
func TestARejectionOpensTheDoor(t *testing.T) {
	answer := func(p *fakePortal) error {
		if time.Since(p.start) < 5*time.Second {
			return held
		}
		return &rest.Error{Code: "VALIDATION_INVALID_FIELD_TYPE", Status: 200}
	}
	for i := range 4 {
		alone, slots := i%2 == 0, i/2*16 // 0: not named
		bubble(t, func(t *testing.T, p *fakePortal) {
			p.latency = time.Second
			p.reply = func(bitrix.Command) error { return answer(p) }
			s := New(Config{Seed: 1, Concurrency: slots}, p)
			list := updates(100)
			if alone {
				p.fault = func(int, []bitrix.Command, bool) error { time.Sleep(p.latency); return answer(p) }
				for i := range list {
					list[i] = aloneUpdate(int64(i + 1))
				}
			}
			collect(s, list, false)
			if err := drive(s, context.Background()); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(p.start); took > 60*time.Second {
				t.Errorf("alone %v, %d slots: took %v, one after the other", alone, slots, took)
			}
		})
	}
}

func TestClosedBatchHoldsUpdatesAndLetsReadsGoAlone(t *testing.T) {
	bubble(t, func(t *testing.T, p *fakePortal) {
		p.cost = func(bitrix.Command) time.Duration { return 50 * time.Millisecond }
		closedUntil(p, time.Second, 100*time.Second, true)
		s := New(Config{Seed: 1}, p)
		u := collect(s, updates(1000), false)
		var readAt time.Duration
		s.Submit(Task{Command: reads(1)[0], NotBefore: p.start.Add(20 * time.Second), Owner: func(Outcome) { readAt = time.Since(p.start) }})
		if err := drive(s, context.Background()); err != nil {
			t.Fatal(err)
		}
		for i, r := range u {
			if r.Reply.Err != nil || r.Sent != 1 {
				t.Fatalf("update %d: %+v", i, r)
			}
		}
		if readAt > 21*time.Second {
			t.Errorf("a read waited for the batches until %v", readAt)
		}
		for _, r := range p.requests {
			if r.alone && r.method == bitrix.MethodSourceUpdate {
				t.Fatal("updates went around the closed door one by one")
			}
		}
	})
}

func TestNotAllowedInABatchGoesAlone(t *testing.T) {
	bubble(t, func(t *testing.T, p *fakePortal) {
		var alone atomic.Bool
		p.fault = func(_ int, _ []bitrix.Command, a bool) error {
			if a {
				alone.Store(true)
			}
			return nil
		}
		p.reply = func(c bitrix.Command) error {
			if u, ok := c.(bitrix.Write); ok && u.ID() == 3 && !alone.Load() {
				return &rest.Error{Code: rest.BatchMethodNotAllowed, Status: 405}
			}
			return nil
		}
		s := New(Config{Seed: 1}, p)
		u := collect(s, updates(4), false)
		if err := drive(s, context.Background()); err != nil {
			t.Fatal(err)
		}
		singles := 0
		for _, r := range p.requests {
			if r.alone {
				singles++
			}
		}
		if singles != 1 || u[2].Reply.Err != nil || u[2].Sent != 1 {
			t.Errorf("requests %v, update 3 %+v", p.requests, u[2])
		}
	})
}

// A batch that the portal, or a server in front of it, refuses as a whole is
// taken apart.
func TestBatchNotAllowedGoesAsSingleCalls(t *testing.T) {
	for _, refusal := range []*rest.Error{{Code: rest.BatchMethodNotAllowed, Status: 405}, {Code: rest.BadAnswer, Status: 413, Method: rest.MethodBatch}} {
		bubble(t, func(t *testing.T, p *fakePortal) {
			p.fault = func(n int, _ []bitrix.Command, alone bool) error {
				if !alone && n < 10 {
					return refusal
				}
				return nil
			}
			s := New(Config{Seed: 1}, p)
			u := collect(s, updates(3), false)
			if err := drive(s, context.Background()); err != nil {
				t.Fatal(err)
			}
			for _, r := range p.requests {
				if r.size > 1 && r.at > 0 {
					t.Errorf("%v: requests %v", refusal, p.requests)
				}
			}
			for i, r := range u {
				if r.Reply.Err != nil || r.Sent != 1 {
					t.Errorf("%v: update %d: %+v", refusal, i, r)
				}
			}
		})
	}
}

// A token that expired while a batch ran: what the portal refused for it did
// not run, and is sent again.
func TestUndeliveredCommandsOfABatchGoAgain(t *testing.T) {
	bubble(t, func(t *testing.T, p *fakePortal) {
		n := 0
		p.reply = func(bitrix.Command) error {
			if n++; n == 2 {
				return &rest.Error{Code: rest.ExpiredToken, NotSent: true}
			}
			return nil
		}
		s := New(Config{Seed: 1}, p)
		r := collect(s, reads(3), false)
		if err := drive(s, context.Background()); err != nil {
			t.Fatal(err)
		}
		n = 0
		u := collect(s, updates(3), false)
		if err := drive(s, context.Background()); err != nil {
			t.Fatal(err)
		}
		for i, res := range append(r, u...) {
			if res.Sent != 1 || res.Reply.Err != nil {
				t.Errorf("command %d: %+v", i, res)
			}
		}
		if s.Stats().Retries != 2 {
			t.Errorf("%d retries, want 2", s.Stats().Retries)
		}
	})
}

// A method that not every portal has stops the run only where it is not
// optional, in a batch or by itself, be nothing else asked for.
func TestOptionalFailureIsItsOwn(t *testing.T) {
	noMethod := &rest.Error{Code: rest.MethodNotFound, Status: 404}
	for _, command := range []bitrix.Query{bitrix.ListConnectors(bitrix.Range{}), bitrix.ConnectorsTitled("$time[1]")} {
		for _, optional := range []bool{true, false} {
			bubble(t, func(t *testing.T, p *fakePortal) {
				p.reply = func(bitrix.Command) error { return noMethod }
				p.fault = func(_ int, _ []bitrix.Command, alone bool) error {
					if alone {
						return noMethod
					}
					return nil
				}
				s := New(Config{Seed: 1}, p)
				var got Outcome
				s.Submit(Task{Command: command, Optional: optional, Owner: func(r Outcome) { got = r }})
				err := drive(s, context.Background())
				if batchable, _ := command.Batchable(); p.requests[0].alone == batchable || !errors.Is(got.Reply.Err, rest.MethodNotFound) {
					t.Errorf("%+v, %+v", got, p.requests)
				}
				if (err == nil) != optional {
					t.Errorf("optional %v: Run returned %v", optional, err)
				}
			})
		}
	}
}

// What an answer leaves out may have run or not: a read is sent again, an
// update comes out as unknown.
func TestMissingReplies(t *testing.T) {
	bubble(t, func(t *testing.T, p *fakePortal) {
		missing := &rest.Error{Code: rest.BadAnswer, Message: "left out"}
		var left sync.Once
		p.reply = func(c bitrix.Command) (err error) {
			if w, ok := c.(bitrix.Write); ok && w.ID() == 2 {
				return missing
			} else if !ok {
				left.Do(func() { err = missing })
			}
			return err
		}
		s := New(Config{Seed: 1}, p)
		r := collect(s, reads(3), false)
		if err := drive(s, context.Background()); err != nil {
			t.Fatal(err)
		}
		for i, want := range []int{2, 1, 1} {
			if r[i].Sent != want || r[i].Reply.Err != nil {
				t.Errorf("read %d: %+v", i, r[i])
			}
		}
		u := collect(s, updates(3), false)
		if err := drive(s, context.Background()); err != nil {
			t.Fatal(err)
		}
		for i, wantErr := range []bool{false, true, false} {
			if u[i].Sent != 1 || (u[i].Reply.Err != nil) != wantErr {
				t.Errorf("update %d: %+v", i, u[i])
			}
		}
	})
}

func TestReadsAreNotRepeatedForEver(t *testing.T) {
	bubble(t, func(t *testing.T, p *fakePortal) {
		p.reply = func(c bitrix.Command) error {
			return &rest.Error{Code: "INTERNAL_SERVER_ERROR", Status: 500}
		}
		s := New(Config{Seed: 1}, p)
		r := collect(s, reads(1), false)
		if err := drive(s, context.Background()); err != nil {
			t.Fatal(err)
		}
		if r[0].Sent != maxLost || !errors.Is(r[0].Reply.Err, rest.Code("INTERNAL_SERVER_ERROR")) {
			t.Errorf("%+v", r[0])
		}
	})
}

func TestCutBatchesGetSmaller(t *testing.T) {
	bubble(t, func(t *testing.T, p *fakePortal) {
		p.cut = time.Minute
		p.cost = func(bitrix.Command) time.Duration {
			if time.Since(p.start) > 1600*time.Millisecond {
				return 5 * time.Second
			}
			return 10 * time.Millisecond
		}
		// One slot, so that a batch that is cut is the last to hear of it.
		s := New(Config{Seed: 1, Concurrency: 1}, p)
		unknown := 0
		for _, u := range updates(2000) {
			s.Submit(Task{Command: u, Owner: func(r Outcome) {
				if r.Reply.Err != nil {
					unknown++
				}
			}})
		}
		if err := drive(s, context.Background()); err != nil {
			t.Fatal(err)
		}
		st := s.Stats()
		if st.Cut == 0 || st.Cut > 2 || unknown == 0 || unknown > 75 { // of 50, and of 25
			t.Errorf("%+v, %d unknown", st, unknown)
		}
		last := p.requests[len(p.requests)-2]
		if last.size > 4 {
			t.Errorf("batches of %d of 5 s in the end", last.size)
		}
	})
}
