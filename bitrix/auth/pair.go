package auth

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"syncsources/bitrix/rest"
	"syncsources/bitrix/secret"
)

// Pair is an access token, which lives for an hour, with the refresh token
// that buys the next pair. A refresh token lives for RefreshLifetime and works
// for one renewal. A pair prints as secret.Mask.
type Pair struct {
	AccessToken  secret.Text
	RefreshToken secret.Text
	Expires      time.Time     // of the access token, by this machine's clock; zero: unknown
	Lifetime     time.Duration // of the access token when it was new; zero: unknown
	Endpoint     string        // client_endpoint, the address of the portal's methods; may be empty
	Server       string        // server_endpoint, the authorization server's; may be empty
	Member       string        // member_id, which a portal keeps when it is renamed; may be empty

	// fields are all that the authorization server said, to be kept. The tokens
	// among them are secret.Texts: fmt prints what unexported fields hold.
	fields map[string]any

	version  any    // of a helper's pair: text or number; nil: it has none
	begun    string // who began to renew this pair and did not end; empty: nobody
	outdated bool   // only the old key of a Database opens it
	moved    bool   // it belongs to another address of what may be the same portal
}

// RefreshLifetime is how long a refresh token lives.
const RefreshLifetime = 180 * 24 * time.Hour

// maxPair is the maximum number of bytes of a pair. The authorization server's answers
// have some 700.
const maxPair = 64 << 10

// parsePair reads a pair as the authorization server writes it and as stores
// keep it. received is when an answer came, from which the expiry counts: the
// server's own clock may differ from ours. Zero: the pair was stored, with an
// expiry by our clock.
func parsePair(b []byte, received time.Time) (Pair, error) {
	b = bytes.TrimPrefix(b, []byte(byteOrderMark))
	var fields map[string]any
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	if err := dec.Decode(&fields); err != nil || fields == nil {
		return Pair{}, errBroken // the cause might repeat a token
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Pair{}, fmt.Errorf("%w: there is more after it", errBroken)
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
		Server:       text("server_endpoint"),
		Member:       text("member_id"),
		fields:       fields,
	}
	for _, key := range tokenKeys {
		if token, ok := fields[key].(string); ok {
			fields[key] = secret.New(token)
		}
	}
	if text(keyVersion) != "" {
		p.version = fields[keyVersion]
	}
	delete(fields, keyVersion)
	delete(fields, keyReplaces)
	if p.AccessToken.Plain() == "" && p.RefreshToken.Plain() == "" {
		return p, fmt.Errorf("%w: it holds no tokens", errBroken)
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
		fields["expires"] = p.Expires.Unix()
	case !received.IsZero() && expires <= received.Unix():
		// Born expired, or without an expiry: the portal will show it.
		delete(fields, "expires")
	case expires >= 1e8:
		p.Expires = time.Unix(expires, 0)
	}
	return p, nil
}

// tokenKeys are the keys of a pair that hold its tokens.
var tokenKeys = []string{"access_token", "refresh_token"}

// Keys of the helper protocol, which are not part of a pair.
const (
	keyVersion  = "version"
	keyReplaces = "replaces"
)

// byteOrderMark begins files that some editors write.
const byteOrderMark = "\xef\xbb\xbf"

// seedPair is the pair that a refresh token alone makes.
func seedPair(refresh secret.Text) Pair {
	return Pair{RefreshToken: refresh, fields: map[string]any{"refresh_token": refresh}}
}

// keep takes over from the pair before what an answer may leave out: the
// refresh token, which then stays valid (RFC 6749, section 6), and what is
// known about the portal.
func (p *Pair) keep(old Pair) {
	if p.RefreshToken.Plain() == "" {
		p.RefreshToken = old.RefreshToken
		p.fields["refresh_token"] = old.RefreshToken
	}
	for _, f := range []struct {
		value *string
		old   string
		key   string
	}{{&p.Endpoint, old.Endpoint, "client_endpoint"}, {&p.Server, old.Server, "server_endpoint"}, {&p.Member, old.Member, "member_id"}} {
		if *f.value != "" || f.old == "" {
			continue
		}
		if *f.value = f.old; p.fields[f.key] == nil {
			p.fields[f.key] = f.old
		}
	}
}

// encode writes the pair as stores keep it.
func (p Pair) encode() []byte { return encodeFields(p.fields) }

func encodeFields(fields map[string]any) []byte {
	fields = maps.Clone(fields)
	for _, key := range tokenKeys {
		if token, ok := fields[key].(secret.Text); ok {
			fields[key] = token.Plain()
		}
	}
	b, err := json.MarshalIndent(fields, "", "  ")
	if err != nil {
		panic("auth: a token pair that was read as JSON cannot be written as JSON: " + err.Error())
	}
	return append(b, '\n')
}

// fresh reports whether the access token can be used for some time yet. The
// margin is a minute, or a tenth of a shorter life.
func (p Pair) fresh(now time.Time) bool {
	if p.AccessToken.Plain() == "" || p.moved {
		return false
	}
	margin := time.Minute
	if p.Lifetime > 0 {
		margin = min(margin, p.Lifetime/10)
	}
	return p.Expires.IsZero() || now.Before(p.Expires.Add(-margin))
}

// Expired reports whether the access token cannot be used any more, as far as
// that is known here; the portal has the last word.
func (p Pair) Expired(now time.Time) bool { return !p.fresh(now) }

// Issued is when the pair was new, by this machine's clock; zero: unknown.
func (p Pair) Issued() time.Time {
	if p.Expires.IsZero() || p.Lifetime == 0 {
		return time.Time{}
	}
	return p.Expires.Add(-p.Lifetime)
}

// same reports whether two pairs have the same tokens.
func (p Pair) same(other Pair) bool {
	return p.AccessToken == other.AccessToken && p.RefreshToken == other.RefreshToken
}

// BelongsTo reports whether the pair is one of the portal with this address,
// as far as it says so: its tokens must not be sent to another one.
func (p Pair) BelongsTo(portal string) bool {
	return p.Endpoint == "" || endpointHost(p.Endpoint) == endpointHost(portal)
}

// endpointHost is the host of an address, and its port if that is an unusual
// one. The authorization server writes client_endpoint with http or https as
// it likes.
func endpointHost(address string) string {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || u.Hostname() == "" {
		return "unreadable:" + address
	}
	host := strings.TrimSuffix(rest.HostPort(u.String()), ":80")
	return strings.TrimSuffix(host, ":443")
}

// portal is the host that the pair belongs to, for messages.
func (p Pair) portal() string {
	u, err := url.Parse(p.Endpoint)
	if err != nil || u.Host == "" {
		return "a portal with an unreadable client_endpoint"
	}
	return rest.Clean(u.Host)
}

// Token is the pair as golang.org/x/oauth2 has it.
func (p Pair) Token() *oauth2.Token {
	return &oauth2.Token{AccessToken: p.AccessToken.Plain(), RefreshToken: p.RefreshToken.Plain(), Expiry: p.Expires}
}

// Format prints secret.Mask for every verb.
func (p Pair) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, secret.Mask) }

// MarshalJSON returns secret.Mask as a JSON string; stores keep what encode
// writes.
func (p Pair) MarshalJSON() ([]byte, error) { return secret.Text{}.MarshalJSON() }
