package runner

import (
	"fmt"
	"strconv"
	"strings"
)

// Limit is the maximum number of changes that a run may make: a number, or a share of the
// selected sources. The zero value is no limit.
type Limit struct {
	set     bool
	percent bool
	n       int
}

// ParseLimit reads "10" or "5%". The empty text is no limit.
func ParseLimit(s string) (Limit, error) {
	if s == "" {
		return Limit{}, nil
	}
	digits, percent := strings.CutSuffix(s, "%")
	n, err := strconv.Atoi(digits)
	if err != nil || n < 0 || percent && n > 100 || digits != strconv.Itoa(n) {
		return Limit{}, fmt.Errorf("%q is not a limit: write a number (10) or a share (5%%)", s)
	}
	return Limit{true, percent, n}, nil
}

// allows reports whether changes may be made to this many of the targeted
// sources. A share is rounded down.
func (l Limit) allows(changes, targeted int) bool {
	return !l.set || changes <= l.most(targeted)
}

func (l Limit) most(targeted int) int {
	if l.percent {
		return targeted * l.n / 100
	}
	return l.n
}

// String returns the limit as ParseLimit reads it.
func (l Limit) String() string {
	switch {
	case !l.set:
		return ""
	case l.percent:
		return fmt.Sprintf("%d%%", l.n)
	}
	return strconv.Itoa(l.n)
}
