// Package bitrix is the client of a Bitrix24 portal's REST interface, as far
// as BIconnector sources need it.
//
// One call of a client is one HTTP request: nothing here waits, paces or
// repeats, but for one renewal of an expired access token. When to send what
// is the business of package runner/schedule; this package gives it the facts
// it needs: what an error says about whether a command ran (Error.Reaction),
// how long commands took and how much of the portal's limits they used (Time).
//
// The portal reports failures in three shapes: at the root of the answer, with
// or without an HTTP status that fits; inside "result", with HTTP 200; and as
// no JSON at all. All three become an *Error, told apart by its code:
//
//	if errors.Is(err, bitrix.Code("SOURCE_NOT_FOUND")) { ... }
//
// Reader reads and has no method that writes; Client is a Reader that writes.
package bitrix
