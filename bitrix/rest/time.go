package rest

import (
	"bytes"
	"math"
	"strconv"
	"time"
)

// Time is what an answer says about its own execution, for a call or for one
// command of a batch. Absent figures are zero.
type Time struct {
	// Processing is the time the method itself took.
	Processing time.Duration
	// Operating is the execution time that the method has used up in the
	// current window; the portal refuses the method beyond its limit (480 s
	// in 10 min in the cloud).
	Operating time.Duration
	// OperatingResetAt is when part of it is forgiven again, by the portal's
	// clock.
	OperatingResetAt time.Time
	// OperatingResetIn is how long that was away when the answer was made: by
	// one clock, so that it does not matter whether that is ours. Zero where
	// the answer does not say when it was made.
	OperatingResetIn time.Duration
	// Finished is when the answer was made, by the portal's clock, which may
	// only have whole seconds. Zero where the answer does not say so.
	Finished time.Time
	// Fine is set where the figures have fractions of a second. Portals since
	// rest 25.700 floor each stamp, so that Processing is 0, 1, 2 ...: right in
	// the sum of many commands, and useless for one.
	Fine bool
}

// UnmarshalJSON accepts the portal's object and, as PHP writes an empty map,
// "[]"; figures may be numbers or quoted numbers.
func (t *Time) UnmarshalJSON(b []byte) error {
	*t = Time{}
	if len(b) == 0 || b[0] != '{' {
		return nil
	}
	var start, finish, processing, operating, resetAt float64
	if err := Members(b, func(key, value []byte) error {
		switch string(key) {
		case "start":
			start = loose(value)
		case "finish":
			finish = loose(value)
		case "processing":
			processing = loose(value)
		case "operating":
			operating = loose(value)
		case "operating_reset_at":
			resetAt = loose(value)
		}
		return nil
	}); err != nil {
		return err
	}
	t.Processing = seconds(processing)
	if finish > 0 && finish < 1<<40 {
		t.Finished = time.UnixMicro(int64(finish * 1e6))
	}
	t.Operating = seconds(operating)
	if resetAt > 0 && resetAt < 1<<40 {
		t.OperatingResetAt = time.Unix(int64(resetAt), 0)
		if finish > 0 {
			t.OperatingResetIn = seconds(resetAt - finish)
		}
	}
	t.Fine = !whole(processing) || !whole(start)
	return nil
}

// loose reads a number, a quoted number, or anything else as zero: timing is
// advice, and an odd value must not spoil the answer that carries it.
func loose(b []byte) float64 {
	v, err := strconv.ParseFloat(string(bytes.Trim(b, `"`)), 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0
	}
	return v
}

func whole(f float64) bool { return f == math.Trunc(f) }

func seconds(f float64) time.Duration {
	const most = float64(24 * time.Hour / time.Second)
	return time.Duration(min(max(f, 0), most) * float64(time.Second))
}
