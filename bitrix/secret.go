package bitrix

import (
	"fmt"
	"io"
	"log/slog"
	"unique"
)

// Mask is what stands for a secret wherever one would be printed.
const Mask = "(sensitive)"

// Secret is a text that does not print itself: every way of formatting,
// logging or encoding it yields Mask. The zero value is the empty text, which
// prints as Mask as well, so that output does not tell an empty secret from
// another one. Two Secrets are equal if their texts are.
//
// The text is held by a handle and not as a field, since fmt may not call
// methods on unexported fields of other types and prints what they hold.
type Secret struct{ plain unique.Handle[string] }

// NewSecret wraps a text.
func NewSecret(s string) Secret {
	if s == "" {
		return Secret{}
	}
	return Secret{unique.Make(s)}
}

// Plain returns the text itself. Only what goes to the portal, to the token
// store, or to a comparison should call it.
func (s Secret) Plain() string {
	if s == (Secret{}) {
		return ""
	}
	return s.plain.Value()
}

// String returns Mask.
func (Secret) String() string { return Mask }

// GoString returns Mask, for %#v.
func (Secret) GoString() string { return Mask }

// Format writes Mask for every verb, %x and %q included.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, Mask) }

// LogValue returns Mask.
func (Secret) LogValue() slog.Value { return slog.StringValue(Mask) }

// MarshalText returns Mask.
func (Secret) MarshalText() ([]byte, error) { return []byte(Mask), nil }

// MarshalJSON returns Mask as a JSON string.
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + Mask + `"`), nil }

// MarshalYAML returns Mask.
func (Secret) MarshalYAML() (any, error) { return Mask, nil }
