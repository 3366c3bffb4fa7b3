package manifest

import (
	"fmt"
	"io"
	"log/slog"

	"syncsources/bitrix/secret"
)

// Value is a settings value: a text, or a reference to one. It does not print
// itself: every way of formatting, logging or encoding it yields the mask of
// package secret. The zero Value is the empty text.
type Value struct {
	text secret.Text
	ref  *reference // nil for a literal
}

// Literal returns a value written out as s.
func Literal(s string) Value { return Value{text: secret.New(s)} }

// Text returns the text: of a reference only after Resolver.Resolve, before
// that the empty text.
func (v Value) Text() secret.Text { return v.text }

// IsReference reports whether the manifest holds a reference instead of the
// text. It stays true after the reference has been resolved.
func (v Value) IsReference() bool { return v.ref != nil }

// These yield the mask.
func (v Value) String() string               { return v.text.String() }
func (v Value) GoString() string             { return v.text.GoString() }
func (Value) Format(f fmt.State, _ rune)     { _, _ = io.WriteString(f, secret.Mask) }
func (v Value) LogValue() slog.Value         { return v.text.LogValue() }
func (v Value) MarshalText() ([]byte, error) { return v.text.MarshalText() }
func (v Value) MarshalJSON() ([]byte, error) { return v.text.MarshalJSON() }
func (v Value) MarshalYAML() (any, error)    { return v.text.MarshalYAML() }
