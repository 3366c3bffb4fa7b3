package php

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// golden is what PHP 8.2 itself makes of a number of inputs, pairs of input
// and output; see testdata/generate.php.
var golden struct {
	Query, JSON, Trim [][2]string
	Bytes, Escape     [][2]string // the input of Bytes and Refused in base64
	Refused           [][2]any
	Numeric           [][2]any
	Empty             [][2]any
}

func readGolden(t *testing.T) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "golden.json"))
	if err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(strings.NewReader(string(b)))
	dec.UseNumber()
	if err := dec.Decode(&golden); err != nil {
		t.Fatal(err)
	}
}

// Where there is a PHP, it still says what the golden file says.
func TestGoldenIsCurrent(t *testing.T) {
	path, err := exec.LookPath("php")
	if err != nil {
		t.Skip("no php on this machine")
	}
	got, err := exec.Command(path, "-n", filepath.Join("testdata", "generate.php")).Output()
	if err != nil {
		t.Skipf("this php lacks something: %v", err)
	}
	want, err := os.ReadFile(filepath.Join("testdata", "golden.json"))
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("php makes something else of the inputs of generate.php: write golden.json anew, and look at what differs")
	}
}

func TestParseQueryLikePHP(t *testing.T) {
	readGolden(t)
	for _, c := range golden.Query {
		if got := string(JSON{}.Append(nil, ParseQuery(c[0], 0))); got != c[1] {
			t.Errorf("%q\ngot  %s\nwant %s", c[0], got, c[1])
		}
	}
}

func TestJSONLikePHP(t *testing.T) {
	readGolden(t)
	for _, c := range golden.JSON {
		v, err := DecodeJSON(c[0])
		if err != nil {
			t.Errorf("%s: %v", c[0], err)
			continue
		}
		if got := string(JSON{}.Append(nil, v)); got != c[1] {
			t.Errorf("%s\ngot  %s\nwant %s", c[0], got, c[1])
		}
	}
}

// value turns a number of the golden file into the kind that PHP had.
func value(v any) any {
	n, ok := v.(json.Number)
	if !ok {
		return v
	}
	w, err := DecodeJSON(n.String())
	if err != nil {
		panic(err)
	}
	return w
}

func TestNumericEmptyAndTrimLikePHP(t *testing.T) {
	readGolden(t)
	for _, c := range golden.Numeric {
		got, ok := Numeric(value(c[0]))
		want, isNumber := value(c[1]).(int64)
		if ok != isNumber || ok && got != want {
			t.Errorf("Numeric(%#v) = %v, %v; want %v", c[0], got, ok, c[1])
		}
	}
	for _, c := range golden.Empty {
		v, err := DecodeJSON(c[0].(string))
		if err != nil {
			t.Fatal(err)
		}
		if got := Empty(v); got != c[1] {
			t.Errorf("Empty(%s) = %v", c[0], got)
		}
	}
	for _, c := range golden.Trim {
		if got := Trim(c[0]); got != c[1] {
			t.Errorf("Trim(%q) = %q, want %q", c[0], got, c[1])
		}
	}
}

func TestDecodeJSONRefuses(t *testing.T) {
	readGolden(t)
	for _, c := range golden.Refused {
		text := unpack(t, c[0].(string))
		if v, err := DecodeJSON(text); (err != nil) != c[1].(bool) {
			t.Errorf("%q: %v, %v; PHP refuses it: %v", text, v, err, c[1])
		}
	}
	if v, err := DecodeJSON(strings.Repeat("[", 600) + strings.Repeat("]", 600)); err == nil {
		t.Errorf("nested 600 deep: %v", v)
	}
}

func unpack(t *testing.T, s string) string {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// What is not UTF-8 comes out as PHP replaces it, or as it is.
func TestBytesLikePHP(t *testing.T) {
	readGolden(t)
	for _, c := range golden.Bytes {
		raw := unpack(t, c[0])
		// PHP replaces a sequence that breaks off as one; how many marks stand
		// for it is of no interest.
		marks := regexp.MustCompile(`(\\ufffd)+`)
		if got, want := marks.ReplaceAllString(string(JSON{}.Append(nil, raw)), "?"), marks.ReplaceAllString(strings.ReplaceAll(c[1], "\ufffd", `\ufffd`), "?"); got != want {
			t.Errorf("%q: %s, want %s", raw, got, want)
		}
		if got := string(JSON{RawBytes: true}.Append(nil, raw)); got != `"`+raw+`"` {
			t.Errorf("%q raw: %q", raw, got)
		}
	}
}

func TestEscapeLikePHP(t *testing.T) {
	readGolden(t)
	for _, c := range golden.Escape {
		if got := EscapeHTML(c[0]); got != c[1] {
			t.Errorf("%s: %s, want %s", c[0], got, c[1])
		}
	}
}

func TestParseQueryLimits(t *testing.T) {
	if got := ParseQuery(strings.Repeat("a[]=1&", 1500), 0); got.vals[0].(*Array).Len() != MaxInputVars {
		t.Errorf("%d variables", got.vals[0].(*Array).Len())
	}
}

// Whatever arrives, reading it does not panic, and what was read can be written
// as JSON and read again.
func FuzzParseQuery(f *testing.F) {
	for _, s := range []string{"a=1", "a[b][]=1&a[b][]=2", "a[b=1", "a.b c[d e]=%41+", "=", "[", "a[b]c[d]=1", "a[5]=x&a[]=y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, q string) {
		written := string(JSON{}.Append(nil, ParseQuery(q, 0)))
		v, err := DecodeJSON(written)
		if err != nil {
			if !unpaired(written) {
				t.Fatalf("%q: %s: %v", q, written, err)
			}
			return
		}
		if strings.Contains(written, `\ufffd`) {
			return // two keys may have become one
		}
		if again := string(JSON{}.Append(nil, v)); again != written {
			t.Errorf("%q: %s became %s", q, written, again)
		}
	})
}
