package bitrix

import (
	"regexp"
	"strings"
)

// hints advise on codes whose text alone leaves a person helpless.
var hints = map[Code]string{
	OverloadLimit:                     "the portal is blocked by hand because of overload; write to Bitrix24 support to lift the block",
	ExpiredToken:                      "the access token has expired; get a new one, or use a token file, which is renewed by itself (syncsources login)",
	"NO_AUTH_FOUND":                   "the portal does not know these credentials; check them, or get new ones (a webhook may have been deleted)",
	"INVALID_CREDENTIALS":             "the user behind these credentials lacks permission; give the user access to the BI module",
	"insufficient_scope":              "the credentials lack a scope; the application needs \"biconnector\" ticked in its settings",
	"user_access_error":               "the user is not among those the application is open to; an administrator changes that in the application's settings",
	MethodNotFound:                    "this portal does not offer the method; its BI module (biconnector) must be installed and up to date",
	"ERROR_MANIFEST_IS_NOT_AVAILABLE": "the portal's plan does not include REST or local applications; an administrator of the portal can see to that",
	"PORTAL_DELETED":                  "the portal is closed or deleted; on a self-hosted one check \"temporary closure of the public part\"",
	"INVALID_REQUEST":                 "the portal demands https",
	SourceNotFound:                    "the source does not exist, or another application created it: an application sees only its own sources",
	UpdateConnectionError:             "the external system did not accept the new settings or did not answer; the source was not changed",
	AccessDenied:                      "check that the portal's plan includes REST, and that the user may use the BI module",
}

const webhookHint = "the portal does not let webhooks call biconnector methods; register a local application with the scope \"biconnector\" " +
	"(Applications > Developer resources > Other > Local application), set B24_PORTAL_URL, B24_CLIENT_ID, B24_CLIENT_SECRET and B24_TOKEN_FILE, and run: syncsources login"

// Hint advises on a code of the portal; empty where its text says enough.
func Hint(code Code) string { return hints[code] }

func hint(code Code, webhook bool) string {
	if code == AccessDenied && webhook {
		return webhookHint
	}
	return hints[code]
}

var plainWord = regexp.MustCompile(`^[\p{L}\p{N}_@%+=:,./-]+$`)

// quoted is a path as it stands in a command line to paste.
func quoted(path string) string {
	if plainWord.MatchString(path) {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
