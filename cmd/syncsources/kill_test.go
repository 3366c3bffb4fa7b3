package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"syncsources/bitrix/sandbox"
	"syncsources/cmd/syncsources/exit"
	"syncsources/runner"
)

var (
	killRounds = flag.Int("kill.rounds", 8, "how many runs TestKill kills; -short: a quarter")
	killSeed   = flag.Uint64("kill.seed", 1, "of their instants")
)

// killer is a portal on a socket that kills its client: at the n-th event,
// which is that a request has come, or that it is executed but not answered.
//
// It spares one moment, in which nothing can help: the authorization server
// has replaced the token pair, and the client has not stored the new one yet.
type killer struct {
	portal *sandbox.Portal

	mu       sync.Mutex
	victim   *os.Process
	signal   os.Signal // that it is killed with
	left     int       // events until it is killed; negative: not by an event
	dead     bool
	renewing bool   // the client may have a pair that it has not stored
	renewed  string // the access token in it
	events   int
	// The event at which the tokens expire; negative: none. It comes before the
	// first renewal of a run: a token that expires on its way back ends that.
	expire int
}

func (k *killer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	var in struct{ Auth string }
	_ = json.Unmarshal(body, &in)
	k.event(in.Auth)
	k.portal.ServeHTTP(w, r)
	k.event(in.Auth)
}

// authorize is the authorization server.
func (k *killer) authorize(w http.ResponseWriter, r *http.Request) {
	k.mu.Lock()
	dead := k.dead
	if !dead {
		k.renewing, k.renewed, k.expire = true, "", -1
	}
	k.mu.Unlock()
	if dead { // its last words get lost on the way
		panic(http.ErrAbortHandler)
	}
	answer := httptest.NewRecorder()
	k.portal.ServeHTTP(answer, r)
	var pair struct {
		Access string `json:"access_token"`
	}
	_ = json.Unmarshal(answer.Body.Bytes(), &pair)
	k.mu.Lock()
	k.renewed = pair.Access
	k.mu.Unlock()
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

func (k *killer) event(token string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if token != "" && token == k.renewed { // it is in use, so it is stored; the use of former ones says nothing
		k.renewing = false
	}
	if k.events == k.expire {
		k.portal.ExpireTokens()
	}
	k.events++
	k.left--
	if k.left < 0 && k.left > never/2 && !k.renewing {
		k.kill()
	}
}

func (k *killer) expireAt(event int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.expire = event
}

func (k *killer) kill() {
	if k.victim != nil && !k.dead {
		k.dead = true
		_ = k.victim.Signal(k.signal)
	}
}

// killAt kills the victim at an instant, or as soon after it as is allowed.
func (k *killer) killAt(victim *os.Process, d time.Duration) {
	time.AfterFunc(d, func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		switch {
		case k.victim != victim: // it has ended before
		case k.renewing:
			k.killAt(victim, time.Millisecond)
		default:
			k.kill()
		}
	})
}

// never is a number of events that does not come.
const never = -1 << 30

// deathbed is a place to be killed in: a portal, a token file, a manifest, and
// reports.
type deathbed struct {
	*killer
	t        *testing.T
	dir, tmp string
	env      []string
	reports  []string
	want     map[int64]sandbox.Source
	stdout   bytes.Buffer
	stderr   bytes.Buffer
}

func newDeathbed(t *testing.T, sources int) *deathbed {
	state := &sandbox.State{
		Connectors: []sandbox.Connector{{ID: 1, Title: "SQL", Settings: []sandbox.SettingType{{Code: "login"}, {Code: "password"}}}},
		UpdateCost: 2 * time.Millisecond,
		ReadCost:   5 * time.Millisecond,
		Switches:   sandbox.Switches{HonourActive: true},
		Limits:     sandbox.Limits{Unlimited: true},
	}
	server := httptest.NewUnstartedServer(nil)
	state.Address = "http://" + server.Listener.Addr().String()
	for id := range int64(sources) {
		state.Sources = append(state.Sources, sandbox.Source{ID: id + 1, Title: "before", ConnectorID: 1})
	}
	portal := must(sandbox.New(state))(t)
	b := &deathbed{killer: &killer{portal: portal, signal: syscall.SIGKILL, left: never, expire: -1}, t: t, dir: t.TempDir(), tmp: t.TempDir()}
	server.Config.Handler = b.killer
	server.Start()
	t.Cleanup(func() {
		server.Close()
		_ = portal.Close()
	})
	token := b.path("token.json")
	pair := fmt.Sprintf(`{"access_token":%q,"refresh_token":%q,"client_endpoint":%q}`, sandbox.AccessToken, sandbox.RefreshToken, server.URL+"/rest/")
	check(t, os.WriteFile(token, []byte(pair), 0o600))
	b.env = ofProcess("TMPDIR="+b.tmp, "XDG_STATE_HOME="+t.TempDir(), "CRM_PASSWORD=",
		"B24_PORTAL_URL="+server.URL, "B24_TOKEN_FILE="+token,
		"B24_CLIENT_ID="+sandbox.ClientID, "B24_CLIENT_SECRET="+sandbox.ClientSecret)
	b.reports = []string{"report.json", "report.md", "report.xml", "run.prom"}
	return b
}

func (b *deathbed) path(name string) string { return filepath.Join(b.dir, name) }

// declare writes a manifest that differs from the last one in every source.
func (b *deathbed) declare(round int) {
	var m strings.Builder
	m.WriteString("version: 1\nsources:\n")
	b.want = make(map[int64]sandbox.Source)
	for _, s := range b.portal.Sources() {
		active := s.ID%10 != 0 || round%2 == 0
		s.Title, s.Active, s.Settings = fmt.Sprint("round ", round), &active, map[string]string{"password": fmt.Sprint("secret ", round)}
		fmt.Fprintf(&m, "  - {id: %d, title: %q, active: %v, settings: {password: %q}}\n", s.ID, s.Title, active, s.Settings["password"])
		b.want[s.ID] = s
	}
	check(b.t, os.WriteFile(b.path("manifest.yaml"), []byte(m.String()), 0o600))
}

// apply runs an apply in a process of its own, and kills it after this many
// events or at an instant, if either is not negative. It returns the exit
// code, -1 for a killed process, and how long it took.
func (b *deathbed) apply(events int, at time.Duration) (code int, took time.Duration) {
	args := []string{"apply", "--batch-size", "10", "--progress", "never", "-o", "json", "--metrics-file", b.path("run.prom")}
	for _, r := range b.reports[:3] {
		args = append(args, "--report", b.path(r))
	}
	cmd := exec.Command("syncsources", append(args, b.path("manifest.yaml"))...)
	// The authorization server ends with the process: what that still had on its
	// way when it was killed spends no token of the next one.
	auth := httptest.NewServer(http.HandlerFunc(b.authorize))
	defer auth.Close()
	cmd.Env = append(slices.Clip(b.env), "B24_OAUTH_URL="+auth.URL)
	b.stdout.Reset()
	b.stderr.Reset()
	cmd.Stdout, cmd.Stderr = &b.stdout, &b.stderr
	start := time.Now()
	b.mu.Lock()
	err := cmd.Start()
	b.victim, b.dead, b.left, b.events = cmd.Process, false, never, 0
	b.renewing = false // the last run has ended, or was killed at another moment
	if events >= 0 {
		b.left = events
	}
	b.mu.Unlock()
	if err != nil {
		b.t.Fatal(err)
	}
	if at >= 0 {
		b.killAt(cmd.Process, at)
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		b.t.Fatal(err)
	}
	b.mu.Lock()
	b.dead = true
	b.mu.Unlock()
	return cmd.ProcessState.ExitCode(), time.Since(start)
}

// whole checks what a killed process may leave: files that are whole or not
// there.
func (b *deathbed) whole() {
	b.t.Helper()
	for _, name := range b.reports {
		content, err := os.ReadFile(b.path(name))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		switch filepath.Ext(name) {
		case ".json":
			var r runner.Report
			err = errors.Join(err, json.Unmarshal(content, &r))
		case ".xml":
			var v struct {
				XMLName xml.Name
			}
			err = errors.Join(err, xml.Unmarshal(content, &v))
		case ".md":
			if !strings.HasSuffix(string(content), "\n") || !strings.Contains(string(content), "Apply to ") {
				err = fmt.Errorf("%q", content)
			}
		case ".prom":
			parser := expfmt.NewTextParser(model.UTF8Validation)
			_, parseErr := parser.TextToMetricFamilies(bytes.NewReader(content))
			err = errors.Join(err, parseErr)
		}
		if err != nil {
			b.t.Errorf("%s is not whole: %v", name, err)
		}
	}
	var pair struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
	}
	content, err := os.ReadFile(b.path("token.json"))
	info, statErr := os.Stat(b.path("token.json"))
	if err = errors.Join(err, statErr, json.Unmarshal(content, &pair)); err != nil || pair.Access == "" || pair.Refresh == "" {
		b.t.Fatalf("the token file is not whole: %v", err)
	}
	if info.Mode().Perm() != 0o600 {
		b.t.Errorf("the token file has the mode %04o", info.Mode().Perm())
	}
}

// age makes what lies about look as if the run had been killed an hour ago.
func (b *deathbed) age() {
	then := time.Now().Add(-time.Hour)
	for _, name := range b.listed() {
		if strings.Contains(name, "token.json") { // which of two pairs is the later shows in their times
			continue
		}
		_ = os.Chtimes(name, then, then)
	}
}

func (b *deathbed) listed() (paths []string) {
	for _, dir := range []string{b.dir, b.tmp} {
		entries := must(os.ReadDir(dir))(b.t)
		for _, e := range entries {
			paths = append(paths, filepath.Join(dir, e.Name()))
		}
	}
	return paths
}

// converged checks what the run after a killed one leaves: the declared state,
// and no litter.
func (b *deathbed) converged() {
	b.t.Helper()
	for id, want := range b.want {
		got, _ := b.portal.Source(id)
		if got.Title != want.Title || *got.Active != *want.Active || got.Settings["password"] != want.Settings["password"] {
			b.t.Fatalf("source %d is %+v, want %+v", id, got, want)
		}
	}
	usual := append([]string{"manifest.yaml", "token.json", "token.json.lock"}, b.reports...)
	for _, path := range b.listed() {
		name := filepath.Base(path)
		if !slices.Contains(usual, name) && !(filepath.Dir(path) == b.tmp && strings.HasSuffix(name, ".lock")) {
			b.t.Errorf("%s is left behind", name)
		}
	}
}

// A run is killed at any instant - while it reads, while the portal writes,
// while a token is renewed or a report written - and the next one converges.
func TestKill(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(*killSeed, 4))
	b := newDeathbed(t, 60)
	b.declare(0)
	code, usual := b.apply(never, -1)
	if code != exit.OK {
		t.Fatalf("exit code %d when nothing goes wrong\n%s", code, b.stderr.String())
	}
	b.converged()
	events, killed, ended := b.events, 0, 0
	rounds := *killRounds
	if testing.Short() {
		rounds /= 4
	}
	for round := 1; round <= rounds; round++ {
		b.declare(round)
		for range 1 + r.IntN(3) {
			b.expireAt(-1)
			if r.IntN(2) == 0 {
				b.expireAt(r.IntN(events))
			}
			n, at := -1, time.Duration(-1)
			if r.IntN(2) == 0 {
				n = r.IntN(events)
			} else {
				at = time.Duration(r.Int64N(int64(usual) * 5 / 4))
			}
			if code, _ := b.apply(n, at); code == -1 {
				killed++
			} else if ended++; code != exit.OK {
				t.Fatalf("round %d: exit code %d\n%s", round, code, b.stderr.String())
			}
			b.portal.Wait()
			b.whole()
		}
		b.age()
		b.expireAt(-1)
		if code, _ := b.apply(never, -1); code != exit.OK {
			t.Fatalf("round %d: the next run exits with %d\n%s", round, code, b.stderr.String())
		}
		b.whole()
		b.converged()
		if t.Failed() {
			t.Fatalf("round %d", round)
		}
	}
	if killed == 0 {
		t.Error("nothing was killed")
	}
	t.Logf("%d runs killed, %d ended before; %d renewals", killed, ended, b.portal.Stats().Renewals)
}

// At the first signal, whenever it comes, a run settles what is in flight and
// writes all its reports; what it calls updated is so.
func TestSignalAtAnyInstant(t *testing.T) {
	t.Parallel()
	b := newDeathbed(t, 60)
	b.declare(0)
	if code, _ := b.apply(never, -1); code != exit.OK {
		t.Fatalf("exit code %d when nothing goes wrong\n%s", code, b.stderr.String())
	}
	events, instants := b.events, 12
	if testing.Short() {
		instants = 4
	}
	for n := 0; n < events; n += 1 + events/instants {
		want := exit.Interrupted
		if b.signal = syscall.SIGINT; n%2 == 0 {
			b.signal, want = syscall.SIGTERM, exit.Terminated
		}
		b.declare(n + 1)
		code, _ := b.apply(n, -1)
		b.portal.Wait()
		b.whole()
		var printed, written runner.Report
		content, err := os.ReadFile(b.path("report.json"))
		if err := errors.Join(err, json.Unmarshal(content, &written), json.Unmarshal(b.stdout.Bytes(), &printed)); err != nil {
			t.Fatalf("event %d: %v\n%s", n, err, b.stderr.String())
		}
		switch {
		case code == want && printed.Outcome == runner.OutcomeInterrupted:
		case code == exit.OK && printed.Summary.Updated == 60: // it came too late to leave anything out
		default:
			t.Errorf("event %d of %d: exit code %d, want %d; %s %+v", n, events, code, want, printed.Outcome, printed.Summary)
		}
		if printed.Summary != written.Summary || !printed.Finished.Equal(written.Finished) {
			t.Errorf("event %d: printed is %+v, written %+v", n, printed.Summary, written.Summary)
		}
		for _, s := range printed.Objects {
			if live, _ := b.portal.Source(s.ID); s.Status == runner.StatusUpdated && live.Title != b.want[s.ID].Title {
				t.Errorf("event %d: source %d is called updated and has the title %q", n, s.ID, live.Title)
			}
		}
	}
}
