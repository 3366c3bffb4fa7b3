// Package rest is one exchange with a server of Bitrix24: how a request is
// written, what an answer means, and which error comes out of it.
//
// The portal reports failures in three shapes: at the root of the answer, with
// or without an HTTP status that fits; inside "result", with HTTP 200; and as
// no JSON at all. All three become an *Error, told apart by its code:
//
//	if errors.Is(err, rest.Code("SOURCE_NOT_FOUND")) { ... }
//
// Error.Reaction answers the question that matters: can it have run? Secrets
// are taken out of a text here, where errors leave the client. The package
// knows nothing of the program's commands, flags and variables.
package rest
