package schedule

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"syncsources/bitrix/rest"
)

func TestBackoffHasFullJitterAndACap(t *testing.T) {
	b := backoff{rng: rand.New(rand.NewPCG(1, 1)), first: time.Second, most: 8 * time.Second}
	for _, longest := range []time.Duration{1, 2, 4, 8, 8, 8} {
		longest *= time.Second
		var sum time.Duration
		const n = 2000
		for range n {
			try := b
			try.until = time.Time{}
			try.failed(epoch, epoch)
			wait := try.until.Sub(epoch)
			if wait < 0 || wait > longest {
				t.Fatalf("a wait of %v, want at most %v", wait, longest)
			}
			sum += wait
		}
		if mean := sum / n; mean < longest*45/100 || mean > longest*55/100 {
			t.Errorf("the mean wait is %v of at most %v: no full jitter", mean, longest)
		}
		b.failed(epoch, b.until)
	}
	b.succeeded(b.until)
	b.until = time.Time{}
	b.failed(epoch, b.until)
	if b.until.Sub(epoch) > time.Second {
		t.Errorf("a wait of %v right after a success", b.until.Sub(epoch))
	}
}

func TestOutageNeedsTimeAndTries(t *testing.T) {
	lost := &rest.Error{Code: rest.Network, Message: "connection refused"}
	var o outage
	if o.lost(at(0), at(0), lost) != nil || o.lost(at(30), at(30), lost) != nil {
		t.Error("two failures are taken for an outage")
	}
	if err := o.lost(at(31), at(31), lost); !errors.Is(err, rest.Network) {
		t.Errorf("after 31 s: %v", err)
	}
	o.answered()
	for s := range 15 {
		if o.lost(at(100+float64(s)), at(100+float64(s)), lost) != nil {
			t.Errorf("given up after %d s", s)
		}
	}
	o.answered()
	for s := range 60 {
		if o.lost(at(200+float64(s)), at(140+float64(s)), lost) != nil {
			t.Errorf("given up after %d s for what was sent before", s)
		}
	}
	if o.lost(at(261), at(201), lost) == nil {
		t.Error("not given up although what was sent since got no answer either")
	}
}

// A portal that accepts requests and never answers is given up by the time that
// it was waited for, be it in one request; one that has answered before, by the
// second request that was waited for in full.
func TestOutageOfSilentPortal(t *testing.T) {
	late := &rest.Error{Code: rest.Network, Message: "nothing has come back", Err: context.DeadlineExceeded}
	var o outage
	if o.lost(at(12), at(0), late) != nil {
		t.Error("given up after 12 s")
	}
	if err := o.lost(at(20), at(12), late); err == nil || !strings.Contains(err.Error(), "has not answered for 20 s") {
		t.Errorf("after 20 s: %v", err)
	}
	o.answered()
	if o.lost(at(140), at(60), late) != nil {
		t.Error("one request of a portal that answers is taken for an outage")
	}
	if o.lost(at(140), at(70), late) != nil {
		t.Error("what was sent before the first was given up is taken for an outage")
	}
	if o.lost(at(215), at(140), late) == nil {
		t.Error("a second wait in full is not enough")
	}
}

// What is given up for keeps its name: a page is not a silent portal, and a
// proxy is not the portal.
func TestOutageSaysWhatCame(t *testing.T) {
	for _, tt := range []struct {
		lost    rest.Error
		code    rest.Code
		message string
	}{
		{rest.Error{Code: rest.Network, Message: "connection refused"}, rest.Network, "the portal has not answered for 31 s: connection refused"},
		{rest.Error{Code: "INTERNAL_SERVER_ERROR", Status: 500}, rest.Network, "the portal has not answered for 31 s: "},
		{rest.Error{Code: rest.BadAnswer, Status: 200, Message: "the portal answered 200 OK with XML"}, rest.BadAnswer, "no usable answer for 31 s: the portal answered 200 OK with XML"},
		{rest.Error{Code: rest.Proxy, NotSent: true, Message: "the proxy cannot be reached"}, rest.Proxy, "no connection to the portal for 31 s: the proxy cannot be reached"},
	} {
		var o outage
		_, _ = o.lost(at(0), at(0), &tt.lost), o.lost(at(1), at(1), &tt.lost)
		var e *rest.Error
		if err := o.lost(at(31), at(31), &tt.lost); !errors.As(err, &e) || e.Code != tt.code || e.Message != tt.message || e.Hint == "" && e.Code != rest.Proxy {
			t.Errorf("%v, hint %q", err, e.Hint)
		}
	}
}
