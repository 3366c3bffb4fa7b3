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
	found = append(found, plain(root.get("version"), "version", digitsOnly)...)
	if portal := root.get("portal"); portal.Kind() == String {
		found = append(found, address(portal)...)
	}
	var fields, settings record // of one object after the other
	for _, f := range root.Fields() {
		for item := range f.mappings() {
			fields = item.AppendFields(fields[:0])
			switch f.Key() {
			case "connectors":
				found = append(found, integers(fields, "id", "sort")...)
				found = append(found, repeated(fields, "settings", "code")...)
			case "sources":
				found = append(found, integers(fields, "id", "connector")...)
				settings = fields.get("settings").AppendFields(settings[:0])
				found = append(found, checkSource(settings, fields.get("reveal"))...)
			case "tables":
				found = append(found, integers(fields, "source")...)
				found = append(found, repeated(fields, "columns", "name")...)
				found = append(found, repeated(fields, "columns", "externalCode")...)
			}
		}
	}
	return found
}

// otherFile reports a portals file or a state file of the sandbox among
// manifests: one finding instead of one for each of its keys.
func otherFile(d *Document) []*Finding {
	root := d.Root()
	objects := root.get("connectors").there() || root.get("sources").there() || root.get("tables").there()
	if root.get("portals").Kind() == List && !objects {
		return []*Finding{root.Problem("portals-file", []string{"keep it out of the directory of manifests; it goes to --portals"}, "this is a portals file, not a manifest")}
	}
	if root.get("version").there() {
		return nil
	}
	for _, f := range root.Fields() {
		state := slices.Contains([]string{"limits", "latency", "update_cost", "read_cost", "request_time", "operating_limit", "faults"}, f.Key())
		if f.Key() == "sources" {
			for item := range f.mappings() {
				state = state || item.get("connectorId").there()
			}
		}
		if state {
			return []*Finding{root.Problem("sandbox-state", []string{"keep it out of the directory of manifests; it goes to --sandbox and to sandbox --state"}, "this is a state of the sandbox, not a manifest")}
		}
	}
	return nil
}

// checkSource checks the settings of a source and what it reveals.
func checkSource(settings record, reveal Node) []*Finding {
	var found []*Finding
	for _, f := range settings {
		found = append(found, settingKey(f)...)
		if f.Kind() != Integer || f.Plain() {
			continue
		}
		what := "a setting"
		if name := f.QuoteKey(); name != "" {
			what = "the setting " + name
		}
		found = append(found, plain(f, what, "quote it: it is sent exactly as written")...)
	}
	return append(found, undeclared(reveal, settings)...)
}

// integers reports fields in another notation than the plain decimal one.
func integers(fields record, keys ...string) []*Finding {
	var found []*Finding
	for _, key := range keys {
		found = append(found, plain(fields.get(key), key, digitsOnly)...)
	}
	return found
}

const digitsOnly = "write it with decimal digits only"

// repeated reports items of a list that have the same text under a key.
func repeated(fields record, list, key string) []*Finding {
	var found []*Finding
	first := map[string]Node{}
	for item := range fields.get(list).mappings() {
		f := item.get(key)
		if f.text() == "" {
			continue
		}
		if before, twice := first[f.text()]; twice {
			found = append(found, f.Problem("duplicate-code", declaredAt(before), "the %s %s is declared twice", key, Quote(f.text())))
			continue
		}
		first[f.text()] = f
	}
	return found
}

// plain reports an integer in a notation that other readers of YAML take for
// another number, or for a text.
func plain(n Node, what, hint string) []*Finding {
	if n.Kind() != Integer || n.Plain() {
		return nil
	}
	shown := ""
	if n.shown() {
		shown = ", not " + bare(n.Text())
	}
	return []*Finding{n.Problem("plain-integer", []string{hint}, "%s must be an integer in plain decimal form%s", what, shown)}
}

// settingKey reports a key of a settings block whose text is not certain.
func settingKey(f Node) []*Finding {
	key := f.keyNode()
	if key.Kind() == String {
		return nil
	}
	hints := []string{"quote it to mean text"}
	switch key.Kind() {
	case Integer:
		if key.Plain() {
			return nil
		}
		shown := ""
		if f.QuoteKey() != "" {
			shown = ", not " + bare(f.Key())
		}
		return []*Finding{f.KeyProblem("plain-integer", hints, "a settings key must be an integer in plain decimal form%s", shown)}
	default:
		return []*Finding{f.KeyProblem("key-type", hints, "a settings key must be a string or an integer, not %s", key.Kind())}
	}
}

// undeclared reports what reveal names without the settings declaring it.
func undeclared(reveal Node, settings record) []*Finding {
	if !reveal.there() {
		return nil
	}
	codes := make([]string, len(settings))
	for i, f := range settings {
		codes[i] = f.Key()
	}
	isDeclared := among(codes)
	var found []*Finding
	for item := range reveal.Items() {
		if kind := item.Kind(); kind != String && kind != Integer || isDeclared(item.Text()) {
			continue
		}
		if found == nil {
			codes = nameable(settings)
		}
		var hints []string
		near := ""
		if len(codes) <= searched && len(found) < searched {
			near = Nearest(item.Text(), codes)
		}
		if near != "" {
			hints = append(hints, "did you mean "+Quote(near)+"?")
		}
		if len(codes) == 0 {
			hints = append(hints, "the source declares no settings")
		} else {
			hints = append(hints, "declared: "+quoteAll(codes))
		}
		name := "a name that the settings do not declare"
		if item.shown() {
			name = Quote(item.Text()) + ", which the settings do not declare"
		}
		found = append(found, item.Problem("undeclared-reveal", hints, "reveal names %s", name))
	}
	return found
}

// searched is how many names are searched for what was meant.
const searched = 100

// nameable returns the keys of a settings block that messages may show.
func nameable(settings record) []string {
	var codes []string
	for _, f := range settings {
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
