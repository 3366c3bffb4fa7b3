package auth

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// ErrNotAPair is the error of a text that holds no pair.
var ErrNotAPair = errors.New("it holds no access token and refresh token (auth[access_token] and auth[refresh_token], or AUTH_ID and REFRESH_ID)")

// PairFromText finds the first pair in what the portal sends to an
// application, however whoever received it has kept it: the event of an
// installation (ONAPPINSTALL) as JSON with a map "auth", as JSON with flat keys
// like "auth[access_token]", or as the form it was sent as; what an
// application's page gets (AUTH_ID, REFRESH_ID) as JSON, as a form, or as lines
// of names and values; and the pair alone, as the authorization server answers
// it and a token file keeps it. An error does not repeat any of it.
func PairFromText(content []byte) (Pair, error) {
	content = bytes.TrimSpace(bytes.TrimPrefix(content, []byte(byteOrderMark)))
	fields := map[string]any{}
	if len(content) > 0 && content[0] == '{' {
		dec := json.NewDecoder(bytes.NewReader(content))
		dec.UseNumber()
		if dec.Decode(&fields) != nil || dec.More() {
			return Pair{}, errors.New("it is not complete JSON")
		}
	} else {
		fields = formFields(string(content))
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
	fromPage(auth)
	delete(auth, "application_token") // proves events to be the portal's; nothing here needs it
	b, err := json.Marshal(auth)
	if err != nil {
		return Pair{}, err
	}
	p, err := parsePair(b, time.Time{})
	if err != nil || p.AccessToken.Plain() == "" || p.RefreshToken.Plain() == "" {
		return Pair{}, ErrNotAPair
	}
	return p, nil
}

// line is a name with its value as browsers' tools and PHP's print_r show it.
var line = regexp.MustCompile(`^\s*\[?"?([A-Za-z_]+(?:\[[a-z_]+\])?)"?\]?\s*(?:=>|[:=])\s*"?([^"\s]*)"?,?\s*$`)

// formFields reads a form, or lines of names and values.
func formFields(text string) map[string]any {
	fields := map[string]any{}
	if strings.Contains(text, "\n") || !strings.Contains(text, "=") || strings.Contains(text, "=>") {
		for l := range strings.Lines(text) {
			if m := line.FindStringSubmatch(l); m != nil {
				fields[m[1]] = m[2]
			}
		}
		return fields
	}
	if _, query, ok := strings.Cut(text, "?"); ok {
		text = query
	}
	form, err := url.ParseQuery(text)
	if err != nil {
		return fields
	}
	for key := range form {
		fields[key] = form.Get(key)
	}
	return fields
}

// fromPage gives the names of what an application's page gets those of a pair.
func fromPage(auth map[string]any) {
	for from, to := range map[string]string{
		"AUTH_ID": "access_token", "REFRESH_ID": "refresh_token", "AUTH_EXPIRES": "expires_in",
		"SERVER_ENDPOINT": "server_endpoint", "DOMAIN": "domain",
	} {
		if value, ok := auth[from]; ok {
			if _, there := auth[to]; !there {
				auth[to] = value
			}
			delete(auth, from)
		}
	}
	domain, _ := auth["domain"].(string)
	if auth["client_endpoint"] == nil && domain != "" {
		auth["client_endpoint"] = "https://" + domain + "/rest/"
	}
	for _, key := range []string{"PLACEMENT", "PLACEMENT_OPTIONS", "LANG", "PROTOCOL", "APP_SID"} {
		delete(auth, key)
	}
}
