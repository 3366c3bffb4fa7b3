package schedule

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"syncsources/bitrix"
	"syncsources/bitrix/rest"
)

// ways are how a request may fail because of what one command holds.
var ways = map[string]*rest.Error{
	"page 400":      {Code: rest.BadAnswer, Status: 400},
	"page 403":      {Code: rest.BadAnswer, Status: 403},
	"page 404":      {Code: rest.BadAnswer, Status: 404},
	"page 405":      {Code: rest.BadAnswer, Status: 405},
	"page 406":      {Code: rest.BadAnswer, Status: 406},
	"page 413":      {Code: rest.BadAnswer, Status: 413, Method: rest.MethodBatch},
	"page 429":      {Code: rest.BadAnswer, Status: 429},
	"page 503":      {Code: rest.BadAnswer, Status: 503},
	"empty 500":     {Code: rest.BadAnswer, Status: 500},
	"502":           {Code: rest.BadAnswer, Status: 502},
	"reset":         {Code: rest.Network},
	"cut JSON":      {Code: rest.BadAnswer, Status: 200},
	"server error":  {Code: "INTERNAL_SERVER_ERROR", Status: 500},
	"access denied": {Code: rest.AccessDenied, Status: 403},
}

// Whatever is wrong with one command, wherever it stands and in whatever way
// its requests fail: it fails alone, the others succeed, and the run goes on.
func TestOneBadObjectFailsAlone(t *testing.T) {
	const n = 120
	for way, fault := range ways {
		for _, inReply := range []bool{false, true} {
			if inReply && fault.Code == rest.BadAnswer && fault.Status > 200 {
				continue // a page is of the whole request
			}
			for _, at := range []int64{1, 2, 50, 51, 77, n} {
				bubble(t, func(t *testing.T, p *fakePortal) {
					p.latency = 20 * time.Millisecond
					bad := func(c bitrix.Command) bool {
						w, ok := c.(bitrix.Write)
						return ok && w.ID() == at
					}
					if inReply {
						p.reply = func(c bitrix.Command) error {
							if bad(c) {
								return fault
							}
							return nil
						}
					} else {
						p.fault = func(_ int, commands []bitrix.Command, alone bool) error {
							if slices.ContainsFunc(commands, bad) && !(alone && fault.Method == rest.MethodBatch) {
								return fault
							}
							return nil
						}
					}
					s := New(Config{Seed: 1}, p)
					collect(s, reads(1), false) // a run begins with reading
					if err := drive(s, context.Background()); err != nil {
						t.Fatal(err)
					}
					p.requests = nil
					errs := make([]error, n)
					var submit func(u bitrix.Write, lost int)
					submit = func(u bitrix.Write, lost int) {
						s.Submit(Task{Command: u, Again: lost > 0, Lost: lost, Owner: func(o Outcome) {
							e, _ := o.Reply.Err.(*rest.Error)
							if e != nil && e.Reaction() == rest.Unknown && lost < 5 {
								submit(u, lost+1) // as a caller does, who has read back that it was not done
								return
							}
							errs[u.ID()-1] = o.Reply.Err
							if o.Skipped {
								errs[u.ID()-1] = errors.New("skipped")
							}
						}})
					}
					for _, u := range updates(n) {
						submit(u, 0)
					}
					if err := drive(s, context.Background()); err != nil {
						t.Fatalf("%s at %d (in reply %v): the run ended: %v", way, at, inReply, err)
					}
					for i, err := range errs {
						if want := int64(i+1) == at && way != "page 413"; (err != nil) != want {
							t.Errorf("%s at %d (in reply %v): command %d: %v", way, at, inReply, i+1, err)
						}
					}
					if got := len(p.requests); got > 70 {
						t.Errorf("%s at %d (in reply %v): %d requests", way, at, inReply, got)
					}
				})
			}
		}
	}
}

// What would fail every call ends the run soon, also where reading succeeds.
func TestRefusalsOfAllEndTheRun(t *testing.T) {
	for _, way := range []string{"page 403", "access denied"} {
		for _, readable := range []bool{true, false} {
			bubble(t, func(t *testing.T, p *fakePortal) {
				p.fault = func(_ int, commands []bitrix.Command, _ bool) error {
					if commands[0].Writes() || !readable {
						return ways[way]
					}
					return nil
				}
				s := New(Config{Seed: 1}, p)
				collect(s, reads(3), false)
				collect(s, updates(1000), false)
				err := drive(s, context.Background())
				if !errors.Is(err, ways[way].Code) {
					t.Errorf("%s: the run ended with %v", way, err)
				}
				if len(p.requests) > 24 {
					t.Errorf("%s: %d requests", way, len(p.requests))
				}
			})
		}
	}
}

// A creation whose answer was lost comes out, with the time at which it left:
// sent again, it would make a second object.
func TestLostCreationsAreNotSentAgain(t *testing.T) {
	for _, fault := range []*rest.Error{ways["reset"], ways["502"], ways["cut JSON"], ways["server error"]} {
		bubble(t, func(t *testing.T, p *fakePortal) {
			p.latency = time.Second
			p.fault = func(_ int, commands []bitrix.Command, _ bool) error {
				if commands[0].Writes() {
					time.Sleep(p.latency)
					return fault
				}
				return nil
			}
			s := New(Config{Seed: 1}, p)
			adds := make([]bitrix.Write, 5)
			for i := range adds {
				adds[i] = bitrix.AddSource(bitrix.SourceFields{Title: fmt.Sprint("t", i), ConnectorID: 1})
			}
			collect(s, reads(1), false)
			for i, o := range created(t, s, adds) {
				if o.Sent != 1 || o.Reply.Err == nil || o.LastSent.Before(p.start) || time.Since(o.LastSent) < p.latency {
					t.Errorf("%v: creation %d: %+v", fault.Code, i, o)
				}
			}
			sent := 0
			for _, r := range p.requests {
				if r.method == bitrix.MethodSourceAdd {
					sent += r.size
				}
			}
			if sent != len(adds) {
				t.Errorf("%v: %d creations sent, want %d", fault.Code, sent, len(adds))
			}
		})
	}
}

func created(t *testing.T, s *Scheduler, commands []bitrix.Write) []Outcome {
	t.Helper()
	got := collect(s, commands, false)
	if err := drive(s, context.Background()); err != nil {
		t.Fatal(err)
	}
	return got
}
