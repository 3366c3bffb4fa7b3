package sandbox

import (
	"strings"
	"time"

	"syncsources/bitrix/sandbox/php"
)

type method struct {
	call        func(r *run, params *php.Array) (any, *apiError)
	scope       string // what the client must be allowed; empty: nothing
	application bool   // closed to webhooks unless the portal is set to let them in
}

type calls map[string]func(r *run, params *php.Array) (any, *apiError)

// allMethods are the methods of the portal, by name in lower case.
func (p *Portal) allMethods() map[string]method {
	all := map[string]method{
		"profile":     {(*run).profile, "", false},
		"scope":       {(*run).scope, "", false},
		"server.time": {(*run).serverTime, "", false},
		"app.info":    {(*run).appInfo, "", false},
	}
	family(all, "biconnector.connector", &p.connectors, calls{
		"add": (*run).connectorAdd, "update": (*run).connectorUpdate, "delete": (*run).connectorDelete,
	})
	family(all, "biconnector.source", &p.sources, calls{
		"add": (*run).sourceAdd, "update": (*run).sourceUpdate, "delete": (*run).sourceDelete,
	})
	// Tables have two families of one storage. What the old one does, it does
	// to the rest of the request too: a flag of the server is never reset.
	family(all, "biconnector.dataset", &p.tables, calls{
		"update": (*run).tableUpdate, "fields.update": (*run).tableFieldsUpdate,
		"add": func(r *run, params *php.Array) (any, *apiError) {
			r.old = true
			return r.tableAdd(params)
		},
		"delete": func(r *run, params *php.Array) (any, *apiError) {
			r.old = true
			return r.tableDelete(params)
		},
	})
	if p.cfg.NoTableMethods {
		return all
	}
	family(all, "biconnector.table", &p.tables, calls{
		"update": (*run).tableUpdate, "fields.update": (*run).tableFieldsUpdate,
		"add": (*run).tableAdd, "delete": (*run).tableDelete,
	})
	return all
}

// profile reports who the client acts for.
func (r *run) profile(*php.Array) (any, *apiError) {
	return php.Dict("ID", php.String(r.auth.user), "ADMIN", true, "NAME", "Sandbox", "LAST_NAME", "User",
		"PERSONAL_GENDER", "", "TIME_ZONE", "", "TIME_ZONE_OFFSET", int64(0)), nil
}

// scope lists what the client is allowed; with full, what there is.
func (r *run) scope(params *php.Array) (any, *apiError) {
	names := r.p.cfg.Scope
	for key, v := range params.All() {
		if strings.EqualFold(key, "full") && !php.Empty(v) {
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
