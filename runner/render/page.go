package render

import (
	"fmt"
	"strings"
	"unicode/utf16"

	"syncsources/runner/render/clean"
)

// page is a Markdown document of limited length. Foreign text gets onto it
// only as code (see code and fenced): in code neither markup nor HTML, neither
// a mention nor a link means anything.
type page struct {
	strings.Builder
	limit int
	left  int // of limit, the reserve not counted
	size  func(string) int
}

// reserve is kept for what follows a cut: the end of a fold, the number
// of what is missing, and for each section after it one line.
const reserve = 2_000

// newPage is a page of at most limit units as size counts them.
func newPage(limit int, size func(string) int) *page {
	return &page{limit: limit, left: limit - reserve, size: size}
}

// add writes s if there is room for it.
func (p *page) add(s string) bool {
	n := p.size(s)
	if n > p.left {
		return false
	}
	p.left -= n
	p.WriteString(s)
	return true
}

// items are the rows or blocks of a section. What cannot fit on the page
// anyway is only counted.
type items struct {
	all  []string
	cut  int
	room int
}

// items returns an empty list for the page.
func (p *page) items() *items { return &items{room: p.limit} }

func (l *items) add(s string) {
	if l.room < 0 {
		l.cut++
		return
	}
	l.room -= len(s)
	l.all = append(l.all, s)
}

func (l *items) count() int { return len(l.all) + l.cut }

// table is a section of a page: a fold around a table.
type table struct {
	title   string // of the fold; "": none
	open    bool   // unfolded at first
	columns []string
	rows    *items
	noun    string // what a row is
}

func (p *page) table(t table) {
	head := "| " + strings.Join(t.columns, " | ") + " |\n" + strings.Repeat("| --- ", len(t.columns)) + "|\n"
	p.section(t.title, t.open, head, t.rows, t.noun)
}

// list is a section of blocks of Markdown.
func (p *page) list(title string, open bool, blocks *items, noun string) {
	p.section(title, open, "", blocks, noun)
}

// section writes as many items as there is room for, and how many it left out.
// Of a section that has no room for a single one only the number remains.
func (p *page) section(title string, open bool, head string, items *items, noun string) {
	if items.count() == 0 {
		return
	}
	begin, end := "", "\n"
	if title != "" {
		begin, end = "<details><summary>"+title+"</summary>\n\n", "\n</details>\n\n"
		if open {
			begin = "<details open><summary>" + title + "</summary>\n\n"
		}
	}
	written := 0
	if p.add(begin + head + items.all[0]) {
		for written = 1; written < len(items.all) && p.add(items.all[written]); written++ {
		}
	}
	// What follows takes from the reserve: a few short lines.
	more := items.count() - written
	switch {
	case written == 0 && title != "":
		fmt.Fprintf(p, "%s: and %s\n\n", title, moreItems(more, noun))
		return
	case more > 0:
		fmt.Fprintf(p, "\nand %s\n", moreItems(more, noun))
	}
	p.WriteString(end)
}

// row writes the cells of a table's row, each as code.
func row(cells ...string) string {
	for i, c := range cells {
		cells[i] = cell(c)
	}
	return cellsRow(cells...)
}

// cell writes foreign text as the content of a cell.
func cell(s string) string { return strings.ReplaceAll(code(s), "|", `\|`) }

// cellsRow puts cells together.
func cellsRow(cells ...string) string { return "| " + strings.Join(cells, " | ") + " |\n" }

// code writes foreign text as a code span on one line.
func code(s string) string {
	s = clean.Line(s)
	if strings.Trim(s, " ") == "" {
		return "–"
	}
	fence := strings.Repeat("`", longestRun(s)+1)
	if len(fence) > 1 || s[0] == ' ' && s[len(s)-1] == ' ' {
		return fence + " " + s + " " + fence
	}
	return fence + s + fence
}

// fenced writes the lines of a difference as a block of code. They must be
// clean.
func fenced(lines []string) string {
	fence := "``"
	for _, l := range lines {
		fence = max(fence, strings.Repeat("`", longestRun(l)))
	}
	fence += "`"
	return fence + "diff\n" + strings.Join(lines, "\n") + "\n" + fence + "\n"
}

// longestRun is the length of the longest run of backticks in s.
func longestRun(s string) (longest int) {
	for run := range strings.FieldsFuncSeq(s, func(r rune) bool { return r != '`' }) {
		longest = max(longest, len(run))
	}
	return longest
}

// moreItems is "3 more changes".
func moreItems(n int, noun string) string {
	if n == 1 {
		return "1 more " + noun
	}
	return fmt.Sprintf("%d more %ss", n, noun)
}

// units is the length of s in UTF-16 units, of which a character has one or
// two.
func units(s string) int { return len(utf16.Encode([]rune(s))) }
