package sandbox

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"time"
)

// problem is what is wrong in a state, and in which part of it: a path of keys
// and indices that leads to the place in a file.
type problem struct {
	path []any
	msg  string
}

func problemAt(msg string, path ...any) *problem { return &problem{path, msg} }

// check looks for what a portal cannot start from.
func (s *State) check() *problem {
	declared, p := s.checkConnectors()
	if p != nil {
		return p
	}
	return cmp.Or(s.checkSources(declared), s.checkOptions())
}

// checkConnectors returns the settings that each connector declares.
func (s *State) checkConnectors() (map[int64]map[string]bool, *problem) {
	declared := map[int64]map[string]bool{}
	for i, c := range s.Connectors {
		switch {
		case c.ID <= 0:
			return nil, problemAt("a connector needs a positive id", "connectors", i)
		case declared[c.ID] != nil:
			return nil, problemAt(fmt.Sprintf("connector %d is there twice", c.ID), "connectors", i, "id")
		}
		declared[c.ID] = map[string]bool{}
		for j, st := range c.Settings {
			at := []any{"connectors", i, "settings", j}
			switch {
			case st.Code == "":
				return nil, &problem{at, "a setting needs a code"}
			case declared[c.ID][st.Code]:
				return nil, &problem{at, fmt.Sprintf("setting %q is there twice", st.Code)}
			case st.Type != "" && st.Type != "STRING" && st.Type != "INT":
				return nil, &problem{append(at, "type"), fmt.Sprintf("unknown type %q: STRING or INT", st.Type)}
			}
			declared[c.ID][st.Code] = true
		}
	}
	return declared, nil
}

func (s *State) checkSources(declared map[int64]map[string]bool) *problem {
	ids := map[int64]bool{}
	for i, src := range s.Sources {
		at := func(key string) []any { return []any{"sources", i, key} }
		switch {
		case src.ID <= 0:
			return problemAt("a source needs a positive id", "sources", i)
		case ids[src.ID]:
			return &problem{at("id"), fmt.Sprintf("source %d is there twice", src.ID)}
		case declared[src.ConnectorID] == nil:
			return &problem{at("connectorId"), fmt.Sprintf("source %d: there is no connector %d", src.ID, src.ConnectorID)}
		case src.Check != "" && src.Check != CheckOK && src.Check != CheckFail && src.Check != CheckFailOnce:
			return &problem{at("check"), fmt.Sprintf("source %d: unknown check %q: ok, fail or fail_once", src.ID, src.Check)}
		}
		ids[src.ID] = true
		for _, code := range slices.Sorted(maps.Keys(src.Settings)) {
			if !declared[src.ConnectorID][code] {
				return &problem{append(at("settings"), code),
					fmt.Sprintf("source %d: connector %d declares no setting %q", src.ID, src.ConnectorID, code)}
			}
		}
	}
	return nil
}

func (s *State) checkOptions() *problem {
	for _, d := range []struct {
		key   string
		value int64
	}{
		{"latency", int64(s.Latency)}, {"update_cost", int64(s.UpdateCost)}, {"read_cost", int64(s.ReadCost)},
		{"operating_limit", int64(s.OperatingLimit)}, {"token_lifetime", int64(s.TokenLifetime)}, {"workers", int64(s.Workers)},
	} {
		if d.value < 0 {
			return problemAt(d.key+" must not be negative", d.key)
		}
	}
	switch s.OperatingBilled {
	case "", BilledNested, BilledBatch:
	default:
		return problemAt(fmt.Sprintf("unknown value %q: nested or batch", s.OperatingBilled), "operating_billed")
	}
	if l := s.Limits; l.Rate < 0 || l.Burst < 0 || l.Level < 0 || l.Phase < 0 || l.Phase >= time.Second {
		return problemAt("rate, burst, level and phase must not be negative, and phase must be below 1s", "limits")
	}
	if u, err := url.Parse(s.Address); s.Address != "" && (err != nil || u.Host == "") {
		return problemAt(fmt.Sprintf("%q is not an address such as https://acme.example", s.Address), "address")
	}
	if u, err := url.Parse(s.Redirect); s.Redirect != "" && (err != nil || !loopback(u)) {
		return problemAt(fmt.Sprintf("%q is not a loopback address", s.Redirect), "redirect")
	}
	for i, f := range s.Faults {
		if err := f.check(); err != nil {
			return problemAt(err.Error(), "faults", i)
		}
	}
	return nil
}
