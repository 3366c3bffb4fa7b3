package auth

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"syncsources/bitrix/rest"
	"syncsources/bitrix/secret"
)

// Pair is an access token, which lives for an hour, with the refresh token
// that buys the next pair. A refresh token lives for 180 days and is good for
// one renewal. A pair prints as secret.Mask.
type Pair struct {
	AccessToken  secret.Text
	RefreshToken secret.Text
	Expires      time.Time     // of the access token, by this machine's clock; zero: unknown
	Lifetime     time.Duration // of the access token when it was new; zero: unknown
	Endpoint     string        // client_endpoint, the address of the portal's methods; may be empty

	fields map[string]any // all that the authorization server said, to be kept
}

// maxPair is the most bytes of a pair. The authorization server's answers
// have some 700.
const maxPair = 64 << 10

// parsePair reads a pair as the authorization server writes it and as stores
// keep it. received is when an answer came, from which the expiry counts: the
// server's own clock may differ from ours. Zero: the pair was stored, with an
// expiry by our clock.
func parsePair(b []byte, received time.Time) (Pair, error) {
	var fields map[string]any
	dec := json.NewDecoder(strings.NewReader(string(b)))
	dec.UseNumber()
	if err := dec.Decode(&fields); err != nil || fields == nil {
		return Pair{}, errBroken // the cause might repeat a token
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Pair{}, fmt.Errorf("%w: more follows behind it", errBroken)
	}
	text := func(key string) string {
		switch v := fields[key].(type) {
		case string:
			return strings.TrimSpace(v)
		case json.Number:
			return v.String()
		}
		return ""
	}
	p := Pair{
		AccessToken:  secret.New(text("access_token")),
		RefreshToken: secret.New(text("refresh_token")),
		Endpoint:     text("client_endpoint"),
		fields:       fields,
	}
	if p.AccessToken.Plain() == "" && p.RefreshToken.Plain() == "" {
		return Pair{}, fmt.Errorf("%w: there are no tokens in it", errBroken)
	}
	number := func(key string) int64 {
		n, _ := strconv.ParseFloat(text(key), 64)
		return int64(min(max(n, 0), 1<<40))
	}
	expires := number("expires")
	p.Lifetime = time.Duration(min(number("expires_in"), 1<<30)) * time.Second
	if p.Lifetime == 0 && expires < 1e8 {
		p.Lifetime = time.Duration(expires) * time.Second // some answers have the lifetime here
	}
	switch {
	case !received.IsZero() && p.Lifetime > 0:
		p.Expires = received.Add(p.Lifetime).Truncate(time.Second)
		p.fields["expires"] = p.Expires.Unix()
	case expires >= 1e8:
		p.Expires = time.Unix(expires, 0)
	}
	return p, nil
}

// seedPair is the pair that a refresh token alone makes.
func seedPair(refresh secret.Text) Pair {
	return Pair{RefreshToken: refresh, fields: map[string]any{"refresh_token": refresh.Plain()}}
}

// encode writes the pair as stores keep it.
func (p Pair) encode() []byte {
	b, err := json.MarshalIndent(p.fields, "", "  ")
	if err != nil {
		panic("bitrix: a token pair that was read as JSON cannot be written as JSON: " + err.Error())
	}
	return append(b, '\n')
}

// fresh reports whether the access token can be used for some time yet. The
// margin is a minute, or a tenth of a shorter life.
func (p Pair) fresh(now time.Time) bool {
	if p.AccessToken.Plain() == "" {
		return false
	}
	margin := time.Minute
	if p.Lifetime > 0 {
		margin = min(margin, p.Lifetime/10)
	}
	return p.Expires.IsZero() || now.Before(p.Expires.Add(-margin))
}

// belongsTo checks that the pair is one of the portal with this address: its
// tokens must not be sent to another one.
func (p Pair) belongsTo(portal *url.URL) error {
	if p.Endpoint == "" {
		return nil
	}
	u, err := url.Parse(p.Endpoint)
	if err != nil || u.Host == "" {
		return errors.New("the token pair names no portal that can be understood (client_endpoint)")
	}
	if rest.HostPort(p.Endpoint) != rest.HostPort(portal.String()) {
		return fmt.Errorf("the token pair is one of the portal %s, not of %s", rest.Clean(u.Host), portal.Host)
	}
	return nil
}

// token is the pair as golang.org/x/oauth2 has it.
func (p Pair) token() *oauth2.Token {
	return &oauth2.Token{AccessToken: p.AccessToken.Plain(), RefreshToken: p.RefreshToken.Plain(), Expiry: p.Expires}
}

// Format prints secret.Mask for every verb.
func (p Pair) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, secret.Mask) }

// MarshalJSON returns secret.Mask as a JSON string; stores keep what encode writes.
func (p Pair) MarshalJSON() ([]byte, error) { return secret.New("").MarshalJSON() }
