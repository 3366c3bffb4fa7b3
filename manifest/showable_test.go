package manifest

import "testing"

// Lines of files that could not be parsed are shown only where their looks
// leave no doubt.
func TestShowable(t *testing.T) {
	const file = `version: 1
x-a: &a
  title: in an anchor
portal: https://acme
sources:
  - name: crm
    id: 4
    settings:
      title: the code of a setting
      # comment
      password: p
    title: after it
    # comment
    description: a
  - title: {a
  - settings: {title: a
    name: b
-   id: 5
    "active" : c
    secret: d
sources
`
	text := newText("m", ".", []byte(file))
	shown := map[int]bool{1: true, 5: true, 6: true, 7: true, 12: true, 14: true, 18: true, 19: true, 21: true}
	for n := 1; n < text.end(); n++ {
		if showable(text, n) != shown[n] {
			t.Errorf("line %d, %q: shown is %v", n, text.line(n), !shown[n])
		}
	}
}
