package main

import (
	"cmp"

	"syncsources/bitrix/auth"
	"syncsources/bitrix/rest"
	"syncsources/cmd/syncsources/signin"
	"syncsources/runner"
)

const brokenHint = "the portal has an internal error: look into its error log, or ask Bitrix24 support; running again later is safe"

const scopeHint = "the credentials lack a scope; the application needs \"biconnector\" ticked in its settings"

// hints say what to do about a failure, by its code or by the finer reason
// beside it. It is the one place of the program that advises in terms of its
// own commands and variables.
var hints = map[rest.Code]string{
	rest.AccessDenied: "the portal refuses for one of four reasons: the call goes through a webhook; the user lacks a right (\"Access to BI Builder\", \"Access to Analytics Hub\"); " +
		"the plan does not include BI Builder; there is no application; syncsources status says what it can see of them. Instead of a webhook register a local application with the scope \"biconnector\" " +
		"(Applications > Developer resources > Other > Local application), set " + signin.Portal + ", " + signin.ClientID + ", " + signin.ClientSecret + " and " + signin.TokenFile + ", and run: syncsources login",
	rest.Network:                      "check the portal's address and that it can be reached from here; running again later is safe",
	rest.Proxy:                        "check HTTPS_PROXY and NO_PROXY; nothing was sent to the portal",
	rest.Moved:                        "if the portal was renamed, set " + signin.Portal + " to its new address and run: syncsources login",
	rest.OverloadLimit:                "the portal is blocked by hand because of overload; ask Bitrix24 support to lift the block",
	rest.ExpiredToken:                 "the access token has expired; get a new one, or use a token file, which is renewed automatically (syncsources login)",
	"INTERNAL_SERVER_ERROR":           brokenHint,
	"ERROR_UNEXPECTED_ANSWER":         brokenHint,
	"NO_AUTH_FOUND":                   "the portal does not know these credentials; check them, or get new ones (a webhook may have been deleted)",
	"invalid_token":                   "the portal does not know this access token; get a new one, or a token pair with: syncsources login",
	"INVALID_CREDENTIALS":             "the user behind these credentials lacks permission; give the user access to the BI module",
	"insufficient_scope":              scopeHint,
	"invalid_scope":                   scopeHint,
	"user_access_error":               "the user is not among those the application is open to; an administrator can change that in the application's settings",
	rest.MethodNotFound:               "this portal does not offer the method; its BI module (biconnector) must be installed and up to date",
	"ERROR_MANIFEST_IS_NOT_AVAILABLE": "the portal's plan does not include REST or local applications; an administrator of the portal can change that",
	"PAYMENT_REQUIRED":                "the portal's subscription has ended or does not include REST; renew it, then run again",
	"PORTAL_DELETED":                  "the portal is closed or deleted; on a self-hosted one check \"temporary closure of the public part\"",
	"INVALID_REQUEST":                 "the portal demands https",
	"ERROR_OAUTH":                     "the application is unknown to the portal or was removed there; install it again, then run: syncsources login",
	"NOT_INSTALLED":                   "the application is not installed completely; open it in the portal once, or install it again",
	"WRONG_AUTH_TYPE":                 "these methods take an application's access token only; set " + signin.Portal + ", " + signin.ClientID + ", " + signin.ClientSecret + " and " + signin.TokenFile + ", and run: syncsources login",
	"authorization_error":             "the portal could not check the token; run again; if that does not help, get a new pair with: syncsources login",
	"METHOD_CONFIRM_WAITING":          "have an administrator of the portal confirm the application's request in the portal's notifications, then run again",
	"METHOD_CONFIRM_DENIED":           "an administrator of the portal has denied the application's request",
	rest.FrontPage:                    "a server in front of the portal answered, not its REST interface: check " + signin.Portal + "; if other calls get through, a firewall blocks the content of this one: have it allow REST calls",
	rest.SourceNotFound:               "the source does not exist, or is on the connector of another application: an application sees only what is on its own connectors",
	"CONNECTOR_NOT_FOUND":             "the connector does not exist, or another application created it: an application sees only its own connectors",
	"DATASET_NOT_FOUND":               "the table no longer exists, or its source belongs to another application",
	rest.UpdateConnectionError:        "the external system did not accept the new settings or did not answer; the source was not changed",
	"invalid_grant":                   "the refresh token was used before, is older than 180 days, or the application was reinstalled; get a new pair with: syncsources login",
	"invalid_request":                 "check " + signin.ClientID + ", " + signin.ClientSecret + " and " + signin.OAuth,
	"invalid_client":                  "check " + signin.ClientID + " and " + signin.ClientSecret + " against the application's settings in the portal",

	rest.Internal:             "this is a bug in syncsources; please report it with the lines that it wrote to standard error; the next run reads the portal and continues from what it shows",
	runner.CodeTooManyChanges: "look at the plan; if it is what you want, raise --max-changes",
	runner.CodeTooManyDeletes: "look at the plan; if it is what you want, raise --max-deletes",

	auth.NoPair:           "get a token pair with: syncsources login",
	auth.OtherPortal:      "correct " + signin.Portal + ", or use another token file for this portal; if the portal was renamed, get a new pair with: syncsources login",
	auth.NewTokenRejected: "compare the clock of a self-hosted portal with this machine's; in the cloud reinstall the application, then run: syncsources login",
	auth.StoreDown:        "check " + signin.Store + " and the server that it names; nothing was sent to the portal, and no token was renewed",
	auth.StoreKeyWrong:    "set " + signin.StoreKey + " to the key with which the pair was stored, in a rotation also " + signin.StoreKeyOld + "; if the key is lost, empty the table syncsources_pairs, then run: syncsources login",
	auth.ServerUnanswered: "check that this machine, or its proxy, may call oauth.bitrix.info, or oauth.bitrix24.tech for portals in ru, by, kz, kg, uz, am, az and ge, and " + signin.OAuth + " if you set it; nothing was changed on the portal",
}

// hint is what to do about a failure with this code. Where the failure brings
// a hint of its own, made of the data at hand, that one counts; a reason adds
// to it.
func hint(code, reason, own string) string {
	general := hints[rest.Code(reason)]
	switch {
	case own == "":
		return cmp.Or(general, hints[rest.Code(code)])
	case general != "":
		return own + "; " + general
	}
	return own
}

// hintOf is the hint for an error of the client.
func hintOf(e *rest.Error) string { return hint(string(e.Code), string(e.Reason), e.Hint) }

// fillHints adds to a report's failures what to do about them.
func fillHints(r *runner.Report) {
	fill := func(f *runner.Failure) {
		if f != nil {
			f.Hint = hint(f.Code, f.Reason, f.Hint)
			f.Reason = "" // once is enough
		}
	}
	fill(r.Error)
	if r.Outcome == runner.OutcomeStopped && r.Error != nil && r.Error.Hint == "" {
		r.Error.Hint = "run: syncsources status, which checks the portal, the credentials, their rights and the limits"
	}
	for i := range r.Objects {
		fill(r.Objects[i].Error)
	}
}
