package main

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync"
)

// gate stands before a portal and holds updates back until it is opened. While
// it has never been closed it lets everything through.
type gate struct {
	next    http.Handler
	arrived chan struct{} // has an element when an update has come

	mu   sync.Mutex
	free chan struct{} // nil: open
}

func newGate(next http.Handler) *gate { return &gate{next: next, arrived: make(chan struct{}, 1)} }

// shut holds the updates back that come from now on.
func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.free == nil {
		g.free = make(chan struct{})
	}
}

// open lets all through that were held back, and what comes later.
func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.free != nil {
		close(g.free)
		g.free = nil
	}
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	if strings.Contains(r.URL.Path+string(body), "source.update") {
		select {
		case g.arrived <- struct{}{}:
		default:
		}
		g.mu.Lock()
		free := g.free
		g.mu.Unlock()
		if free != nil {
			<-free
		}
	}
	g.next.ServeHTTP(w, r)
}
