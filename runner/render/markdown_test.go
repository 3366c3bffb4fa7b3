package render_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"

	"syncsources/runner"
	"syncsources/runner/render"
)

func TestMarkdown(t *testing.T) {
	for name, r := range samples() {
		t.Run(name, func(t *testing.T) { golden(t, "markdown-"+name, rendered(t, render.Markdown, r, render.Options{})) })
	}
}

// A sticky comment is found by its first line and must not change where the
// result does not.
func TestMarkdownSticky(t *testing.T) {
	r := planned()
	first := string(rendered(t, render.Markdown, r, render.Options{}))
	if !strings.HasPrefix(first, render.Marker(render.One(r), "")+"\n") {
		t.Errorf("it begins with %.40q", first)
	}
	r.Started, r.Finished, r.Duration = r.Started.Add(time.Hour), r.Finished.Add(2*time.Hour), 3601
	r.Requests = runner.Requests{HTTP: 9, Throttled: 2}
	if again := string(rendered(t, render.Markdown, r, render.Options{})); again != first {
		t.Errorf("a later run gives\n%s\nthe first gave\n%s", again, first)
	}
}

func TestMarkdownSize(t *testing.T) {
	long := many(300, 0)
	for i := range long.Objects {
		long.Objects[i].Name = strings.Repeat("📈|`", 500)
		long.Objects[i].Changes[0].From = strings.Repeat("📈\n", 500)
	}
	for _, c := range []struct {
		name   string
		report *runner.Report
		want   []string
	}{
		{"nothing cut", many(10, 1), nil},
		{"changes", many(4000, 0), []string{"more changes"}},
		{"failures", many(0, 4000), []string{"more failures", "What to do"}},
		{"both", many(4000, 4000), []string{"more failures", "more changes", "What to do"}},
		{"long names and texts", long, []string{"more change", "more texts"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := string(rendered(t, render.Markdown, c.report, render.Options{}))
			if n := len(utf16.Encode([]rune(out))); n > 60_000 || len(c.want) > 0 && n < 40_000 {
				t.Errorf("%d UTF-16 units", n)
			}
			if got := strings.Contains(out, " more "); got != (len(c.want) > 0) {
				t.Errorf("cut: %v", got)
			}
			for _, want := range c.want {
				if !strings.Contains(out, want) {
					t.Errorf("nothing says %q", want)
				}
			}
			if begin, end := strings.Count(out, "<details"), strings.Count(out, "</details>"); begin != end {
				t.Errorf("%d folds begin, %d end", begin, end)
			}
		})
	}
}

// The number of what is missing is right.
func TestMarkdownCount(t *testing.T) {
	r := many(4000, 0)
	out := string(rendered(t, render.Markdown, r, render.Options{}))
	var more int
	i := strings.LastIndex(out, "\nand ")
	must(fmt.Sscanf(out[i:], "\nand %d more changes\n", &more))(t)
	if shown := strings.Count(out, "\n| `~` | `source-"); shown+more != 4*4000 {
		t.Errorf("%d shown and %d more, of %d", shown, more, 4*4000)
	}
}

// Foreign text comes out as itself, and as nothing but code. The judge is a
// parser of GitHub's Markdown.
func TestMarkdownHostile(t *testing.T) {
	for _, s := range hostile {
		t.Run("", func(t *testing.T) {
			out := rendered(t, render.Markdown, hostileReport(s), render.Options{})
			codes := map[string]bool{}
			tables, strong := 0, 0
			doc := goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser().Parse(text.NewReader(out))
			_ = ast.Walk(doc, func(n ast.Node, enter bool) (ast.WalkStatus, error) {
				if !enter {
					return ast.WalkContinue, nil
				}
				switch n := n.(type) {
				case *ast.Link, *ast.Image, *ast.AutoLink, *extast.Strikethrough, *extast.TaskCheckBox:
					t.Errorf("%q became a %s", s, n.Kind())
				case *ast.RawHTML: // between the changes of a failure
					if tag := n.Segments.At(0); n.Segments.Len() != 1 || string(tag.Value(out)) != "<br>" {
						t.Errorf("%q became HTML: %s", s, tag.Value(out))
					}
				case *ast.Emphasis: // the run's error code is written strong
					if strong++; n.Level != 2 || strong > 1 {
						t.Errorf("%q became emphasis", s)
					}
				case *extast.Table:
					tables++
				case *extast.TableRow:
					if cells, want := n.ChildCount(), n.PreviousSibling().ChildCount(); cells != want {
						t.Errorf("%q makes %d cells of %d", s, cells, want)
					}
				case *ast.CodeSpan:
					var b bytes.Buffer
					for c := n.FirstChild(); c != nil; c = c.NextSibling() {
						b.Write(c.(*ast.Text).Value(out))
					}
					codes[b.String()] = true
					return ast.WalkSkipChildren, nil
				case *ast.HTMLBlock:
					for i := range n.Lines().Len() {
						line := n.Lines().At(i)
						if l := strings.TrimSpace(string(line.Value(out))); !ourHTML.MatchString(l) {
							t.Errorf("%q became HTML: %s", s, l)
						}
					}
				case *ast.Text:
					if seg := string(n.Value(out)); strings.Contains(seg, "@") || strings.Contains(seg, "#") {
						t.Errorf("%q became text: %s", s, seg)
					}
				}
				return ast.WalkContinue, nil
			})
			if tables != 3 {
				t.Errorf("%q: %d tables, want 3", s, tables)
			}
			if want := visible(s); strings.TrimSpace(want) != "" && !codes[want] {
				t.Errorf("%q is not found as %q in %v", s, want, codes)
			}
		})
	}
}
