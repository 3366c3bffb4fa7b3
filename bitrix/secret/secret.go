// Package secret is the one type of a text that nobody may see.
package secret

import (
	"fmt"
	"io"
	"log/slog"
	"unique"
)

// Mask is printed in place of a secret.
const Mask = "(sensitive)"

// Text is a text that does not print itself: every way of formatting,
// logging or encoding it yields Mask. The zero value is the empty text, which
// prints as Mask as well, so that output does not distinguish an empty secret from
// another one. Two Secrets are equal if their texts are.
//
// The text is held by a handle and not as a field, since fmt may not call
// methods on unexported fields of other types and prints what they hold.
type Text struct{ plain unique.Handle[string] }

// New wraps a text.
func New(s string) Text {
	if s == "" {
		return Text{}
	}
	return Text{unique.Make(s)}
}

// Plain returns the text itself. Only what goes to the portal, to the token
// store, or to a comparison should call it.
func (s Text) Plain() string {
	if s == (Text{}) {
		return ""
	}
	return s.plain.Value()
}

// These yield Mask, Format for every verb, %x and %q included.
func (Text) String() string               { return Mask }
func (Text) GoString() string             { return Mask }
func (Text) Format(f fmt.State, _ rune)   { _, _ = io.WriteString(f, Mask) }
func (Text) LogValue() slog.Value         { return slog.StringValue(Mask) }
func (Text) MarshalText() ([]byte, error) { return []byte(Mask), nil }
func (Text) MarshalJSON() ([]byte, error) { return []byte(`"` + Mask + `"`), nil }
func (Text) MarshalYAML() (any, error)    { return Mask, nil }
