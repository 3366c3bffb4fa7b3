package auth

import (
	"strings"
	"testing"
)

func TestPairFromText(t *testing.T) {
	for name, in := range map[string]string{
		"nested":                 `{"event":"ONAPPINSTALL","data":{"VERSION":1},"auth":{"access_token":"a","refresh_token":"r","expires":"1800000000","expires_in":3600,"scope":"biconnector","client_endpoint":"https://portal.example/rest/","application_token":"canary"},"ts":"1"}`,
		"flat":                   ` {"event":"ONAPPINSTALL","auth[access_token]":"a","auth[refresh_token]":"r","auth[expires]":1800000000,"auth[expires_in]":"3600","auth[scope]":"biconnector","auth[client_endpoint]":"https://portal.example/rest/","auth[application_token]":"canary"}`,
		"pair alone":             `{"access_token":"a","refresh_token":"r","expires":1800000000,"expires_in":3600,"scope":"biconnector","client_endpoint":"https://portal.example/rest/"}`,
		"with a byte order mark": "\xef\xbb\xbf" + `{"access_token":"a","refresh_token":"r","expires":1800000000,"client_endpoint":"https://portal.example/rest/"}`,
		"form":                   "event=ONAPPINSTALL&auth%5Baccess_token%5D=a&auth[refresh_token]=r&auth[expires]=1800000000&auth[expires_in]=3600&auth[scope]=biconnector&auth[client_endpoint]=https%3A%2F%2Fportal.example%2Frest%2F&auth[application_token]=canary\n",
	} {
		p, err := PairFromText([]byte(in))
		if err != nil || p.AccessToken.Plain() != "a" || p.RefreshToken.Plain() != "r" || p.Expires.Unix() != 1800000000 ||
			p.Endpoint != "https://portal.example/rest/" {
			t.Errorf("%s: %v, %v %v", name, err, p.Expires, p.Endpoint)
		}
		if err == nil && strings.Contains(string(p.encode()), "canary") {
			t.Errorf("%s: the application's token is kept", name)
		}
	}
	for _, in := range []string{``, `{}`, `{"auth":{"access_token":"canary"}}`, `{"auth":[]}`, `{"auth":{"refresh_token":"canary"}}`, `canary`, `{"canary"`, `{} canary`, `%zz=canary`} {
		if _, err := PairFromText([]byte(in)); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", in, err)
		}
	}
}
