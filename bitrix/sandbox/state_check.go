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
	return cmp.Or(s.checkSources(declared), s.checkTables(), s.checkPeople(), s.Switches.check(), s.checkOptions())
}

// checkConnectors returns the settings that each connector declares.
func (s *State) checkConnectors() (map[int64]map[string]bool, *problem) {
	declared := map[int64]map[string]bool{}
	for i, c := range s.Connectors {
		switch {
		case c.ID <= 0:
			return nil, problemAt("a connector needs a positive id", "connectors", i)
		case declared[c.ID] != nil:
			return nil, problemAt(fmt.Sprintf("connector %d is declared twice", c.ID), "connectors", i, "id")
		case !knownCheck(c.Check):
			return nil, problemAt(fmt.Sprintf("connector %d: unknown check %q: ok, fail or fail_once", c.ID, c.Check), "connectors", i, "check")
		}
		declared[c.ID] = map[string]bool{}
		for j, st := range c.Settings {
			at := []any{"connectors", i, "settings", j}
			switch {
			case st.Code == "":
				return nil, &problem{at, "a setting needs a code"}
			case declared[c.ID][st.Code]:
				return nil, &problem{at, fmt.Sprintf("setting %q is declared twice", st.Code)}
			case st.Type != "" && st.Type != "STRING" && st.Type != "INT":
				return nil, &problem{append(at, "type"), fmt.Sprintf("unknown type %q: STRING or INT", st.Type)}
			}
			declared[c.ID][st.Code] = true
		}
	}
	return declared, nil
}

func knownCheck(check string) bool {
	return slices.Contains([]string{"", CheckOK, CheckFail, CheckFailOnce}, check)
}

func (s *State) checkSources(declared map[int64]map[string]bool) *problem {
	ids := map[int64]bool{}
	for i, src := range s.Sources {
		at := func(key string) []any { return []any{"sources", i, key} }
		switch {
		case src.ID <= 0:
			return problemAt("a source needs a positive id", "sources", i)
		case ids[src.ID]:
			return &problem{at("id"), fmt.Sprintf("source %d is declared twice", src.ID)}
		case declared[src.ConnectorID] == nil:
			return &problem{at("connectorId"), fmt.Sprintf("source %d: there is no connector %d", src.ID, src.ConnectorID)}
		case !knownCheck(src.Check):
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

func (s *State) checkTables() *problem {
	sources, ids, names, columns := map[int64]bool{}, map[int64]bool{}, map[string]bool{}, map[int64]bool{}
	for _, src := range s.Sources {
		sources[src.ID] = true
	}
	for _, name := range s.TakenNames {
		names[name] = true
	}
	for i, t := range s.Tables {
		at := func(key string) []any { return []any{"tables", i, key} }
		switch {
		case t.ID <= 0:
			return problemAt("a table needs a positive id", "tables", i)
		case ids[t.ID]:
			return &problem{at("id"), fmt.Sprintf("table %d is declared twice", t.ID)}
		case !tableName.MatchString(t.Name):
			return &problem{at("name"), fmt.Sprintf("table %d: %q is not a table name such as crm_deals", t.ID, t.Name)}
		case names[t.Name]:
			return &problem{at("name"), fmt.Sprintf("table %d: the name %s is taken", t.ID, t.Name)}
		case !sources[t.SourceID]:
			return &problem{at("sourceId"), fmt.Sprintf("table %d: there is no source %d", t.ID, t.SourceID)}
		}
		ids[t.ID], names[t.Name] = true, true
		for j, c := range t.Columns {
			switch {
			case !columnName.MatchString(c.Name):
				return &problem{append(at("columns"), j), fmt.Sprintf("table %d: %q is not a column name such as AMOUNT", t.ID, c.Name)}
			case !slices.Contains(columnTypes, c.Type):
				return &problem{append(at("columns"), j), fmt.Sprintf("table %d: unknown type %q: %s", t.ID, c.Type, either(columnTypes))}
			case c.ID < 0 || c.ID > 0 && columns[c.ID]:
				return &problem{append(at("columns"), j), fmt.Sprintf("table %d: column ids are positive, and unique on the portal", t.ID)}
			}
			columns[c.ID] = true
		}
	}
	return nil
}

func (s *State) checkOptions() *problem {
	for _, d := range []struct {
		key   string
		value int64
	}{
		{"latency", int64(s.Latency)}, {"update_cost", int64(s.UpdateCost)}, {"write_cost", int64(s.WriteCost)}, {"read_cost", int64(s.ReadCost)},
		{"operating_limit", int64(s.OperatingLimit)}, {"token_lifetime", int64(s.TokenLifetime)}, {"workers", int64(s.Workers)},
	} {
		if d.value < 0 {
			return problemAt(d.key+" must not be negative", d.key)
		}
	}
	for i, j := range s.OtherJobs {
		if j.Method == "" || j.Spends <= 0 || j.Every <= 0 || j.Times < 0 {
			return problemAt("another job needs a method, what it spends, and every how long", "other_jobs", i)
		}
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
