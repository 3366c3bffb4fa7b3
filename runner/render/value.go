package render

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/aymanbagabas/go-udiff"

	"syncsources/runner"
	"syncsources/runner/render/clean"
)

// sensitive replaces both sides of a change whose values must not be seen.
const sensitive = "(sensitive)"

// How much of a long value is shown.
const (
	aroundChange = 24 // unchanged characters kept on each side of a change
	diffContext  = 2  // unchanged lines kept on each side of a changed one
	maxDiffLines = 40
)

// sides returns the two sides of a change as one line each: strings quoted the
// way Go quotes them, so that no character of theirs can act on a terminal,
// and booleans bare. Sides longer than limit characters are shortened around
// what changed; the ellipses are outside the quotes, where they cannot be
// taken for a part of the value.
func sides(c runner.Change, limit int) (from, to string) {
	if c.Sensitive {
		return sensitive, sensitive
	}
	a, aText := c.From.(string)
	b, bText := c.To.(string)
	if !aText || !bText {
		return side(c.From, limit), side(c.To, limit)
	}
	return shorten(a, b, limit)
}

// shown are the sides of a change of an object: of one that is created there is
// nothing before, of one that is deleted nothing after.
func shown(o *runner.Object, c runner.Change, limit int) (from, to string) {
	from, to = sides(c, limit)
	switch o.Action {
	case runner.ActionCreate:
		from = ""
	case runner.ActionDelete:
		to = ""
	}
	return from, to
}

func side(v any, limit int) string {
	switch v := v.(type) {
	case nil:
		return "(none)"
	case bool:
		return strconv.FormatBool(v)
	case float64: // as numbers come out of a JSON report
		return strconv.FormatFloat(v, 'f', -1, 64)
	case string:
		s, _ := shorten(v, "", limit)
		return s
	default:
		return cut(clean.Line(fmt.Sprint(v)), limit)
	}
}

// shorten quotes a and b, each cut down to about limit characters around the
// place where they differ.
func shorten(a, b string, limit int) (string, string) {
	x, y := []rune(a), []rune(b)
	if len(x) <= limit && len(y) <= limit {
		return clean.Quote(a), clean.Quote(b)
	}
	head := 0
	for head < len(x) && head < len(y) && x[head] == y[head] {
		head++
	}
	tail := 0
	for tail < len(x)-head && tail < len(y)-head && x[len(x)-1-tail] == y[len(y)-1-tail] {
		tail++
	}
	start := max(0, head-aroundChange)
	return window(x, start, len(x)-tail+aroundChange, limit), window(y, start, len(y)-tail+aroundChange, limit)
}

// window quotes the characters from start to end, at most limit of them.
func window(s []rune, start, end, limit int) string {
	end = min(end, len(s))
	var b strings.Builder
	if start > 0 {
		b.WriteString(ellipsis)
	}
	if end-start > limit {
		b.WriteString(clean.Quote(string(s[start : start+limit*2/3])))
		b.WriteString(ellipsis)
		start = end - limit/3
	}
	b.WriteString(clean.Quote(string(s[start:end])))
	if end < len(s) {
		b.WriteString(ellipsis)
	}
	return b.String()
}

// lineDiff returns a change of a text of several lines as the lines of a
// unified diff without its file names, each shortened to limit characters; nil
// where both sides fit on one line, or must not be seen.
func lineDiff(c runner.Change, limit int) []string {
	a, aText := c.From.(string)
	b, bText := c.To.(string)
	if c.Sensitive || !aText || !bText || !strings.Contains(a+b, "\n") {
		return nil
	}
	// Both sides get a line end: one that has it already shows an empty line.
	a, b = a+"\n", b+"\n"
	diff, err := udiff.ToUnifiedDiff("", "", a, udiff.Lines(a, b), diffContext)
	if err != nil { // only where its own edits contradict each other
		return nil
	}
	var lines []string
	for _, h := range diff.Hunks {
		if len(lines) > 0 {
			lines = append(lines, " "+ellipsis)
		}
		lines = append(lines, hunk(h.Lines, limit)...)
	}
	if more := len(lines) - maxDiffLines; more > 1 {
		lines = append(lines[:maxDiffLines], fmt.Sprintf(" %s and %d more lines", ellipsis, more))
	}
	return lines
}

// hunk writes the lines of a hunk. A long line that replaces a single other
// one is shortened around what changed, like a value.
func hunk(in []udiff.Line, limit int) []string {
	long := func(s string) bool { return utf8.RuneCountInString(s) > limit }
	is := func(i int, kind udiff.OpKind) bool { return i >= 0 && i < len(in) && in[i].Kind == kind }
	out := make([]string, 0, len(in))
	for i := 0; i < len(in); i++ {
		text := strings.TrimSuffix(in[i].Content, "\n")
		if is(i, udiff.Delete) && !is(i-1, udiff.Delete) && is(i+1, udiff.Insert) && !is(i+2, udiff.Insert) {
			if next := strings.TrimSuffix(in[i+1].Content, "\n"); long(text) || long(next) {
				from, to := shorten(text, next, limit)
				out = append(out, "-"+from, "+"+to)
				i++
				continue
			}
		}
		sign := " "
		switch in[i].Kind {
		case udiff.Delete:
			sign = "-"
		case udiff.Insert:
			sign = "+"
		}
		out = append(out, sign+cut(clean.Line(text), limit))
	}
	return out
}

// cut shortens s to at most limit characters; an ellipsis, which counts, shows
// that something is missing.
func cut(s string, limit int) string {
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	return string([]rune(s)[:limit-1]) + ellipsis
}

const ellipsis = "…"
