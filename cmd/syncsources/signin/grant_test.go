package signin

import (
	"errors"
	"strings"
	"testing"

	"syncsources/bitrix/secret"
)

// What people paste, and what becomes of it: a code, tokens, or a word about
// what it is. Nothing else is sent off as a code.
func TestUnderstandsWhatPeoplePaste(t *testing.T) {
	app := &Application{Portal: "https://acme.bitrix24.com", ClientID: "local.5f0c0000000000", secret: secret.New("abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmn")}
	const state = "STATE"
	code := strings.Repeat("1a2b3c4d", 8)
	for name, tt := range map[string]struct{ text, code, tokens, says string }{
		"the address":                 {"http://127.0.0.1:8925/?code=" + code + "&state=STATE&domain=acme.bitrix24.com", code, "", ""},
		"the address in angles":       {"  <https://localhost/?code=" + code + "&state=STATE>\n", code, "", ""},
		"in quotes and invisible":     {"\u200b\"https://localhost/?code=" + code + "&state=STATE\"", code, "", ""},
		"the parameters":              {"code=" + code + "&state=STATE", code, "", ""},
		"code=":                       {"code=" + code, code, "", ""},
		"the code":                    {code, code, "", ""},
		"of another login":            {"http://127.0.0.1:8925/?code=" + code + "&state=OTHER", "", "", "does not belong"},
		"denied":                      {"http://127.0.0.1:8925/?error=access_denied&state=STATE", "", "", "denied access"},
		"the address to open":         {"https://acme.bitrix24.com/oauth/authorize/?client_id=local.1&state=STATE", "", "", "the address to open in a browser"},
		"an address without a code":   {"https://acme.bitrix24.com/?x=y", "", "", "no code"},
		"a webhook":                   {"https://acme.bitrix24.com/rest/1/abcdefghijklmnop/", "", "", "address of a webhook"},
		"the client_id":               {"local.5f0c0000000000", "", "", "neither"},
		"the client_secret":           {"abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmn", "", "", "client_secret"},
		"yes":                         {"yes", "", "", "neither"},
		"a sentence":                  {"what is this supposed to mean", "", "", "neither"},
		"nothing":                     {"", "", "", "neither"},
		"broken JSON":                 {`{"auth": {`, "", "", "JSON"},
		"the event":                   {`{"event":"ONAPPINSTALL","auth":{"access_token":"a","refresh_token":"r"}}`, "", "r", ""},
		"the event with flat keys":    {`{"auth[access_token]":"a","auth[refresh_token]":"r"}`, "", "r", ""},
		"the event as a form":         {"event=ONAPPINSTALL&auth%5Baccess_token%5D=a&auth%5Brefresh_token%5D=r", "", "r", ""},
		"the page as a form":          {"AUTH_ID=a&REFRESH_ID=r&AUTH_EXPIRES=3600&PLACEMENT=DEFAULT", "", "r", ""},
		"the page as JSON":            {`{"AUTH_ID":"a","REFRESH_ID":"r"}`, "", "r", ""},
		"the page as a browser shows": {"AUTH_ID: a\nAUTH_EXPIRES: 3600\nREFRESH_ID: r\n", "", "r", ""},
		"the page as print_r shows":   {"Array\n(\n    [AUTH_ID] => a\n    [REFRESH_ID] => r\n)\n", "", "r", ""},
		"the page's address":          {"https://example.com/app?DOMAIN=acme.bitrix24.com&AUTH_ID=a&REFRESH_ID=r", "", "r", ""},
		"a token file":                {"\ufeff{\n  \"access_token\": \"a\",\n  \"refresh_token\": \"r\"\n}\n", "", "r", ""},
		"a token without its other":   {`{"access_token":"a"}`, "", "", "the JSON holds no tokens"},
	} {
		t.Run(name, func(t *testing.T) {
			g, err := app.understand(tt.text, state)
			switch {
			case tt.says != "":
				if err == nil || !strings.Contains(err.Error(), tt.says) {
					t.Errorf("got %v, want %s", err, tt.says)
				}
				if err != nil && (strings.Contains(err.Error(), code) || strings.Contains(err.Error(), "abcdefgh")) {
					t.Errorf("the message repeats it: %v", err)
				}
			case err != nil:
				t.Error(err)
			case g.code.Plain() != tt.code, (g.pair != nil) != (tt.tokens != ""), g.pair != nil && g.pair.RefreshToken.Plain() != tt.tokens:
				t.Errorf("understood as a code %v, as tokens %v", g.code.Plain() != "", g.pair != nil)
			}
		})
	}
	if _, err := app.understand("http://127.0.0.1:8925/?code="+code+"&state=OTHER", anyState); err != nil {
		t.Errorf("on the command line: %v", err)
	}
}

// A pair from a page says which portal it belongs to.
func TestPairFromAPageBelongs(t *testing.T) {
	app := &Application{}
	g, err := app.understand("DOMAIN=acme.bitrix24.com&AUTH_ID=a&REFRESH_ID=r", "")
	if err != nil || g.pair == nil || !g.pair.BelongsTo("https://acme.bitrix24.com") || g.pair.BelongsTo("https://other.bitrix24.com") {
		t.Errorf("%v", err)
	}
	if errors.Is(err, errNoGrant) {
		t.Error(err)
	}
}
