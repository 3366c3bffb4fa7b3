package rest

import (
	"strings"
	"testing"
)

// Addresses of one portal are told to be the same, however they are spelt.
func TestHostsAreComparedAsHosts(t *testing.T) {
	for _, same := range [][]string{
		{"https://acme.bitrix24.ru", "http://acme.bitrix24.ru/rest/", "https://ACME.bitrix24.ru.", "https://acme.bitrix24.ru:443", "http://acme.bitrix24.ru:80/", "http://acme.bitrix24.ru:443/rest/", " https://acme.bitrix24.ru\n"},
		{"https://портал.рф", "https://ПОРТАЛ.рф/rest/", "https://xn--80awhdgm.xn--p1ai", "https://XN--80AWHDGM.xn--p1ai./", "https://%D0%BF%D0%BE%D1%80%D1%82%D0%B0%D0%BB.рф"},
		{"https://acme.example:8443", "http://ACME.example:8443/rest/"},
		{"http://127.0.0.1:8924", "https://127.0.0.1:8924/rest/"},
		{"http://[::1]:8924", "http://[::1]:8924/"},
		{"https://under_score.example", "https://UNDER_score.example"},
	} {
		for _, address := range same[1:] {
			if HostPort(address) != HostPort(same[0]) {
				t.Errorf("%q is %q, %q is %q", address, HostPort(address), same[0], HostPort(same[0]))
			}
		}
	}
	seen := map[string]string{}
	for _, address := range []string{"https://acme.bitrix24.ru", "https://acme.bitrix24.com", "https://acme.bitrix24.ru:8443", "https://bitrix24.ru", "https://портал.рф", "http://[::1]", "not an address", ""} {
		if other, ok := seen[HostPort(address)]; ok {
			t.Errorf("%q and %q are the same", address, other)
		}
		seen[HostPort(address)] = address
	}
}

func TestAddressesHaveOneSpelling(t *testing.T) {
	for in, want := range map[string]string{
		"https://ACME.bitrix24.com./":   "https://acme.bitrix24.com",
		"https://acme.bitrix24.com:443": "https://acme.bitrix24.com",
		"https://портал.рф:8443":        "https://xn--80awhdgm.xn--p1ai:8443",
		"http://LOCALHOST:80":           "http://localhost",
		"https://[2001:DB8::1]:443":     "https://[2001:db8::1]",
	} {
		u, err := ParseHost(ThePortal, in)
		if err != nil || u.String() != want {
			t.Errorf("%q: %v (%v), want %s", in, u, err, want)
		}
	}
	for in, why := range map[string]string{
		"https://acme.bitrix24.com/rest/1/canary/": "more than a host; write https://acme.bitrix24.com",
		"https://xn--80a\u0301.example":            "valid host name",
		"acme.bitrix24.com":                        "write https://acme.bitrix24.com",
		"canary":                                   "not an address",
		"canary@acme.bitrix24.com":                 "not an address",
	} {
		if _, err := ParseHost(ThePortal, in); err == nil || !strings.Contains(err.Error(), why) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%q: %v, want %q", in, err, why)
		}
	}
}
