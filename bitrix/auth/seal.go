package auth

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"syncsources/bitrix/secret"
)

// StoreKeySize is the number of bytes of a key of a Database.
const StoreKeySize = 32

// errUnsealed is the error of a text that no key opens.
var errUnsealed = errors.New("the key does not fit, or the pair is another portal's or application's")

// sealer encrypts pairs with AES-256-GCM. A sealed pair is one byte for the
// format, a random nonce, and the ciphertext with its tag. Whose pair it is
// goes into the tag: a row that is copied to another portal does not open
// there.
type sealer struct {
	keys []cipher.AEAD // the first one seals, all of them open
}

const sealFormat = 1

// ParseStoreKey reads a key in base64. The error does not repeat it.
func ParseStoreKey(key secret.Text) ([]byte, error) {
	text := strings.TrimRight(strings.TrimSpace(key.Plain()), "=")
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		b, err := encoding.DecodeString(text)
		if err == nil && len(b) == StoreKeySize {
			return b, nil
		}
		if err == nil {
			return nil, fmt.Errorf("the key has %d bytes, not %d", len(b), StoreKeySize)
		}
	}
	return nil, errors.New("the key is not base64")
}

// newSealer returns a sealer that seals with the first key and opens with all
// of them.
func newSealer(keys ...secret.Text) (*sealer, error) {
	s := &sealer{}
	for i, key := range keys {
		b, err := ParseStoreKey(key)
		if err != nil {
			return nil, &KeyError{Old: i > 0, Err: err}
		}
		block, err := aes.NewCipher(b)
		if err != nil {
			return nil, err
		}
		gcm, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, err
		}
		s.keys = append(s.keys, gcm)
	}
	return s, nil
}

func (s *sealer) seal(plain []byte, owner string) []byte {
	return s.keys[0].Seal([]byte{sealFormat}, nil, plain, additional(owner))
}

// open returns what was sealed, and whether another key than the first one
// opened it.
func (s *sealer) open(sealed []byte, owner string) (plain []byte, outdated bool, err error) {
	if len(sealed) == 0 || sealed[0] != sealFormat {
		return nil, false, errors.New("the pair is stored in a format that this program does not know")
	}
	for i, gcm := range s.keys {
		if plain, err := gcm.Open(nil, nil, sealed[1:], additional(owner)); err == nil {
			return plain, i > 0, nil
		}
	}
	return nil, false, errUnsealed
}

// additional is the data that is authenticated with a pair and not stored.
func additional(owner string) []byte {
	return append([]byte{sealFormat}, "syncsources token pair\x00"+owner...)
}
