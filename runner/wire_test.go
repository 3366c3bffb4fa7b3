package runner_test

import (
	"bytes"
	"encoding/json"
	"hash/fnv"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// wire carries requests to a sandbox and keeps its own account of them, apart
// from the program's.
//
// Each request is delayed by a fraction of a millisecond that follows from its
// content alone. So no two reach the portal at the same instant, and the n-th
// request is the same one in every run of a seed.
type wire struct {
	portal http.RoundTripper

	mu        sync.Mutex
	requests  int
	throttled int           // refused for coming too fast, or for having run too long
	sent      map[int64]int // updates by source, but for those certainly refused before execution
}

func newWire(portal http.RoundTripper) *wire {
	return &wire{portal: portal, sent: make(map[int64]int)}
}

func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	_ = req.Body.Close()
	h := fnv.New64a()
	_, _ = h.Write(body)
	select {
	case <-time.After(time.Duration(h.Sum64()%uint64(time.Millisecond)) + 1):
	case <-req.Context().Done():
	}
	again := req.Clone(req.Context())
	again.Body = io.NopCloser(bytes.NewReader(body))
	resp, err := w.portal.RoundTrip(again)
	w.note(updatesIn(req.URL.Path, body), resp)
	return resp, err
}

// batched matches an update in a batch.
var batched = regexp.MustCompile(`^biconnector\.source\.update\?id=([0-9]+)&`)

// updatesIn finds the sources that a request updates, by the key of the
// command; that of a call of its own is empty.
func updatesIn(path string, body []byte) map[string]int64 {
	var in struct {
		ID  int64             `json:"id"`
		Cmd map[string]string `json:"cmd"`
	}
	_ = json.Unmarshal(body, &in)
	ids := make(map[string]int64)
	if strings.HasSuffix(path, "source.update") {
		ids[""] = in.ID
	}
	for key, command := range in.Cmd {
		if m := batched.FindStringSubmatch(command); m != nil {
			ids[key], _ = strconv.ParseInt(m[1], 10, 64)
		}
	}
	return ids
}

// note counts a request and what it updates, as far as that may have run.
func (w *wire) note(ids map[string]int64, resp *http.Response) {
	var out struct {
		Error  string
		Result struct {
			Errors map[string]struct{ Error string } `json:"result_error"`
		}
	}
	refused := false
	if resp != nil {
		content, err := io.ReadAll(resp.Body)
		switch resp.StatusCode {
		case http.StatusServiceUnavailable, http.StatusTooManyRequests, http.StatusUnauthorized, http.StatusForbidden:
			refused = err == nil // what was cut short is not taken for a refusal
		}
		_ = json.Unmarshal(content, &out)
		resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(content), failing{err}))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.requests++
	if refused && (out.Error == "QUERY_LIMIT_EXCEEDED" || out.Error == "OPERATION_TIME_LIMIT") {
		w.throttled++
	}
	for key, id := range ids {
		if !refused && out.Result.Errors[key].Error != "OPERATION_TIME_LIMIT" {
			w.sent[id]++
		}
	}
}

// failing ends a body as the portal ended it.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	return 0, io.EOF
}
