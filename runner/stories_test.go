package runner_test

import (
	"math"
	"net/http"
	"time"

	"syncsources/bitrix"
	"syncsources/bitrix/sandbox"
	"syncsources/runner"
)

// afterAnother is a portal whose operating time one run of 345 nearly uses up.
func afterAnother(s *sandbox.State, _ uint64) float64 {
	s.UpdateCost, s.Latency, s.OperatingLimit = 1350*ms, 50*ms, 480*time.Second
	return 1
}

// again runs twice, the second time so long after the beginning of the first.
// Ten minutes after the first one's updates began the portal forgives what they
// have spent; until then it lets in what fits into the rest.
func again(after time.Duration) func(w *scene) (*runner.Report, float64) {
	return func(w *scene) (*runner.Report, float64) {
		begin := time.Now()
		w.apply("one")
		time.Sleep(time.Until(begin.Add(after)))
		const cost = 1.35
		rest := math.Ceil((480-345*cost)/cost) + 16 // each slot may overshoot once
		left := 600 - after.Seconds() + .1          // until the reset: the first updates went 100 ms after the beginning
		return w.apply("new"), left + max(cost, (345-rest)*cost/16)
	}
}

// slowLists is for a plan: two rounds at most, and the lists over the slots.
func slowLists(n int) func(*sandbox.State, uint64) float64 {
	return func(s *sandbox.State, _ uint64) float64 {
		s.ReadCost, s.Latency = 200*ms, 50*ms
		return .1 + math.Ceil(float64((n+49)/50+1)/16)*.2
	}
}

// besideAnother shares the bucket with a client that has one request a second
// and, where it is refused, asks again after 310 ms.
func besideAnother(w *scene) (*runner.Report, float64) {
	sent, refused := 0, 0
	stop, done := make(chan struct{}), make(chan struct{})
	other := w.client()
	go func() {
		defer close(done)
		for wait := 1030 * ms; ; {
			select {
			case <-stop:
				return
			case <-time.After(wait):
			}
			sent++
			wait = 1030 * ms
			if _, err := other.QueryAlone(w.t.Context(), bitrix.SourcesByID([]int64{1})); err != nil {
				refused++
				wait = 310 * ms
			}
		}
	}()
	report := w.apply("new")
	close(stop)
	<-done
	w.t.Logf("%d of %d requests of the other client were refused", refused, sent)
	if refused*2 > sent {
		w.t.Errorf("%d of %d requests of the other client were refused", refused, sent)
	}
	return report, rateBound(leastRequests(5000)) // without the other
}

// timesAltered rewrites the time of every answer.
func timesAltered(next http.RoundTripper, alter func(time item, whole bool)) http.RoundTripper {
	return edited(next, func(answer item) {
		if t, ok := answer["time"].(item); ok {
			alter(t, true)
		}
		result, _ := answer["result"].(item)
		times, _ := result["result_time"].(item)
		for _, t := range times {
			if t, ok := t.(item); ok {
				alter(t, false)
			}
		}
	})
}

// wholeSeconds floors each stamp, as rest 25.700 does.
func wholeSeconds(next http.RoundTripper) http.RoundTripper {
	return timesAltered(next, func(t item, _ bool) {
		start, _ := t["start"].(float64)
		finish, _ := t["finish"].(float64)
		t["start"], t["finish"] = math.Floor(start), math.Floor(finish)
		t["processing"] = math.Floor(finish) - math.Floor(start)
		t["duration"] = math.Floor(finish) - math.Floor(start) + 1
	})
}

// latencyCounts is a portal whose figures of a request hold the 300 ms that it
// needs before it comes to the first command.
func latencyCounts(next http.RoundTripper) http.RoundTripper {
	return timesAltered(next, func(t item, whole bool) {
		if p, ok := t["processing"].(float64); ok && whole {
			t["processing"] = p + .3
		}
	})
}
