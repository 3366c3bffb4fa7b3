package rest

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
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
	var raw struct {
		Start      looseFloat `json:"start"`
		Finish     looseFloat `json:"finish"`
		Processing looseFloat `json:"processing"`
		Operating  looseFloat `json:"operating"`
		ResetAt    looseFloat `json:"operating_reset_at"`
	}
	*t = Time{}
	if len(b) == 0 || b[0] != '{' {
		return nil
	}
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	t.Processing = raw.Processing.seconds()
	if raw.Finish > 0 && raw.Finish < 1<<40 {
		t.Finished = time.UnixMicro(int64(raw.Finish * 1e6))
	}
	t.Operating = raw.Operating.seconds()
	if raw.ResetAt > 0 && raw.ResetAt < 1<<40 {
		t.OperatingResetAt = time.Unix(int64(raw.ResetAt), 0)
		if raw.Finish > 0 {
			t.OperatingResetIn = (raw.ResetAt - raw.Finish).seconds()
		}
	}
	t.Fine = !raw.Processing.whole() || !raw.Start.whole()
	return nil
}

// looseFloat is a number, a quoted number, or anything else as zero: timing
// is advice, and an odd value must not spoil the answer that carries it.
type looseFloat float64

func (f *looseFloat) UnmarshalJSON(b []byte) error {
	v, err := strconv.ParseFloat(strings.Trim(string(b), `"`), 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		v = 0
	}
	*f = looseFloat(v)
	return nil
}

func (f looseFloat) whole() bool { return float64(f) == math.Trunc(float64(f)) }

func (f looseFloat) seconds() time.Duration {
	const most = float64(24 * time.Hour / time.Second)
	return time.Duration(min(max(float64(f), 0), most) * float64(time.Second))
}
