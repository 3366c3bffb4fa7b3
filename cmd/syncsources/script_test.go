package main

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"syncsources/bitrix/sandbox"
	"syncsources/runner"
)

// TestMain lets the test binary stand in for the program, for stories and tests
// that run it as a process of its own. They are done before it is worth while
// to collect garbage often.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	testscript.Main(m, map[string]func(){"syncsources": main, "xdg-open": standInBrowser})
}

// TestStories runs the user stories in testdata, one file a command or a
// situation. Besides testscript's own commands they use
//
//	exits CODE COMMAND...   run a command, which must exit with the code
//	processes               run the program as a process of its own from here on
//	portal FILE             serve a portal seeded from a state file on loopback,
//	                        and set B24_PORTAL_URL and B24_ACCESS_TOKEN for it
//	requests N              the portal has received this many requests since the
//	                        last time this was asked
//	updates N               the same of successful updates
//	live ID FIELD VALUE     the portal shows this title, or this setting
//	set ID FIELD VALUE      somebody else changes it
//	hold, release           the portal holds updates back, and answers them
//	await-update            wait until the portal has got an update
//	authorize NAME          authorize the application, and put the code into a variable
//	expire                  the hour of all access tokens is over
//	renewals N              the portal has renewed so many token pairs
//	freeport NAME           put a port that nobody listens on into a variable
//	expand FILE             put the values of the variables into a file that names them
//	checksum FILE NAME      put the checksum of a JSON report into a variable
func TestStories(t *testing.T) {
	here := must(os.Getwd())(t)
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join(here, "testdata"), // stories change the working directory
		RequireUniqueNames:  true,
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Vars = append(env.Vars, noSleep)
			env.Setenv("TMPDIR", env.WorkDir)
			env.Setenv("XDG_STATE_HOME", env.WorkDir) // of the locks
			env.Setenv("EXAMPLES", here+"/../../examples")
			script, err := os.ReadFile(filepath.Join(here, "testdata", strings.TrimPrefix(filepath.Base(env.WorkDir), "script-")+".txt"))
			env.Values[storyKey{}] = &story{environment: newEnvironment(env.Vars, string(script))}
			return err
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "processes": func(ts *testscript.TestScript, _ bool, _ []string) { storyOf(ts).processes = true },
			"portal": servePortal, "requests": countRequests, "updates": countUpdates,
			"live": showsLive, "set": setLive, "checksum": readChecksum, "expand": expandFile,
			"authorize": authorizeCode, "expire": expireTokens, "renewals": countRenewals, "freeport": freePort,
			"await-update": func(ts *testscript.TestScript, _ bool, _ []string) { <-storyOf(ts).gate.arrived },
			"hold":         func(ts *testscript.TestScript, _ bool, _ []string) { storyOf(ts).gate.shut() },
			"release":      func(ts *testscript.TestScript, _ bool, _ []string) { storyOf(ts).gate.open() },
		},
	})
}

// story is what a script knows of its portal.
type story struct {
	portal            *sandbox.Portal
	gate              *gate
	requests, updates int // up to the last time they were asked for
	environment       *environment
	processes         bool
}

type storyKey struct{}

func storyOf(ts *testscript.TestScript) *story { return ts.Value(storyKey{}).(*story) }

func servePortal(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: portal FILE")
	}
	state, err := sandbox.ReadState(strings.NewReader(ts.ReadFile(args[0])))
	ts.Check(err)
	portal, err := sandbox.New(state)
	ts.Check(err)
	updates := newGate(portal)
	server := httptest.NewServer(updates)
	ts.Defer(func() {
		updates.open()
		_ = portal.Close()
		server.Close()
	})
	s := storyOf(ts)
	s.portal, s.gate, s.requests, s.updates = portal, updates, 0, 0
	ts.Setenv("B24_PORTAL_URL", server.URL)
	ts.Setenv("B24_ACCESS_TOKEN", sandbox.AccessToken)
	ts.Setenv("WEBHOOK", server.URL+sandbox.WebhookPath)
}

func countRequests(ts *testscript.TestScript, neg bool, args []string) {
	s := storyOf(ts)
	total := s.portal.Stats().Requests
	wantCount(ts, neg, args, "requests", total-s.requests)
	s.requests = total
}

func countUpdates(ts *testscript.TestScript, neg bool, args []string) {
	s := storyOf(ts)
	total := 0
	for _, n := range s.portal.Stats().Updates {
		total += n
	}
	wantCount(ts, neg, args, "updates", total-s.updates)
	s.updates = total
}

func wantCount(ts *testscript.TestScript, neg bool, args []string, what string, got int) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: %s N", what)
	}
	if args[0] != strconv.Itoa(got) {
		ts.Fatalf("%d %s, want %s", got, what, args[0])
	}
}

// sourceOf finds the source that a command's arguments, ID FIELD VALUE, mean.
func sourceOf(ts *testscript.TestScript, neg bool, args []string) sandbox.Source {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: live|set ID FIELD VALUE")
	}
	id, err := strconv.ParseInt(args[0], 10, 64)
	ts.Check(err)
	s, ok := storyOf(ts).portal.Source(id)
	if !ok {
		ts.Fatalf("no source %d", id)
	}
	return s
}

func showsLive(ts *testscript.TestScript, neg bool, args []string) {
	s := sourceOf(ts, neg, args)
	got := s.Settings[args[1]]
	if args[1] == "title" {
		got = s.Title
	}
	if got != args[2] {
		ts.Fatalf("source %s has %s %q, want %q", args[0], args[1], got, args[2])
	}
}

func setLive(ts *testscript.TestScript, neg bool, args []string) {
	s := sourceOf(ts, neg, args)
	if args[1] == "title" {
		s.Title = args[2]
	} else {
		s.Settings[args[1]] = args[2]
	}
	storyOf(ts).portal.SetSource(s)
}

func expandFile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: expand FILE")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(os.Expand(ts.ReadFile(args[0]), ts.Getenv)), 0o600))
}

func readChecksum(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: checksum FILE NAME")
	}
	var report runner.Report
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &report))
	ts.Setenv(args[1], report.Checksum)
}
