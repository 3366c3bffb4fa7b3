package manifest

import "testing"

func TestTextPositions(t *testing.T) {
	for _, c := range []struct {
		name, data   string
		line, column int // as YAML counts
		want         Position
		text         string // of the wanted line
	}{
		{"first", "a: b", 1, 4, Position{"m", 1, 4}, "a: b"},
		{"mark dropped", "\uFEFFa: b", 1, 1, Position{"m", 1, 1}, "a: b"},
		{"windows", "a\r\nb: c\r\n", 2, 4, Position{"m", 2, 4}, "b: c"},
		{"old mac", "a\rb: c", 2, 1, Position{"m", 2, 1}, "b: c"},
		{"no line break of editors", "a: \"x\u2028y\u0085z\u2029w\"\nb: c", 5, 1, Position{"m", 2, 1}, "b: c"},
		{"within such a line", "ä: \"x\u2028yö\"\n", 2, 2, Position{"m", 1, 8}, "ä: \"x\u2028yö\""},
		{"past the end", "a", 9, 9, Position{"m", 1, 9}, "a"},
	} {
		text := newText("m", ".", []byte(c.data))
		got := text.at(c.line, c.column)
		if got != c.want || text.line(got.Line) != c.text {
			t.Errorf("%s: got %v %q, want %v %q", c.name, got, text.line(got.Line), c.want, c.text)
		}
	}
	text := newText("m", ".", []byte("aä\nböc"))
	if got := text.offset(len("aä\nbö")); got != (Position{"m", 2, 3}) {
		t.Errorf("offset is at %v", got)
	}
	if text.line(0) != "" || text.line(3) != "" {
		t.Error("lines outside of the text hold something")
	}
}

func TestIntegers(t *testing.T) {
	for s, want := range map[string]bool{
		"0": true, "5432": true, "-7": true, "18446744073709551616": true,
		"-0": false, "+5": false, "00": false, "0123": false, "1_000": false, "0x1F": false, "": false, "-": false, "1.0": false, "--1": false,
	} {
		if plainInteger(s) != want {
			t.Errorf("plainInteger(%q) is %v", s, !want)
		}
	}
	for s, want := range map[string]bool{"089": true, "+5": true, "1_0": true, "9": true, "": false, "-": false, "1.5": false, "1e3": false, "+-5": false} {
		if onlyDigits(s) != want {
			t.Errorf("onlyDigits(%q) is %v", s, !want)
		}
	}
}
