package render

import "github.com/fatih/color"

// palette paints text. Whether it does is decided for each report and not, as
// the library would by itself, by looking at the process's own streams.
type palette struct {
	bold, faint, red, green, yellow func(a ...any) string
}

func newPalette(on bool) palette {
	paint := func(attributes ...color.Attribute) func(a ...any) string {
		c := color.New(attributes...)
		if on {
			c.EnableColor()
		} else {
			c.DisableColor()
		}
		return c.SprintFunc()
	}
	return palette{
		bold:   paint(color.Bold),
		faint:  paint(color.Faint),
		red:    paint(color.FgRed),
		green:  paint(color.FgGreen),
		yellow: paint(color.FgYellow),
	}
}
