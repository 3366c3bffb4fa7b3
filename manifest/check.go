package manifest

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// check reports what the JSON Schema cannot say about one document: how
// integers are written, what kinds of keys settings have, whether reveal names
// settings that are declared, and whether the portal's address is one.
func check(d *Document) []*Finding {
	var found []*Finding
	root := d.Root()
	if version, ok := root.Field("version"); ok {
		found = append(found, plain(version, "version", "write it with decimal digits only")...)
	}
	if portal, ok := root.Field("portal"); ok && portal.Kind() == String {
		found = append(found, address(portal)...)
	}
	var fields []Node // of one object after the other
	for _, f := range root.Fields() {
		for item := range f.mappings() {
			fields = item.AppendFields(fields[:0])
			switch f.Key() {
			case "connectors":
				found = append(found, integers(fields, "id", "sort")...)
				found = append(found, repeated(fields, "settings", "code")...)
			case "sources":
				found = append(found, integers(fields, "id", "connector")...)
				found = append(found, checkSource(fields)...)
			case "tables":
				found = append(found, integers(fields, "source")...)
				found = append(found, repeated(fields, "columns", "name")...)
				found = append(found, repeated(fields, "columns", "externalCode")...)
			}
		}
	}
	return found
}

// sandboxState reports a state file of the sandbox among manifests: one finding
// instead of one for each of its keys.
func sandboxState(d *Document) []*Finding {
	root := d.Root()
	if _, ok := root.Field("version"); ok {
		return nil
	}
	for _, f := range root.Fields() {
		state := slices.Contains([]string{"limits", "latency", "update_cost", "read_cost", "request_time", "operating_limit", "faults"}, f.Key())
		if f.Key() == "sources" {
			for item := range f.mappings() {
				if _, ok := item.Field("connectorId"); ok {
					state = true
				}
			}
		}
		if state {
			return []*Finding{root.Problem("sandbox-state", []string{"keep it out of the directory of manifests; it goes to --sandbox and to sandbox --state"}, "this is a state of the sandbox, not a manifest")}
		}
	}
	return nil
}

// checkSource checks the settings of a source and what it reveals.
func checkSource(fields []Node) []*Finding {
	var found []*Finding
	var settings, reveal Node
	for _, f := range fields {
		switch f.Key() {
		case "settings":
			settings = f
		case "reveal":
			reveal = f
		}
	}
	var codes []string
	if settings.val != nil {
		for _, f := range settings.Fields() {
			if reveal.val != nil {
				codes = append(codes, f.Key())
			}
			found = append(found, settingKey(f)...)
			if f.Kind() == Integer && !f.Plain() {
				what := "a setting"
				if name := f.QuoteKey(); name != "" {
					what = "the setting " + name
				}
				found = append(found, plain(f, what, "quote it: it is sent exactly as written")...)
			}
		}
	}
	if reveal.val != nil {
		found = append(found, undeclared(reveal, settings, codes)...)
	}
	return found
}

// integers reports fields in another notation than the plain decimal one.
func integers(fields []Node, keys ...string) []*Finding {
	var found []*Finding
	for _, f := range fields {
		if f.Kind() == Integer && !f.Plain() && slices.Contains(keys, f.Key()) {
			found = append(found, plain(f, f.Key(), "write it with decimal digits only")...)
		}
	}
	return found
}

// repeated reports items of a list that have the same text under a key.
func repeated(fields []Node, list, key string) []*Finding {
	var found []*Finding
	for _, f := range fields {
		if f.Key() != list {
			continue
		}
		first := map[string]Node{}
		for item := range f.mappings() {
			f, ok := item.Field(key)
			if !ok || f.text() == "" {
				continue
			}
			if before, twice := first[f.text()]; twice {
				found = append(found, f.Problem("duplicate-code", declaredAt(before), "the %s %s is declared twice", key, Quote(f.text())))
				continue
			}
			first[f.text()] = f
		}
	}
	return found
}

// plain reports an integer in a notation that other readers of YAML take for
// another number, or for a text.
func plain(n Node, what, advice string) []*Finding {
	if n.Kind() != Integer || n.Plain() {
		return nil
	}
	shown := ""
	if n.shown() {
		shown = ", not " + bare(n.Text())
	}
	return []*Finding{n.Problem("plain-integer", []string{advice}, "%s must be an integer in plain decimal form%s", what, shown)}
}

// settingKey reports a key of a settings block whose text is not certain.
func settingKey(f Node) []*Finding {
	key := f.keyNode()
	if key.Kind() == String {
		return nil
	}
	advice := []string{"quote it to mean text"}
	switch key.Kind() {
	case Integer:
		if key.Plain() {
			return nil
		}
		shown := ""
		if f.QuoteKey() != "" {
			shown = ", not " + bare(f.Key())
		}
		return []*Finding{f.KeyProblem("plain-integer", advice, "a settings key must be an integer in plain decimal form%s", shown)}
	default:
		return []*Finding{f.KeyProblem("key-type", advice, "a settings key must be a string or an integer, not %s", key.Kind())}
	}
}

// undeclared reports what reveal names without the settings declaring it.
func undeclared(reveal, settings Node, codes []string) []*Finding {
	isDeclared := func(code string) bool { return slices.Contains(codes, code) }
	if len(codes) > few {
		declared := make(map[string]bool, len(codes))
		for _, code := range codes {
			declared[code] = true
		}
		isDeclared = func(code string) bool { return declared[code] }
	}
	var found []*Finding
	for item := range reveal.Items() {
		if kind := item.Kind(); kind != String && kind != Integer || isDeclared(item.Text()) {
			continue
		}
		if found == nil {
			codes = nameable(settings)
		}
		var advice []string
		near := ""
		if len(codes) <= searched && len(found) < searched {
			near = Nearest(item.Text(), codes)
		}
		if near != "" {
			advice = append(advice, "did you mean "+Quote(near)+"?")
		}
		if len(codes) == 0 {
			advice = append(advice, "the source declares no settings")
		} else {
			advice = append(advice, "declared: "+quoteAll(codes))
		}
		name := "a name that the settings do not declare"
		if item.shown() {
			name = Quote(item.Text()) + ", which the settings do not declare"
		}
		found = append(found, item.Problem("undeclared-reveal", advice, "reveal names %s", name))
	}
	return found
}

// searched is how many names are searched for what was meant.
const searched = 100

// nameable returns the keys of a settings block that messages may show.
func nameable(settings Node) []string {
	if settings.val == nil {
		return nil
	}
	var codes []string
	for _, f := range settings.Fields() {
		if f.QuoteKey() != "" {
			codes = append(codes, f.Key())
		}
	}
	return codes
}

// address reports a portal with an invalid host or port. Its form is the
// schema's business; what does not have it is left alone here.
func address(n Node) []*Finding {
	scheme, host, ok := strings.Cut(n.Text(), "://")
	host = strings.TrimSuffix(host, "/")
	if !ok || !strings.EqualFold(scheme, "http") && !strings.EqualFold(scheme, "https") || host == "" || strings.ContainsAny(host, "/?#@ \t\r\n\\") {
		return nil
	}
	u, err := url.Parse("https://" + host)
	if err == nil && u.Hostname() != "" {
		if u.Port() == "" && !strings.HasSuffix(u.Host, ":") {
			return nil
		}
		if port, err := strconv.Atoi(u.Port()); err == nil && 0 < port && port < 1<<16 {
			return nil
		}
	}
	return []*Finding{n.Problem("portal-address", []string{"write it as https://acme.bitrix24.com"}, "%s must have a host, and a port from 1 to 65535 if any, not %s", n.Key(), n.Describe())}
}
