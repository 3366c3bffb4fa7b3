package schedule

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"syncsources/bitrix"
	"syncsources/bitrix/rest"
)

// shared is a source that requests in flight draw from side by side.
type shared struct {
	sync.Mutex
	rand.Source
}

func (s *shared) Uint64() uint64 {
	s.Lock()
	defer s.Unlock()
	return s.Source.Uint64()
}

// Whatever goes wrong, every task comes back exactly once, and the run ends.
// A run that waits for nothing would end the bubble with a deadlock.
func TestEveryTaskComesBackOnce(t *testing.T) {
	faults := []*rest.Error{
		throttled, held,
		{Code: rest.Network, NotSent: true}, {Code: rest.Network},
		{Code: rest.BadAnswer, Status: 502}, {Code: "INTERNAL_SERVER_ERROR", Status: 500},
		{Code: rest.BatchMethodNotAllowed, Status: 405},
		{Code: rest.UpdateConnectionError, Status: 200}, {Code: rest.SourceNotFound, Status: 200},
		{Code: rest.OverloadLimit, Status: 503},
	}
	for seed := range uint64(80) {
		bubble(t, func(t *testing.T, p *fakePortal) {
			rng := rand.New(&shared{Source: rand.NewPCG(seed, 9)})
			kinds := len(faults) - 1
			if seed%10 == 0 {
				kinds++ // the last one ends the run
			}
			rate := rng.Float64() * .5
			p.latency = time.Duration(rng.IntN(300)) * time.Millisecond
			p.level = rng.IntN(60)
			p.cut = time.Minute
			slow := time.Duration(rng.IntN(3000)) * time.Millisecond
			p.cost = func(bitrix.Command) time.Duration { return time.Duration(rng.Int64N(int64(slow) + 1)) }
			p.fault = func(int, []bitrix.Command, bool) error {
				if rng.Float64() < rate {
					return faults[rng.IntN(kinds)]
				}
				return nil
			}
			p.reply = func(bitrix.Command) error {
				if rng.Float64() < rate/5 {
					return faults[rng.IntN(kinds)]
				}
				return nil
			}
			s := New(Config{Seed: seed + 1, Concurrency: 1 + rng.IntN(20), Burst: 1 + rng.IntN(60), Rate: 1 + rng.Float64()*4}, p)
			submitted, back, writes := 0, 0, map[int64]int{}
			var submit func(depth int)
			submit = func(depth int) {
				submitted++
				task := Task{Lazy: rng.IntN(3) == 0}
				id := int64(submitted)
				switch rng.IntN(4) {
				case 0:
					task.Command = bitrix.SourcesByID([]int64{id})
				case 1:
					task.Command = aloneUpdate(id)
				default:
					task.Command = bitrix.UpdateSource(id, bitrix.SourceFields{Title: "t"})
				}
				if rng.IntN(20) == 0 {
					task.NotBefore = time.Now().Add(time.Duration(rng.IntN(20)) * time.Second)
				}
				calls := 0
				task.Owner = func(r Outcome) {
					back++
					if calls++; calls > 1 {
						t.Errorf("seed %d: a task came back twice", seed)
					}
					if u, ok := task.Command.(bitrix.Write); ok {
						writes[u.ID()] += r.Sent
						if r.Sent > 1 {
							t.Errorf("seed %d: an update was sent %d times", seed, r.Sent)
						}
					}
					if r.Skipped && r.Sent > 0 || !r.Skipped && r.Sent == 0 && r.Reply.Err == nil {
						t.Errorf("seed %d: %+v", seed, r)
					}
					if depth < 3 && rng.IntN(3) == 0 {
						submit(depth + 1)
					}
				}
				s.Submit(task)
			}
			for range 1 + rng.IntN(300) {
				submit(0)
			}
			if seed%7 == 3 {
				time.AfterFunc(time.Duration(rng.IntN(20))*time.Second, s.StopWriting)
			}
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			if seed%7 == 5 {
				time.AfterFunc(time.Duration(rng.IntN(20))*time.Second, cancel)
			}
			err := drive(s, ctx)
			if submitted != back {
				t.Errorf("seed %d: %d tasks, %d came back (%v)", seed, submitted, back, err)
			}
		})
	}
}
