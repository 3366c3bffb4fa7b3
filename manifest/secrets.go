package manifest

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
)

// secretsOf returns the references to secrets of the selected objects, each
// key once.
func secretsOf(set *Set, selected func(Object) bool) []*reference {
	var refs []*reference
	seen := map[string]bool{}
	for i := range set.Sources {
		s := &set.Sources[i]
		for _, setting := range s.Settings {
			if ref := setting.Value.ref; ref != nil && ref.secret != "" && !seen[ref.secret] && selected(s.Object) {
				seen[ref.secret] = true
				refs = append(refs, ref)
			}
		}
	}
	return refs
}

// ask asks the secret helper for all secrets at once. What is wrong with the
// helper itself is one finding, at the first reference that needs it.
func (r *resolving) ask(ctx context.Context, refs []*reference) []*Finding {
	if len(refs) == 0 {
		return nil
	}
	broken := func(message string, hints ...string) []*Finding {
		for _, ref := range refs {
			r.read[ref.place()] = outcome{problem: &unresolved{rule: covered}}
		}
		return []*Finding{refs[0].problem(&unresolved{"secret-helper", message, hints})}
	}
	if r.SecretHelper == nil {
		return broken("there is no secret helper to ask", "name the program in SYNCSOURCES_SECRET_HELPER")
	}
	var keys bytes.Buffer
	for _, ref := range refs {
		keys.WriteString(strings.NewReplacer("\n", "", "\r", "").Replace(ref.secret) + "\n") // the schema refuses line breaks
	}
	printed, err := r.SecretHelper(ctx, keys.Bytes())
	if err != nil {
		return broken("the secret helper failed: " + err.Error())
	}
	var secrets map[string]*string
	if err := json.Unmarshal(printed, &secrets); err != nil || secrets == nil {
		return broken("the secret helper did not print one JSON object of strings", `it gets keys, one a line, and prints {"key": "value"}`)
	}
	for _, ref := range refs {
		got, shown := outcome{}, "the secret "+Quote(ref.secret)
		if value := secrets[ref.secret]; value == nil {
			got.problem = &unresolved{"secret-missing", "the secret helper does not have " + shown, nil}
		} else {
			// encoding/json has put U+FFFD in the place of what is not valid.
			got.plain, got.problem = *value, unfit(shown, "secret", strings.ReplaceAll(*value, "\uFFFD", "\xFF"))
		}
		r.read[ref.place()] = got
	}
	return nil
}

// covered is the rule of findings that another one covers.
const covered = ""
