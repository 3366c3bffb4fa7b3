package render

import (
	"fmt"
	"strings"
)

// page is a Markdown document of limited length. Foreign text gets onto it
// only as code (see code and fenced): in code neither markup nor HTML, neither
// a mention nor a link means anything.
type page struct {
	strings.Builder
	left int // UTF-16 units, the reserve not counted
}

// reserve is kept for what has to follow a cut: the end of a fold, the number
// of what is missing, and for each section after it one line.
const reserve = 2_000

func newPage(limit int) *page { return &page{left: limit - reserve} }

// add writes s if there is room for it.
func (p *page) add(s string) bool {
	n := units(s)
	if n > p.left {
		return false
	}
	p.left -= n
	p.WriteString(s)
	return true
}

// table is a section of a page: a fold around a table.
type table struct {
	title   string // of the fold; "": none
	open    bool   // unfolded at first
	columns []string
	rows    []string
	noun    string // what a row is
}

func (p *page) table(t table) {
	if len(t.rows) == 0 {
		return
	}
	head := "| " + strings.Join(t.columns, " | ") + " |\n" + strings.Repeat("| --- ", len(t.columns)) + "|\n"
	p.section(t.title, t.open, head, t.rows, t.noun)
}

// list is a section of blocks of Markdown, folded.
func (p *page) list(title string, blocks []string, noun string) {
	if len(blocks) > 0 {
		p.section(title, false, "", blocks, noun)
	}
}

// section writes as many items as there is room for, and how many it left out.
// Of a section that has no room for a single one only the number remains.
func (p *page) section(title string, open bool, head string, items []string, noun string) {
	begin, end := "", "\n"
	if title != "" {
		begin, end = "<details><summary>"+title+"</summary>\n\n", "\n</details>\n\n"
		if open {
			begin = "<details open><summary>" + title + "</summary>\n\n"
		}
	}
	written := 0
	if p.add(begin + head + items[0]) {
		for written = 1; written < len(items) && p.add(items[written]); written++ {
		}
	}
	// What follows takes from the reserve: a few short lines.
	more := len(items) - written
	switch {
	case written == 0 && title != "":
		fmt.Fprintf(p, "%s: and %s\n\n", title, moreOf(more, noun))
		return
	case more > 0:
		fmt.Fprintf(p, "\nand %s\n", moreOf(more, noun))
	}
	p.WriteString(end)
}

// hold keeps n units back until the returned function is called.
func (p *page) hold(n int) (release func()) {
	p.left -= n
	return func() { p.left += n }
}

// row writes the cells of a table's row, each as code.
func row(cells ...string) string {
	var b strings.Builder
	for _, c := range cells {
		b.WriteString("| " + strings.ReplaceAll(code(c), "|", `\|`) + " ")
	}
	return b.String() + "|\n"
}

// code writes foreign text as a code span on one line.
func code(s string) string {
	s = clean(s)
	if strings.Trim(s, " ") == "" {
		return "–"
	}
	fence := strings.Repeat("`", longestRun(s)+1)
	if len(fence) > 1 || s[0] == ' ' && s[len(s)-1] == ' ' {
		return fence + " " + s + " " + fence
	}
	return fence + s + fence
}

// fenced writes the lines of a difference as a block of code. They have to be
// clean. A line that would begin with "::" but for blanks does not: printed to
// a log of GitHub Actions, it would be a command.
func fenced(lines []string) string {
	fence := "``"
	for i, l := range lines {
		fence = max(fence, strings.Repeat("`", longestRun(l)))
		if text := strings.TrimLeft(l, " "); strings.HasPrefix(text, "::") {
			lines[i] = l[:len(l)-len(text)] + `\x3a` + text[1:]
		}
	}
	fence += "`"
	return fence + "diff\n" + strings.Join(lines, "\n") + "\n" + fence + "\n"
}

// longestRun is the length of the longest run of backticks in s.
func longestRun(s string) int {
	longest, run := 0, 0
	for i := range len(s) {
		if s[i] != '`' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return longest
}

// moreOf is "3 more changes".
func moreOf(n int, noun string) string {
	if n == 1 {
		return "1 more " + noun
	}
	return fmt.Sprintf("%d more %ss", n, noun)
}
