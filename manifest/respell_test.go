package manifest

import (
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// JSON as PHP and Python write it: a slash may have a backslash, characters
// beyond U+FFFF are pairs of escapes.
func TestRespell(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"PHP", `"https:\/\/acme.example\/"`, "https://acme.example/"},
		{"Python", `"\ud83d\ude00\uD83D\uDE80!"`, "😀🚀!"},
		{"both", `"\/\ud83d\ude00\/\/"`, "/😀//"},
		{"escaped backslash", `"a\\/b\\ud83d\\ude00"`, `a\/b\ud83d\ude00`},
		{"three backslashes", `"a\\\/b"`, `a\/b`},
		{"plain", `C:\/x\ud83d\ude00`, `C:\/x\ud83d\ude00`},
		{"single quotes", `'a\/b\\\/'`, `a\/b\\\/`},
		{"block", "|\n  a\\/b \"c\\/d\"", `a\/b "c\/d"`},
		{"comment", "\"a\" # b\\/c", "a"},
		{"key", `{"a\/b": c}`, "a/b"},
		{"other escapes", `"\x41\u00e4\U0001F600\n\/"`, "Aä😀\n/"},
		{"a character that respelling would use", "\"\uFDD0\\/\"", "\uFDD0/"},
		{"the same as an escape", `"\uFDD0\/\ufdd1"`, "\uFDD0/\uFDD1"},
		{"YAML 1.2", "%YAML 1.2\n---\na", "a"},
		{"YAML 1.2 after comments", "# c\n\n%YAML 1.2 # d\r\n---\na", "a"},
		{"no directive", "|\n  %YAML 1.2\n  b", "%YAML 1.2\nb"},
	} {
		docs, found := parse(newText("m", ".", []byte(c.text)), nil)
		if len(found) > 0 || len(docs) != 1 {
			t.Errorf("%s: %v", c.name, found)
			continue
		}
		n := docs[0].root
		if n.Kind == yaml.MappingNode {
			n = n.Content[0]
		}
		if n.Value != c.want {
			t.Errorf("%s: got %q, want %q", c.name, n.Value, c.want)
		}
	}
	// Positions are those of the file.
	docs, found := parse(newText("m", ".", []byte(`["\/\ud83d\ude00", b]`)), nil)
	if len(found) > 0 || docs[0].Root().Item(1).Position() != (Position{"m", 1, 20}) {
		t.Errorf("%v: what follows is at %v", found, docs[0].Root().Item(1).Position())
	}
	if _, found := parse(newText("m", ".", []byte("a\n...\n%YAML 1.2\n---\nb")), nil); len(found) > 0 {
		t.Errorf("a directive before the second document: %v", found)
	}
}

// FuzzRespell reads any YAML as the library does by itself, where it can.
func FuzzRespell(f *testing.F) {
	f.Add(`["a\/b", 'c\/d', e\/f, "\ud83d\ude00", "\\/"]`)
	f.Add("%YAML 1.2\n---\na: |\n  \\/\n")
	f.Add("a: \"\\\\\\/\"\n? b\\/\n: !t\\/ c")
	f.Fuzz(func(t *testing.T, text string) {
		plain := newText("m", ".", []byte(text))
		if characters(plain) != nil {
			return
		}
		var want yaml.Node
		if err := yaml.NewDecoder(strings.NewReader(string(plain.data))).Decode(&want); err != nil || len(want.Content) == 0 {
			return // what only respelling makes readable
		}
		docs, _ := parse(plain, nil)
		if emptyScalar(want.Content[0]) {
			return
		}
		if len(docs) == 0 {
			t.Fatalf("%q: nothing is read", text)
		}
		if got, want := scalars(docs[0].root, nil), scalars(want.Content[0], nil); !slices.Equal(got, want) {
			t.Fatalf("%q reads %q, not %q", text, got, want)
		}
	})
}

func scalars(n *yaml.Node, values []string) []string {
	if n.Kind == yaml.ScalarNode {
		return append(values, n.Value)
	}
	for _, c := range n.Content {
		values = scalars(c, values)
	}
	return values
}
