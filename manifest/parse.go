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
// syntax error the documents before it are returned too.
func parse(t *text) ([]*Document, []*Finding) {
	if found := characters(t); found != nil {
		return nil, found
	}
	var docs []*Document
	decoder := yaml.NewDecoder(bytes.NewReader(t.data))
	for {
		var n yaml.Node
		err := decoder.Decode(&n)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			if len(docs) > 0 {
				docs[len(docs)-1].torn = true
			}
			return docs, []*Finding{syntax(t, err)}
		}
		if len(docs) > 0 && docs[len(docs)-1].next == 0 {
			docs[len(docs)-1].next = t.at(n.Line, n.Column).Line
		}
		if len(n.Content) == 0 || emptyScalar(n.Content[0]) {
			continue
		}
		docs = append(docs, &Document{text: t, root: n.Content[0]})
	}
	if len(docs) == 0 {
		return nil, []*Finding{{
			Position: Position{t.name, 1, 1},
			Rule:     "empty-file",
			Message:  "the file declares nothing",
			Advice:   []string{"a manifest without sources is written as version: 1 and sources: []"},
		}}
	}
	return docs, nil
}

// emptyScalar reports whether a document has no content at all. One that says
// null does say something.
func emptyScalar(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Value == "" && n.Style == 0 && n.Anchor == ""
}

// characters reports what may not stand in a file, before YAML is parsed: the
// YAML library tells no position for it. Of each kind the first is reported;
// a file that is no text would have thousands.
func characters(t *text) []*Finding {
	var found []*Finding
	reported := map[string]bool{}
	report := func(at int, rule, message string, advice ...string) {
		if reported[rule] {
			return
		}
		reported[rule] = true
		e := &Finding{Position: t.offset(at), Rule: rule, Message: message, Advice: advice}
		if showable(t, e.Position.Line) {
			e.Snippet = t.snippet(e.Position.Line)
		}
		found = append(found, e)
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
		case r < ' ' || r >= 0x7f && r < 0xa0 && r != 0x85 || r == 0xFFFE || r == 0xFFFF:
			report(i, "control-character", fmt.Sprintf("the control character %U is not allowed in YAML", r),
				fmt.Sprintf(`between double quotes it can be written as "\u%04x"`, r))
		}
		i += n
	}
	return found
}
