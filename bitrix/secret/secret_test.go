package secret

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// TestSecretPrintsNothing prints secrets by themselves and where fmt does not
// ask them how: in unexported fields.
func TestSecretPrintsNothing(t *testing.T) {
	const text = "s3cr3t"
	s := New(text)
	type holder struct {
		hidden Text
		list   []Text
		Shown  Text
	}
	for _, thing := range []any{s, &s, []Text{s}, map[string]Text{"k": s}, holder{s, []Text{s}, s}, &holder{hidden: s}, map[string]holder{"k": {hidden: s}}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%c", "%U", "%e", "%p", "%w"} {
			out := fmt.Sprintf(verb, thing)
			if strings.Contains(out, text) || strings.Contains(strings.ToLower(out), fmt.Sprintf("%x", text)) {
				t.Errorf("%s of a %T prints %q", verb, thing, out)
			}
		}
		if out, err := json.Marshal(thing); err != nil || strings.Contains(string(out), text) {
			t.Errorf("JSON of a %T is %s, %v", thing, out, err)
		}
	}
	if s.Plain() != text || (Text{}).Plain() != "" || New("").Plain() != "" {
		t.Error("the text is lost")
	}
	if s != New("s3"+strings.Repeat("cr3t", 1)) || s == New("other") || New("") != (Text{}) {
		t.Error("secrets are not compared by their texts")
	}
}
