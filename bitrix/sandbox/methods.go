package sandbox

import (
	"strings"
	"time"

	"syncsources/bitrix/sandbox/php"
)

// method is a method of the REST API.
type method struct {
	call        func(r *run, params *php.Array) (any, *apiError)
	scope       string // what the client must be allowed; empty: nothing
	application bool   // closed to webhooks unless the portal is set to let them in
}

// methods are the methods of the portal, by name in lower case.
var methods = map[string]method{
	"biconnector.source.list":      {(*run).sourceList, "biconnector", true},
	"biconnector.source.get":       {(*run).sourceGet, "biconnector", true},
	"biconnector.source.update":    {(*run).sourceUpdate, "biconnector", true},
	"biconnector.source.add":       {(*run).sourceAdd, "biconnector", true},
	"biconnector.source.delete":    {(*run).sourceDelete, "biconnector", true},
	"biconnector.source.fields":    {(*run).sourceFields, "biconnector", false},
	"biconnector.connector.list":   {(*run).connectorList, "biconnector", true},
	"biconnector.connector.get":    {(*run).connectorGet, "biconnector", true},
	"biconnector.connector.fields": {(*run).connectorFields, "biconnector", false},
	"profile":                      {(*run).profile, "", false},
	"scope":                        {(*run).scope, "", false},
	"server.time":                  {(*run).serverTime, "", false},
	"app.info":                     {(*run).appInfo, "", false},
}

// profile tells who the client acts for.
func (r *run) profile(*php.Array) (any, *apiError) {
	return php.Dict("ID", idText(r.auth.user), "ADMIN", true, "NAME", "Sandbox", "LAST_NAME", "User",
		"PERSONAL_GENDER", "", "TIME_ZONE", "", "TIME_ZONE_OFFSET", int64(0)), nil
}

// scope lists what the client is allowed; with full, what there is.
func (r *run) scope(params *php.Array) (any, *apiError) {
	names := r.p.cfg.Scope
	for key, v := range params.All() {
		if strings.EqualFold(key, "full") && isTrue(v) {
			names = scopes
		}
	}
	l := &php.Array{}
	for _, s := range names {
		l.Push(s)
	}
	return l, nil
}

func (r *run) serverTime(*php.Array) (any, *apiError) {
	return time.Now().UTC().Format("2006-01-02T15:04:05-07:00"), nil
}

// appInfo describes the application; of a webhook there is only the scope.
func (r *run) appInfo(*php.Array) (any, *apiError) {
	const license = "en_sandbox"
	if r.auth.webhook {
		scope, err := r.scope(nil)
		return php.Dict("SCOPE", scope, "LICENSE", license), err
	}
	return php.Dict("ID", "1", "CODE", ClientID, "VERSION", int64(1), "STATUS", "L", "INSTALLED", true,
		"PAYMENT_EXPIRED", "N", "DAYS", nil, "LANGUAGE_ID", "en", "LICENSE", license), nil
}

// idText is the text of an integer: lists of the portal hold ids as texts.
func idText(n int64) string {
	s, _ := php.Text(n)
	return s
}
