package auth

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"time"
)

// PairFromEvent finds the first pair in the request with which the portal
// tells an application of its installation (ONAPPINSTALL), as whoever received
// it has kept it: JSON with a map "auth", JSON with flat keys like
// "auth[access_token]", the pair alone, or the form it was sent as. An error
// does not repeat any of it.
func PairFromEvent(content []byte) (Pair, error) {
	content = bytes.TrimSpace(content)
	fields := map[string]any{}
	if len(content) > 0 && content[0] == '{' {
		dec := json.NewDecoder(bytes.NewReader(content))
		dec.UseNumber()
		if dec.Decode(&fields) != nil || dec.More() {
			return Pair{}, errors.New("the installation event is not JSON")
		}
	} else if form, err := url.ParseQuery(string(content)); err == nil {
		for key := range form {
			fields[key] = form.Get(key)
		}
	}
	auth, ok := fields["auth"].(map[string]any)
	if !ok {
		auth = map[string]any{}
		for key, value := range fields {
			if name, ok := strings.CutPrefix(key, "auth["); ok {
				key = strings.TrimSuffix(name, "]")
			}
			auth[key] = value
		}
	}
	delete(auth, "application_token") // proves events to be the portal's; nothing here needs it
	b, err := json.Marshal(auth)
	if err != nil {
		return Pair{}, err
	}
	p, err := parsePair(b, time.Time{})
	if err != nil || p.AccessToken.Plain() == "" || p.RefreshToken.Plain() == "" {
		return Pair{}, errors.New("the installation event holds no auth[access_token] and auth[refresh_token]")
	}
	return p, nil
}
