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
	// OperatingResetAt is when part of it is forgiven again.
	OperatingResetAt time.Time
}

// UnmarshalJSON accepts the portal's object and, as PHP writes an empty map,
// "[]"; figures may be numbers or quoted numbers.
func (t *Time) UnmarshalJSON(b []byte) error {
	var raw struct {
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
	t.Operating = raw.Operating.seconds()
	if raw.ResetAt > 0 && raw.ResetAt < 1<<40 {
		t.OperatingResetAt = time.Unix(int64(raw.ResetAt), 0)
	}
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

func (f looseFloat) seconds() time.Duration {
	const most = float64(24 * time.Hour / time.Second)
	return time.Duration(min(max(float64(f), 0), most) * float64(time.Second))
}
