package manifest

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"

	"gopkg.in/yaml.v3"
)

// The YAML library reads YAML 1.1, and not all of JSON. Three things are
// respelled for it, each in as many characters, so that columns stay:
//
//   - "\/" and "\ud83d\ude00", as PHP and Python write JSON, are valid between
//     double quotes. Their backslashes become a character that nobody uses, in
//     the whole file; of each scalar restore makes what its style says.
//   - "%YAML 1.2" at the start of the file or of a document becomes 1.1.
var (
	escapes    = regexp.MustCompile(`\\+(?:/|u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})`)
	directive  = regexp.MustCompile(`(?m)((?:\A|^\.\.\.[ \t]*(?:#.*)?\r?\n)(?:[ \t]*(?:#.*)?\r?\n)*%YAML 1\.)2([ \t\r]*(?:#.*)?)$`)
	firstMark  = '\uFDD0' // the first of 32 characters without a meaning
	countMarks = 32
)

// respelling restores what was respelled; "" for nothing.
type respelling string

// respell returns data as the YAML library reads it.
func respell(data []byte) ([]byte, respelling) {
	if bytes.Contains(data, []byte("%YAML 1.2")) {
		data = directive.ReplaceAll(data, []byte("${1}1$2"))
	}
	if !escapes.Match(data) {
		return data, ""
	}
	mark := ""
	for i := range countMarks { // one that the file does not use
		r := firstMark + rune(i)
		if mark = string(r); !bytes.Contains(data, []byte(mark)) && !bytes.Contains(bytes.ToLower(data), []byte("\\u"+strconv.FormatInt(int64(r), 16))) {
			break
		}
	}
	return escapes.ReplaceAllFunc(data, func(found []byte) []byte {
		slashes := len(found) - len(bytes.TrimLeft(found, `\`))
		if slashes%2 == 0 {
			return found // an escaped backslash, and no escape
		}
		last := bytes.ReplaceAll(found[slashes-1:], []byte(`\`), []byte(mark))
		return append(bytes.Clone(found[:slashes-1]), last...)
	}), respelling(mark)
}

// restore gives scalars the texts that they were written with.
func (mark respelling) restore(n *yaml.Node) {
	if mark == "" {
		return
	}
	for _, c := range n.Content {
		mark.restore(c)
	}
	n.Tag = strings.ReplaceAll(n.Tag, string(mark), `\`)
	if n.Kind != yaml.ScalarNode || !strings.Contains(n.Value, string(mark)) {
		return
	}
	if n.Style&yaml.DoubleQuotedStyle == 0 {
		n.Value = strings.ReplaceAll(n.Value, string(mark), `\`)
		return
	}
	parts := strings.Split(n.Value, string(mark))
	var b strings.Builder
	b.WriteString(parts[0])
	for i := 1; i < len(parts); i++ {
		if strings.HasPrefix(parts[i], "/") {
			b.WriteString(parts[i])
			continue
		}
		high, low := hex4(parts[i]), hex4(parts[i+1]) // marks of pairs come in pairs
		i++
		b.WriteRune(utf16.DecodeRune(high, low))
		b.WriteString(parts[i][len("udead"):])
	}
	n.Value = b.String()
}

// hex4 returns the number in "ud83d".
func hex4(s string) rune {
	n, _ := strconv.ParseUint(s[1:5], 16, 32)
	return rune(n)
}
