package manifest

import (
	"strconv"
	"strings"
	"unicode"
)

// namer makes names from titles: readable, and unique among those of a kind.
type namer struct {
	kind  string
	names map[int64]string // by id
	taken map[string]bool
}

func newNamer(kind string) *namer {
	return &namer{kind: kind, names: map[int64]string{}, taken: map[string]bool{}}
}

// declare takes the name of an object in another manifest.
func (n *namer) declare(o Object) {
	n.taken[o.Name] = true
	if o.ID != 0 {
		n.names[o.ID] = o.Name
	}
}

// add finds a name for an object, if it has none yet.
func (n *namer) add(id int64, title string) {
	if n.names[id] != "" {
		return
	}
	base := slug(title)
	switch {
	case base == "":
		base = n.kind + "-" + strconv.FormatInt(id, 10)
	case onlyDigits(base): // would be taken for an id
		base = n.kind + "-" + base
	}
	name := base
	for i := 2; n.taken[name]; i++ {
		name = base + "-" + strconv.Itoa(i)
	}
	n.taken[name], n.names[id] = true, name
}

// longestName is the longest name that is made, in characters.
const longestName = 40

// slug returns the letters and digits of a title in lower case, with a dash for
// whatever is between them.
func slug(title string) string {
	var b strings.Builder
	length := 0
	for _, word := range strings.FieldsFunc(strings.ToLower(title), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.Mn, r)
	}) {
		runes := []rune(word)
		if length > 0 && length+1+len(runes) > longestName {
			break
		}
		if length > 0 {
			b.WriteByte('-')
			length++
		}
		runes = runes[:min(len(runes), longestName)]
		b.WriteString(string(runes))
		length += len(runes)
	}
	return b.String()
}
