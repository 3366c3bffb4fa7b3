package manifest

// across reports what is declared twice, in one file or in several. Of two
// declarations the later one is reported, and names the earlier one.
func across(sources []built) []*Error {
	var found []*Error
	ids := make(map[int64]int, len(sources))
	names := make(map[string]int, len(sources))
	for i, s := range sources {
		if s.id.val != nil {
			if first, twice := ids[s.ID]; twice {
				found = append(found, s.id.Problem("duplicate-id", []string{declaredAt(sources[first].id)}, "the id %d is declared twice", s.ID))
				if s.name.val == nil {
					continue // the default name twice is the same fault
				}
			} else {
				ids[s.ID] = i
			}
		}
		if s.Name == "" {
			continue
		}
		first, twice := names[s.Name]
		if !twice {
			names[s.Name] = i
			continue
		}
		at, other := s, sources[first]
		if at.name.val == nil {
			at, other = other, at // the one whose name is written out
		}
		if other.name.val == nil {
			found = append(found, at.name.Problem("duplicate-name", []string{declaredAt(other.id)}, "the name %s is the default name of source %d", Quote(s.Name), other.ID))
			continue
		}
		found = append(found, at.name.Problem("duplicate-name", []string{declaredAt(other.name)}, "the name %s is declared twice", Quote(s.Name)))
	}
	return found
}

func declaredAt(n Node) string { return "already declared at " + n.Position().String() }
