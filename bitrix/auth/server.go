package auth

import (
	"net/url"
	"slices"
	"strings"
)

// The authorization servers of Bitrix24. Firewalls in Russia let only the
// second one through.
const (
	ServerWorld = "https://oauth.bitrix.info"
	ServerEast  = "https://oauth.bitrix24.tech"
)

// eastern are the top-level domains whose portals use ServerEast, as the
// documentation lists them; .рф is Russia's as well.
var eastern = []string{"ru", "xn--p1ai", "рф", "by", "kz", "kg", "uz", "am", "az", "ge"}

// ServerFor returns the authorization server of a portal: the one that its
// pair names, if that is one of Bitrix24's, else the one of its domain. A pair
// cannot send the application's secret anywhere else.
func ServerFor(portal string, p Pair) string {
	if u, err := url.Parse(p.Server); err == nil {
		for _, known := range []string{ServerWorld, ServerEast} {
			if strings.EqualFold(u.Hostname(), strings.TrimPrefix(known, "https://")) {
				return known
			}
		}
	}
	u, err := url.Parse(strings.TrimSpace(portal))
	if err != nil {
		return ServerWorld
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if slices.Contains(eastern, host[strings.LastIndex(host, ".")+1:]) {
		return ServerEast
	}
	return ServerWorld
}
