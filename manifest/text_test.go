package manifest

import "testing"

func TestTextPositions(t *testing.T) {
	for _, c := range []struct {
		name, data string
		offset     int
		want       Position
		line       string // of the wanted line
	}{
		{"first", "a: b", 3, Position{"m", 1, 4}, "a: b"},
		{"mark dropped", "\uFEFFa: b", 0, Position{"m", 1, 1}, "a: b"},
		{"windows", "a\r\nb: c\r\n", 6, Position{"m", 2, 4}, "b: c"},
		{"old mac", "a\rb: c", 2, Position{"m", 2, 1}, "b: c"},
		{"characters", "a\u00e4\nb\u00f6c", 7, Position{"m", 2, 3}, "b\u00f6c"},
		{"at the end", "a\n", 2, Position{"m", 2, 1}, ""},
	} {
		text := newText("m", ".", []byte(c.data))
		got := text.offset(c.offset)
		if got != c.want || string(text.line(got.Line)) != c.line {
			t.Errorf("%s: got %v %q, want %v %q", c.name, got, text.line(got.Line), c.want, c.line)
		}
	}
	text := newText("m", ".", []byte("a\nb"))
	if text.line(0) != nil || text.line(3) != nil {
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
