package auth

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// strict is an authorization server of many portals that takes each refresh
// token once, as the real one does, and knows of each portal which pair is the
// valid one. It may kill the process that asks.
type strict struct {
	*httptest.Server
	mu      sync.Mutex
	portals map[string]*chain
	dice    *rand.Rand  // nil: nobody is killed
	killed  map[int]int // processes that the server has killed, and how often they had spent a token before
}

// chain is the sequence of pairs of one portal.
type chain struct {
	n        int // the valid pair
	renewals int
	refused  int
	spender  int // the process that has spent the last refresh token
}

func newStrict(t *testing.T) *strict {
	s := &strict{portals: map[string]*chain{}, killed: map[int]int{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

// issue makes a pair as a login does; the ones before are no longer valid.
func (s *strict) issue(portal string) Pair {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.portals[portal]
	if c == nil {
		c = &chain{}
		s.portals[portal] = c
	}
	c.n++
	p, err := parsePair([]byte(strictPair(portal, c.n)), time.Now())
	if err != nil {
		panic(err)
	}
	return p
}

func strictPair(portal string, n int) string {
	return fmt.Sprintf(`{"access_token":"access-%s-%d","refresh_token":"refresh-%s-%d","expires_in":3600,"client_endpoint":"https://%s/rest/","member_id":"m-%s"}`, portal, n, portal, n, portal, portal)
}

// chain returns a copy of a portal's state.
func (s *strict) chain(portal string) chain {
	s.mu.Lock()
	defer s.mu.Unlock()
	return *s.portals[portal]
}

// valid reports whether a pair is the one that the server takes.
func (s *strict) valid(p Pair) bool {
	portal, n := readToken(p.RefreshToken.Plain())
	return s.chain(portal).n == n
}

func readToken(token string) (portal string, n int) {
	portal, number, _ := cutLast(strings.TrimPrefix(token, "refresh-"), "-")
	n, _ = strconv.Atoi(number)
	return portal, n
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// ServeHTTP takes a refresh token.
func (s *strict) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query, _ := url.ParseQuery(r.URL.RawQuery)
	portal, n := readToken(query.Get("refresh_token"))
	pid, _ := strconv.Atoi(strings.TrimPrefix(r.UserAgent(), "process-"))
	before, after := s.fates()
	if before {
		s.kill(pid)
		return
	}
	s.mu.Lock()
	c := s.portals[portal]
	if c == nil || c.n != n {
		if c != nil {
			c.refused++
		}
		s.mu.Unlock()
		w.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprint(w, `{"error":"invalid_grant"}`)
		return
	}
	c.n++
	c.renewals++
	c.spender = pid
	answer := strictPair(portal, c.n)
	s.mu.Unlock()
	switch after {
	case "kill":
		s.kill(pid)
		return
	case "answer and kill":
		defer func() {
			dawdle(3000)
			s.kill(pid)
		}()
	case "delay":
		dawdle(20000)
	}
	_, _ = fmt.Fprint(w, answer)
	_ = http.NewResponseController(w).Flush()
}

// dawdle lets others go first, for a time that nobody knows.
func dawdle(most int) {
	for range rand.IntN(most) {
		runtime.Gosched()
	}
}

// fates says what happens to the process before and after its token is spent.
func (s *strict) fates() (before bool, after string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dice == nil {
		return false, ""
	}
	switch s.dice.IntN(12) {
	case 0:
		return true, ""
	case 1:
		return false, "kill"
	case 2, 3, 4:
		return false, "answer and kill"
	case 5, 6, 7:
		return false, "delay"
	}
	return false, ""
}

func (s *strict) kill(pid int) {
	s.mu.Lock()
	s.killed[pid]++
	s.mu.Unlock()
	kill(pid)
}

func (s *strict) wasKilled(pid int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.killed[pid] > 0
}

// kill ends a process at once.
func kill(pid int) {
	if p, err := os.FindProcess(pid); err == nil {
		_ = p.Kill()
	}
}
