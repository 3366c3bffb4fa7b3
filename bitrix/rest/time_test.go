package rest

import (
	"testing"
	"time"
)

func TestTimeIsAdvice(t *testing.T) {
	for in, want := range map[string]Time{
		`[]`: {}, `null`: {}, `"x"`: {}, `{}`: {},
		`{"processing":1.35,"operating":"2.5","operating_reset_at":1767225600}`: {Processing: 1350 * time.Millisecond, Operating: 2500 * time.Millisecond, OperatingResetAt: time.Unix(1767225600, 0), Fine: true},
		`{"processing":-1,"operating":{},"operating_reset_at":1e300}`:           {},
		`{"processing":1e300,"operating":"NaN","operating_reset_at":"soon"}`:    {Processing: 24 * time.Hour},
		// Whole seconds, as portals write them since 2025.
		`{"start":1767225000,"finish":1767225001.25,"duration":1.25,"processing":1}`: {Processing: time.Second, Finished: time.UnixMilli(1767225001250)},
		`{"start":1767225000.5,"processing":0}`:                                      {Fine: true},
		// The clock of the portal is a year ahead of ours.
		`{"finish":1798761000.5,"operating_reset_at":"1798761600"}`: {OperatingResetAt: time.Unix(1798761600, 0), OperatingResetIn: 599500 * time.Millisecond, Finished: time.UnixMilli(1798761000500)},
		`{"finish":1798761600.5,"operating_reset_at":1798761600}`:   {OperatingResetAt: time.Unix(1798761600, 0), Finished: time.UnixMilli(1798761600500)},
	} {
		var got Time
		if err := got.UnmarshalJSON([]byte(in)); err != nil || got != want {
			t.Errorf("%s: %+v (%v), want %+v", in, got, err, want)
		}
	}
}
