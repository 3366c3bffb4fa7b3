package rest

import (
	"io"
	"net/http"
)

// DefaultUserAgent names the program where nobody else does.
const DefaultUserAgent = "syncsources"

// The most bytes of an answer that are read. 2,500 sources are some 1.5 MiB;
// this leaves 13 KiB for each of them, and keeps what a broken or hostile
// server can make us hold bounded. An error needs far less.
const (
	MaxAnswer      = 32 << 20
	MaxErrorAnswer = 1 << 20
	MaxHeader      = 256 << 10
)

// Fetch sends req and reads the whole answer, unless it has more than most
// bytes, or more than an error needs. No error holds the address.
func Fetch(client *http.Client, req *http.Request, most int) (status int, content []byte, err error) {
	seen := &dialing{}
	resp, err := client.Do(req.WithContext(seen.watch(req.Context())))
	if err != nil {
		err = WithoutURL(err)
		if seen.inVain() {
			err = NoConnection(err)
		}
		return 0, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		return resp.StatusCode, nil, &redirected{to: resp.Header.Get("Location")}
	}
	if resp.StatusCode >= 400 {
		most = min(most, MaxErrorAnswer)
	}
	content, err = io.ReadAll(io.LimitReader(resp.Body, int64(most)+1))
	if err == nil && len(content) > most {
		err = errTooLong
	}
	return resp.StatusCode, content, err
}
