package render

import "syncsources/runner"

// hint is what to do about failures of one code.
type hint struct{ code, text string }

// hints collects each hint once, in the order of the failures.
type hints struct {
	all  []hint
	seen map[hint]bool
}

func (h *hints) add(f *runner.Failure) {
	if f == nil || f.Hint == "" {
		return
	}
	one := hint{f.Code, f.Hint}
	if h.seen[one] {
		return
	}
	if h.seen == nil {
		h.seen = map[hint]bool{}
	}
	h.seen[one] = true
	h.all = append(h.all, one)
}
