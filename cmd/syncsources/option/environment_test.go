package option

import "testing"

func TestEnvironment(t *testing.T) {
	e := NewEnvironment([]string{"A=1", "A=2", "EMPTY=", "odd", "WITH=a=b"})
	if e.Get("A") != "1" || e.Get("WITH") != "a=b" || e.Get("absent") != "" {
		t.Errorf("%v", e.values)
	}
	if v, ok := e.Lookup("EMPTY"); !ok || v != "" {
		t.Error("EMPTY is not set")
	}
	if _, ok := e.Lookup("odd"); ok {
		t.Error("odd is set")
	}
}
