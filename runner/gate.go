package runner

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strings"
	"unicode"
)

// probes is how many sources find out whether a portal takes what it may
// ignore: the active flag, which current portals accept and ignore, and
// settings whose values it hides. Sending them for thousands of sources would
// cost as many calls and connection checks for nothing. Which sources they are
// differs from run to run: a portal may heed the flag of some only.
const probes = 3

// gates hold back writes until the first few have been read back.
type gates struct {
	all map[string]*gate
	of  map[*entry][]string
}

// gate is one of them.
type gate struct {
	order   []*entry // who may find out, the first first; those who have found out are gone
	open    bool     // taken: everything goes
	closed  bool     // ignored: nothing more goes
	ignored int      // probes read back as ignored
	waiting waiters
}

// maskKey names the gate of a setting whose values the portal may hide for all
// sources of a connector.
func maskKey(s *source, d difference) string { return d.path + "\x00" + s.connectorName() }

// masked reports whether a value looks as if it stood for a hidden one.
func masked(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) ||
		len(s) >= 4 && strings.Trim(s, s[:1]) == ""
}

// hidden reports whether the portal shows nothing of a setting that it may have,
// or something that stands for it.
func (d difference) hidden() bool {
	return d.isSetting() && d.from.kind != nothing && (d.from.plain() == "" || masked(d.from.plain()))
}

// choose sets up the gates for the planned entries.
func (g *gates) choose(entries []*entry, seed uint64) {
	g.all, g.of = map[string]*gate{}, map[*entry][]string{}
	add := func(e *entry, key string) {
		if g.all[key] == nil {
			g.all[key] = &gate{}
		}
		g.all[key].order = append(g.all[key].order, e)
		g.of[e] = append(g.of[e], key)
	}
	seed = cmp.Or(seed, rand.Uint64())
	entries = slices.Clone(entries)
	rand.New(rand.NewPCG(seed, 1)).Shuffle(len(entries), func(i, j int) { entries[i], entries[j] = entries[j], entries[i] })
	for _, e := range entries {
		s, ok := e.subject.(*source)
		if !ok {
			continue
		}
		for _, d := range e.diffs {
			switch {
			case d.path == "active":
				add(e, "active")
			case d.hidden():
				add(e, maskKey(s, d))
			}
		}
	}
}

// enter waits until an entry may send what is behind a gate, and reports
// whether it may.
func (g *gates) enter(f *flow, a *apply, e *entry, key string) bool {
	gate := g.all[key]
	for gate != nil && !gate.open {
		if gate.closed {
			return false
		}
		first := gate.order[:min(len(gate.order), max(0, probes-gate.ignored))]
		if a.stopped || slices.Contains(first, e) {
			return true
		}
		gate.waiting.wait(f)
	}
	return true
}

// filter waits at the gates of settings, and leaves out the differences that
// the portal hides.
func (g *gates) filter(f *flow, a *apply, e *entry, diffs []difference) []difference {
	s, ok := e.subject.(*source)
	if !ok || len(g.of[e]) == 0 {
		return diffs
	}
	var sent []difference
	for _, d := range diffs {
		if d.hidden() && !g.enter(f, a, e, maskKey(s, d)) {
			e.acknowledged[d.path], e.unsent[d.path] = true, true
			continue
		}
		sent = append(sent, d)
	}
	return sent
}

// probes reports whether others wait for what the entry shows.
func (g *gates) probes(e *entry) bool {
	return slices.ContainsFunc(g.of[e], func(key string) bool { return len(g.all[key].waiting) > 0 })
}

// honoured opens the gates of what an entry was read back with as declared.
func (g *gates) honoured(e *entry) {
	g.each(e, func(path string, gate *gate) {
		if e.acknowledged[path] && !e.unsent[path] && find(e.read.diffs, path) == nil {
			gate.open = true
			gate.waiting.wake()
		}
	})
}

// judge closes the gates of what too many entries were read back without.
func (g *gates) judge(e *entry) {
	g.each(e, func(path string, gate *gate) {
		d := find(e.read.diffs, path)
		if !e.acknowledged[path] || e.unsent[path] || d == nil || path != "active" && !d.hidden() {
			return
		}
		gate.ignored++
		gate.closed = gate.ignored >= probes
	})
}

func (g *gates) each(e *entry, do func(path string, gate *gate)) {
	for _, key := range g.of[e] {
		path, _, _ := strings.Cut(key, "\x00")
		do(path, g.all[key])
	}
}

// left takes an entry that has ended off the gates, and lets those look again
// who wait there.
func (g *gates) left(e *entry) {
	for _, key := range g.of[e] {
		gate := g.all[key]
		if !gate.open && !gate.closed {
			gate.order = slices.DeleteFunc(gate.order, func(o *entry) bool { return o == e })
		}
		gate.waiting.wake()
	}
}

// wake lets all who wait look again.
func (g *gates) wake() bool {
	any := false
	for _, gate := range g.all {
		any = gate.waiting.wake() || any
	}
	return any
}
