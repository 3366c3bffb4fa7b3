// Package bitrix is the client of a Bitrix24 portal's REST interface, as far
// as BIconnector needs it.
//
// One call of a client is one HTTP request: nothing here waits, paces or
// repeats. An access token that has expired is renewed, and the call answered
// as not delivered. When to send what
// is the business of package runner/schedule; this package gives it the facts
// it needs: what an error says about whether a command ran (rest.Error), how
// long commands took and how much of the portal's limits they used (rest.Time).
//
// Reader reads and has no method that writes; Client is a Reader that writes.
package bitrix
