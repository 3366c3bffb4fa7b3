package option

import "golang.org/x/term"

// descriptor is a stream with a file behind it, as *os.File.
type descriptor interface{ Fd() uintptr }

// IsTerminal reports whether a stream is a terminal.
func IsTerminal(stream any) bool {
	f, ok := stream.(descriptor)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Colored decides about colour on a stream: --no-color, then NO_COLOR
// (no-color.org), then FORCE_COLOR, then whether it is a terminal that can.
func (e Environment) Colored(noColor bool, stream any) bool {
	switch force := e.Get("FORCE_COLOR"); {
	case noColor || e.Get("NO_COLOR") != "":
		return false
	case force != "":
		return force != "0" && force != "false"
	}
	return e.Get("TERM") != "dumb" && IsTerminal(stream)
}

// Width is how many columns a terminal has, 80 where that is not known.
func Width(stream any) int {
	if f, ok := stream.(descriptor); ok {
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil && columns > 0 {
			return columns
		}
	}
	return 80
}
