package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// parse splits a file into its documents; empty ones are skipped. With a
// syntax error the documents before it are returned too. top is the scope of
// their roots.
func parse(t *text, top *scope) ([]*Document, []*Finding) {
	if found := characters(t); found != nil {
		return nil, found
	}
	data, spelled := respell(t.data)
	lines := &lineReader{data: data}
	decoder := yaml.NewDecoder(lines)
	var docs []*Document
	for {
		var n yaml.Node
		err := decoder.Decode(&n)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return docs, []*Finding{syntax(t, err, lines.line())}
		}
		if len(n.Content) == 0 || emptyScalar(n.Content[0]) {
			continue
		}
		spelled.restore(n.Content[0])
		docs = append(docs, &Document{text: t, root: n.Content[0], scope: top})
	}
	if len(docs) == 0 {
		return nil, []*Finding{{
			Position: Position{t.name, 1, 1},
			Rule:     "empty-file",
			Message:  "the file declares nothing",
			Hints:    []string{"a manifest without objects is written as version: 1 and sources: []"},
		}}
	}
	return docs, nil
}

// emptyScalar reports whether a document has no content at all. One that says
// null does say something.
func emptyScalar(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Value == "" && n.Style == 0 && n.Anchor == ""
}

// characters reports what a file may not contain, before YAML is parsed: the
// YAML library gives no position for it, and would take U+0085, U+2028 and
// U+2029 for line breaks, which no editor does. Of each kind the first is
// reported; a binary file would have thousands.
func characters(t *text) []*Finding {
	var found []*Finding
	reported := map[string]bool{}
	report := func(at int, rule, message string, hints ...string) {
		if !reported[rule] {
			reported[rule] = true
			found = append(found, &Finding{Position: t.offset(at), Rule: rule, Message: message, Hints: hints})
		}
	}
	for i := 0; i < len(t.data); {
		if c := t.data[i]; c >= ' ' && c < 0x7f || c == '\n' || c == '\t' || c == '\r' {
			i++
			continue
		}
		r, n := utf8.DecodeRune(t.data[i:])
		switch {
		case r == utf8.RuneError && n <= 1:
			report(i, "invalid-utf8", fmt.Sprintf("the byte 0x%02x is not valid UTF-8", t.data[i]), "save the file as UTF-8")
		case r == 0:
			report(i, "nul", "a NUL character is not allowed")
		case r == 0xFEFF:
			report(i, "control-character", "a byte order mark is allowed at the start of a file only")
		case r == 0x85 || r == 0x2028 || r == 0x2029:
			report(i, "control-character", fmt.Sprintf("the line separator %U is not allowed: YAML breaks lines there, editors do not", r),
				fmt.Sprintf(`between double quotes it can be written as "\u%04x"`, r))
		case r < ' ' || r >= 0x7f && r < 0xa0 || r == 0xFFFE || r == 0xFFFF:
			report(i, "control-character", fmt.Sprintf("the control character %U is not allowed in YAML", r),
				fmt.Sprintf(`between double quotes it can be written as "\u%04x"`, r))
		}
		i += n
	}
	return found
}

// lineReader hands out a line a call: when the decoder fails, the
// line handed out last is the one that it had reached, or the next.
//
// An empty comment goes before the data, since the library does not tell the
// line of an error in the first one. Its lines are one more than ours.
type lineReader struct {
	data  []byte
	next  int // offset of what is handed out next
	begun bool
}

// added is how many lines a lineReader adds.
const added = 1

func (r *lineReader) Read(p []byte) (int, error) {
	if !r.begun {
		r.begun = true
		return copy(p, "#\n"), nil
	}
	if r.next == len(r.data) {
		return 0, io.EOF
	}
	n := copy(p, r.data[r.next:])
	if end := bytes.IndexByte(p[:n], '\n'); end >= 0 {
		n = end + 1
	}
	r.next += n
	return n, nil
}

// line returns the number of the line handed out last, from 1.
func (r *lineReader) line() int {
	return (&text{data: r.data}).offset(max(0, r.next-1)).Line
}
