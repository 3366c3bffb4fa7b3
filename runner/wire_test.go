package runner_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"net/url"
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
	throttled int                         // answered with 503 or 429
	sent      map[int64]int               // updates by source, but for those certainly refused before execution
	fields    map[int64]map[string]string // what all updates of a source carried, by path
	confirmed map[int64]map[string]bool   // what the portal has said true to
	needless  map[int64]string            // a path that was sent again after that
}

func newWire(portal http.RoundTripper) *wire {
	return &wire{portal: portal, sent: make(map[int64]int), fields: make(map[int64]map[string]string),
		confirmed: make(map[int64]map[string]bool), needless: make(map[int64]string)}
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
	w.note(w.updatesIn(req.URL.Path, body), resp)
	return resp, err
}

// updatesIn finds the sources that a request updates, by the key of the
// command - that of a call of its own is empty - and notes what it carries.
func (w *wire) updatesIn(path string, body []byte) map[string]*carried {
	var in struct {
		ID     int64
		Fields map[string]any
		Cmd    map[string]string
	}
	_ = json.Unmarshal(body, &in)
	w.mu.Lock()
	defer w.mu.Unlock()
	updates := make(map[string]*carried)
	if strings.HasSuffix(path, "source.update") {
		u := &carried{id: in.ID}
		updates[""] = u
		for name, value := range in.Fields {
			if settings, ok := value.(map[string]any); ok {
				for code, value := range settings {
					w.carry(u, "settings."+code, fmt.Sprint(value))
				}
				continue
			}
			w.carry(u, name, fmt.Sprint(value))
		}
	}
	for key, command := range in.Cmd {
		query, ok := strings.CutPrefix(command, "biconnector.source.update?")
		if !ok {
			continue
		}
		values, _ := url.ParseQuery(query)
		u := &carried{}
		u.id, _ = strconv.ParseInt(values.Get("id"), 10, 64)
		updates[key] = u
		for name := range values {
			if m := field.FindStringSubmatch(name); m != nil {
				w.carry(u, strings.Replace(m[1], "settings][", "settings.", 1), values.Get(name))
			}
		}
	}
	return updates
}

// carried is what an update carries.
type carried struct {
	id    int64
	paths []string
}

// field matches a field of an update in a query string.
var field = regexp.MustCompile(`(?s)^fields\[(.*)\]$`)

func (w *wire) carry(u *carried, path, value string) {
	u.paths = append(u.paths, path)
	if w.fields[u.id] == nil {
		w.fields[u.id] = make(map[string]string)
	}
	w.fields[u.id][path] = value
	if path != "title" && w.confirmed[u.id][path] { // the title must go along
		w.needless[u.id] = path
	}
}

// note counts a request and what it updates, as far as that may have run.
func (w *wire) note(updates map[string]*carried, resp *http.Response) {
	var out struct {
		Result json.RawMessage
	}
	var batch struct {
		Result map[string]json.RawMessage
		Errors map[string]struct{ Error string } `json:"result_error"`
	}
	refused := false
	if resp != nil {
		content, err := io.ReadAll(resp.Body)
		switch resp.StatusCode {
		case http.StatusServiceUnavailable, http.StatusTooManyRequests, http.StatusUnauthorized, http.StatusForbidden:
			refused = err == nil // what was cut short is not taken for a refusal
		}
		if json.Unmarshal(content, &out) == nil {
			_ = json.Unmarshal(out.Result, &batch)
		}
		resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(content), failing{err}))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.requests++
	if resp != nil && (resp.StatusCode == http.StatusServiceUnavailable || resp.StatusCode == http.StatusTooManyRequests) {
		w.throttled++
	}
	for key, u := range updates {
		if !refused && batch.Errors[key].Error != "OPERATION_TIME_LIMIT" {
			w.sent[u.id]++
		}
		if result := string(batch.Result[key]); result == "true" || key == "" && string(out.Result) == "true" {
			for _, path := range u.paths {
				if w.confirmed[u.id] == nil {
					w.confirmed[u.id] = make(map[string]bool)
				}
				w.confirmed[u.id][path] = true
			}
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
