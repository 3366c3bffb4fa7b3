package signin

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"syncsources/bitrix/auth"
	"syncsources/bitrix/secret"
)

// grant is what an authorization ends with: a code to exchange, or a pair.
type grant struct {
	code secret.Text
	pair *auth.Pair
}

// errOtherLogin is the error of a code that another login asked for, or that
// somebody else wants this one to use.
var errOtherLogin = errors.New("this request does not belong to the login in progress")

// errNoGrant begins the errors of texts that are something else.
var errNoGrant = errors.New("neither the redirect address nor a code")

// anyState is the state of a login to which any code belongs, since the person
// at the command line has named it.
const anyState = "any"

// refused is the error of an authorization that the portal denied.
func refused(code string) error {
	return &Error{Stopped: true, Message: fmt.Sprintf("the portal denied access to the application: %.100q", code),
		Hints: []string{"log in to the portal as a user that the application is open to, and allow it"}}
}

// parameters reads what the browser returns with. A code without the state of
// this login is taken only from a person who pasted it, and then only where
// there is no state at all.
func parameters(query url.Values, state string, pasted bool) (grant, error) {
	matches := state == anyState || subtle.ConstantTimeCompare([]byte(query.Get("state")), []byte(state)) == 1
	if !matches && (!pasted || query.Has("state")) {
		return grant{}, errOtherLogin
	}
	if code := query.Get("error"); code != "" {
		return grant{}, refused(code)
	}
	if query.Get("code") == "" {
		return grant{}, errOtherLogin
	}
	return grant{code: secret.New(query.Get("code"))}, nil
}

// aCode is what a code looks like.
var aCode = regexp.MustCompile(`^[0-9A-Za-z_-]{12,200}$`)

// invisible is what gets into a copied text unseen.
var invisible = strings.NewReplacer("\u200b", "", "\u200c", "", "\u200d", "", "\u2060", "", "\ufeff", "", "\u00a0", " ")

// understand reads what a person pasted or piped in: the address at which the
// browser landed, its parameters, a code alone, or tokens in any form that the
// portal hands them out in. Nothing else is taken for a code and sent off.
func (app *Application) understand(text, state string) (grant, error) {
	text = strings.Trim(strings.TrimSpace(invisible.Replace(text)), "\"'<>`")
	if p, err := auth.PairFromText([]byte(text)); err == nil {
		return grant{pair: &p}, nil
	}
	if strings.HasPrefix(text, "{") {
		return grant{}, fmt.Errorf("%w: the JSON holds no tokens", errNoGrant)
	}
	if strings.ContainsAny(text, "\n \t") {
		return grant{}, errNoGrant
	}
	address, query, hasQuery := strings.Cut(text, "?")
	switch {
	case hasQuery:
	case strings.HasPrefix(text, "code=") || strings.Contains(text, "&code="):
		query = text
	case strings.Contains(text, "/rest/"):
		return grant{}, fmt.Errorf("%w: that is the address of a webhook, which needs no login; it goes into %s", errNoGrant, Webhook)
	case text == app.ClientID:
		return grant{}, fmt.Errorf("%w: that is the application's client_id", errNoGrant)
	case text == app.secret.Plain():
		return grant{}, fmt.Errorf("%w: that is the application's client_secret", errNoGrant)
	case aCode.MatchString(text):
		return grant{code: secret.New(text)}, nil
	default:
		return grant{}, errNoGrant
	}
	values, err := url.ParseQuery(strings.TrimPrefix(query, "#"))
	if err != nil {
		return grant{}, errNoGrant
	}
	if strings.HasSuffix(strings.TrimRight(address, "/"), "/oauth/authorize") {
		return grant{}, fmt.Errorf("%w: that is the address to open in a browser; paste the one at which the browser lands", errNoGrant)
	}
	if !values.Has("code") && !values.Has("error") {
		return grant{}, fmt.Errorf("%w: the address has no code", errNoGrant)
	}
	return parameters(values, state, true)
}
