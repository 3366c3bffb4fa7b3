package sandbox

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// golden is what PHP 8.2 itself makes of a number of inputs, pairs of input
// and output; see testdata/php/generate.php.
var golden struct {
	Query, Build, JSON, Trim [][2]string
	Numeric                  [][2]any
	Empty                    [][2]any
}

func readGolden(t *testing.T) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "php", "golden.json"))
	if err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(strings.NewReader(string(b)))
	dec.UseNumber()
	if err := dec.Decode(&golden); err != nil {
		t.Fatal(err)
	}
}

func TestParseQueryLikePHP(t *testing.T) {
	readGolden(t)
	for _, c := range golden.Query {
		if got := string(appendJSON(nil, parseQuery(c[0]))); got != c[1] {
			t.Errorf("%q\ngot  %s\nwant %s", c[0], got, c[1])
		}
	}
}

func TestBuildQueryLikePHP(t *testing.T) {
	readGolden(t)
	for _, c := range golden.Build {
		v, err := decodeJSON(c[0])
		if err != nil {
			t.Fatal(err)
		}
		if got := buildQuery(v.(*array)); got != c[1] {
			t.Errorf("%s\ngot  %s\nwant %s", c[0], got, c[1])
		}
	}
}

func TestJSONLikePHP(t *testing.T) {
	readGolden(t)
	for _, c := range golden.JSON {
		v, err := decodeJSON(c[0])
		if err != nil {
			t.Errorf("%s: %v", c[0], err)
			continue
		}
		if got := string(appendJSON(nil, v)); got != c[1] {
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
	w, err := decodeJSON(n.String())
	if err != nil {
		panic(err)
	}
	return w
}

func TestNumericEmptyAndTrimLikePHP(t *testing.T) {
	readGolden(t)
	for _, c := range golden.Numeric {
		got, ok := numeric(value(c[0]))
		want, isNumber := value(c[1]).(int64)
		if ok != isNumber || ok && got != want {
			t.Errorf("numeric(%#v) = %v, %v; want %v", c[0], got, ok, c[1])
		}
	}
	for _, c := range golden.Empty {
		v, err := decodeJSON(c[0].(string))
		if err != nil {
			t.Fatal(err)
		}
		if got := empty(v); got != c[1] {
			t.Errorf("empty(%s) = %v", c[0], got)
		}
	}
	for _, c := range golden.Trim {
		if got := trim(c[0]); got != c[1] {
			t.Errorf("trim(%q) = %q, want %q", c[0], got, c[1])
		}
	}
}

func TestDecodeJSONRefuses(t *testing.T) {
	for _, s := range []string{"", "{", "{}x", "{} {}", `"`, "[1,]", "\"\xff\"", strings.Repeat("[", 600) + strings.Repeat("]", 600)} {
		if v, err := decodeJSON(s); err == nil {
			t.Errorf("%.20q: %v", s, v)
		}
	}
}

func TestParseQueryLimits(t *testing.T) {
	if got := parseQuery(strings.Repeat("a[]=1&", 1500)); got.vals[0].(*array).len() != maxInputVars {
		t.Errorf("%d variables", got.vals[0].(*array).len())
	}
}

// Whatever arrives, reading it does not panic, and writing what was read and
// reading it again changes nothing.
func FuzzParseQuery(f *testing.F) {
	for _, s := range []string{"a=1", "a[b][]=1&a[b][]=2", "a[b=1", "a.b c[d e]=%41+", "=", "[", "a[b]c[d]=1", "a[5]=x&a[]=y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, q string) {
		a := parseQuery(q)
		built := buildQuery(a)
		if again := buildQuery(parseQuery(built)); again != built && !strings.ContainsAny(built, "[]") && !unstable(a) {
			t.Errorf("%q: %q became %q", q, built, again)
		}
		appendJSON(nil, a)
		substitute(a, map[string]*array{"result": list("x")})
	})
}

// unstable reports whether a key is one that a query string cannot say.
func unstable(a *array) bool {
	for i, k := range a.keys {
		if k == "" || strings.ContainsAny(k, "[]\x00 .\t\n\v\f\r") {
			return true
		}
		if sub, ok := a.vals[i].(*array); ok && unstable(sub) {
			return true
		}
	}
	return false
}
