package manifest

import (
	"fmt"
	"io"
	"log/slog"
)

// Mask is what stands for a settings value wherever one would be printed.
const Mask = "(sensitive)"

// Value is a settings value: a text, or a reference to one. It does not print
// itself: every way of formatting, logging or encoding it yields Mask. The
// zero Value is the empty text.
//
// The text lies behind two pointers: in unexported fields of other types fmt
// may not call methods, and for some verbs follows one.
type Value struct{ content *content }

type content struct {
	plain *string
	ref   *reference // nil for a literal
}

// Literal returns a value written out as s.
func Literal(s string) Value { return Value{&content{plain: &s}} }

// Plain returns the text itself: of a reference only after Resolver.Resolve,
// before that the empty text. Only what goes to the portal, or is compared
// with what is there, should call it.
func (v Value) Plain() string {
	if v.content == nil || v.content.plain == nil {
		return ""
	}
	return *v.content.plain
}

// IsReference reports whether the manifest holds a reference instead of the
// text. It stays true after the reference has been resolved.
func (v Value) IsReference() bool { return v.content != nil && v.content.ref != nil }

// String returns Mask.
func (Value) String() string { return Mask }

// GoString returns Mask, for %#v.
func (Value) GoString() string { return Mask }

// Format writes Mask for every verb, %x and %q included.
func (Value) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, Mask) }

// LogValue returns Mask.
func (Value) LogValue() slog.Value { return slog.StringValue(Mask) }

// MarshalText returns Mask.
func (Value) MarshalText() ([]byte, error) { return []byte(Mask), nil }

// MarshalJSON returns Mask as a JSON string.
func (Value) MarshalJSON() ([]byte, error) { return []byte(`"` + Mask + `"`), nil }

// MarshalYAML returns Mask.
func (Value) MarshalYAML() (any, error) { return Mask, nil }
