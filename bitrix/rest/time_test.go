package rest

import (
	"testing"
	"time"
)

func TestTimeIsAdvice(t *testing.T) {
	for in, want := range map[string]Time{
		`[]`: {}, `null`: {}, `"x"`: {}, `{}`: {},
		`{"processing":1.35,"operating":"2.5","operating_reset_at":1767225600}`: {1350 * time.Millisecond, 2500 * time.Millisecond, time.Unix(1767225600, 0)},
		`{"processing":-1,"operating":{},"operating_reset_at":1e300}`:           {},
		`{"processing":1e300,"operating":"NaN","operating_reset_at":"soon"}`:    {Processing: 24 * time.Hour},
	} {
		var got Time
		if err := got.UnmarshalJSON([]byte(in)); err != nil || got != want {
			t.Errorf("%s: %+v (%v), want %+v", in, got, err, want)
		}
	}
}
