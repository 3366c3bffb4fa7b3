package runner

import (
	"slices"
	"time"
)

// probes is how many sources find out whether this portal honours the active
// flag. Current portals accept it and ignore it, so that sending it for
// thousands of sources would cost a call each, and as many connection checks,
// for nothing.
const probes = 3

// gate holds back the calls that set active until the first few have been
// read back.
type gate struct {
	open    bool     // honoured: everything goes
	closed  bool     // ignored: nothing more goes
	ignored int      // probes read back as ignored
	probing []*entry // sent as probes and not settled yet
	waiting []*entry
}

// submitActive sets the active flag where it differs, and else has the entry
// read back.
func (a *apply) submitActive(e *entry) {
	if !e.differs("active") {
		a.written(e)
		return
	}
	g := &a.active
	switch {
	case g.closed:
		a.notActive(e)
	case a.stopped:
		a.partly(e)
	case g.open:
		a.sendActive(e)
	case len(g.probing)+g.ignored < probes:
		g.probing = append(g.probing, e)
		a.sendActive(e)
	default:
		g.waiting = append(g.waiting, e)
	}
}

// sendActive sends the flag with the title, which the portal demands. It is
// a boolean, so it goes as a call of its own, and the fields that a batch can
// carry do not wait for it.
func (a *apply) sendActive(e *entry) {
	f, _ := fields(e.step.Desired, &e.live, nil)
	f.Active = e.step.Desired.Active
	a.update(e, f, []string{"active"}, time.Time{}, func() { a.written(e) })
}

// notActive ends an entry on a portal that ignores the flag. What else was
// written of it is read back, and then the flag is named all the same.
func (a *apply) notActive(e *entry) {
	e.acknowledged["active"] = true
	if len(e.acknowledged) > 1 {
		a.written(e)
		return
	}
	f := notConverged([]difference{*e.difference("active")})
	f.Message = "the portal ignores active, as its other sources have shown, so the declared active was not sent"
	a.fail(e, f)
}

// probed tells the gate what became of a probe: honoured, ignored, or neither
// because it failed in another way. It lets those go on that waited for it.
func (a *apply) probed(e *entry, honoured, ignored bool) {
	g := &a.active
	at := slices.Index(g.probing, e)
	if at < 0 {
		return
	}
	g.probing = slices.Delete(g.probing, at, at+1)
	if honoured {
		g.open = true
	}
	if ignored {
		g.ignored++
		g.closed = g.ignored >= probes && !g.open
	}
	if g.closed {
		a.logger.Warn("this portal ignores the active flag; it is not sent any more")
	}
	// Everyone is asked again; those who still have to wait queue up anew.
	waiting := g.waiting
	g.waiting = nil
	for _, w := range waiting {
		a.submitActive(w)
	}
}
