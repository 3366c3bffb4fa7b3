package render_test

import "regexp"

// sgr is an escape sequence that sets a colour.
var sgr = regexp.MustCompile("\x1b\\[[0-9;]*m")
