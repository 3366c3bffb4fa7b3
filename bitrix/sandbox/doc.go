// Package sandbox is an in-memory stand-in for a Bitrix24 portal with its
// BIconnector connectors, sources and tables: what users try the program on,
// and what its tests believe.
//
// It is written from the public documentation of the REST API and from the
// observable behaviour of the server, not from our client, and knows nothing
// of it. Where PHP shows through on the real portal, it shows through here:
// an empty map is written as [], query strings follow parse_str, "0" is
// empty, a boolean in a form is a text.
//
// A Portal is an [net/http.Handler]. It serves
//
//   - /rest/USER/CODE/METHOD, an inbound webhook, and /rest/METHOD, an
//     application with an access token: biconnector.connector.*, source.*,
//     table.* and its older name dataset.*, batch, profile, scope, server.time,
//     app.info;
//   - /oauth/authorize/ and /oauth/token/, the authorization server.
//
// The limits of a portal (requests per second, operating time, length of a
// request), what its work costs, what differs between portals ([Switches]), what
// people do meanwhile, and faults of every kind are options of the [State] that
// it starts from. What is really there, whatever the portal shows, tests ask of
// [Portal.Connectors], [Portal.Sources] and [Portal.Tables].
//
// Without a socket, [Portal.RoundTripper] answers in-process. All waiting is
// done with timers of package time, so that in a testing/synctest bubble an
// hour of portal time takes no time at all.
package sandbox
