package sandbox

import (
	"testing"
	"testing/synctest"
	"time"
)

// admitted counts how many of n calls at once get through.
func admitted(t *testing.T, p *Portal, n int) (through int) {
	t.Helper()
	for range n {
		switch r := call(t, p, "profile", `{}`); {
		case r.status == 200:
			through++
		case r.status != 503 || r.at("error") != "QUERY_LIMIT_EXCEEDED" || r.at("error_description") != "Too many requests":
			t.Fatalf("answer %d %s", r.status, r.body)
		}
	}
	return through
}

// The bucket lets one more than its depth through, and flows out in steps of
// a whole second after the first request.
func TestBucketFlowsOutInSteps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPortal(t, ``)
		steps := []struct {
			wait time.Duration
			want int
		}{
			{0, 51}, {999 * time.Millisecond, 0}, {time.Millisecond, 2}, {999 * time.Millisecond, 0}, {2001 * time.Millisecond, 6},
		}
		for i, s := range steps {
			time.Sleep(s.wait)
			if got := admitted(t, p, 60); got != s.want {
				t.Errorf("step %d: %d requests got through, want %d", i, got, s.want)
			}
		}
		if got := p.Stats(); got.Requests != 300 || got.Refused != 300-59 {
			t.Errorf("requests %d, refused %d", got.Requests, got.Refused)
		}
	})
}

func TestBucketOptions(t *testing.T) {
	for _, c := range []struct {
		limits    string
		atOnce    int
		aftermath int // requests after 1 s more
	}{
		{`limits: {rate: 5, burst: 250}`, 251, 5},
		{`limits: {level: 50}`, 1, 2},
		{`limits: {level: 51}`, 0, 2},
		{`limits: {burst: 4, phase: 400ms}`, 5, 2},
		{`limits: {unlimited: true}`, 300, 300},
	} {
		synctest.Test(t, func(t *testing.T) {
			p := newPortal(t, c.limits)
			if got := admitted(t, p, 300); got != c.atOnce {
				t.Errorf("%s: %d at once, want %d", c.limits, got, c.atOnce)
			}
			time.Sleep(time.Second)
			if got := admitted(t, p, 300); got != c.aftermath {
				t.Errorf("%s: %d after a second, want %d", c.limits, got, c.aftermath)
			}
		})
	}
}

// The phase brings the first step forward.
func TestBucketPhase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPortal(t, `limits: {phase: 400ms}`)
		admitted(t, p, 51)
		time.Sleep(599 * time.Millisecond)
		if got := admitted(t, p, 1); got != 0 {
			t.Error("a step before its time")
		}
		time.Sleep(time.Millisecond)
		if got := admitted(t, p, 5); got != 2 {
			t.Errorf("%d requests after the step, want 2", got)
		}
	})
}
