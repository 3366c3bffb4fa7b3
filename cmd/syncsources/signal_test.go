package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"syncsources/bitrix/sandbox"
	"syncsources/cmd/syncsources/exit"
	"syncsources/runner"
)

// heldPortal serves a sandbox behind a gate that holds updates back.
func heldPortal(t *testing.T, state string) (address string, updates *gate) {
	t.Helper()
	updates = newGate(openPortal(t, state))
	updates.shut()
	server := httptest.NewServer(updates)
	t.Cleanup(func() {
		updates.open()
		server.Close()
	})
	return server.URL, updates
}

const threeSources = `
connectors: [{id: 1, title: SQL}]
sources:
  - {id: 4, title: Old, connectorId: 1}
  - {id: 5, title: Old, connectorId: 1}
  - {id: 6, title: Old, connectorId: 1}
`

const threeManifest = `
version: 1
sources:
  - {id: 4, title: New}
  - {id: 5, title: New}
  - {id: 6, title: New}
`

// applying is an apply of three sources in a process of its own, one update at
// a time, the first of which the portal holds back.
type applying struct {
	*exec.Cmd
	stdout  bytes.Buffer
	stderr  *bufio.Scanner
	release func()
}

func startApply(t *testing.T, args ...string) *applying {
	t.Helper()
	address, updates := heldPortal(t, threeSources)
	manifest := filepath.Join(t.TempDir(), "manifest.yaml")
	check(t, os.WriteFile(manifest, []byte(threeManifest), 0o600))
	args = append([]string{"apply", "--batch-size", "1", "--concurrency", "1", "-o", "json", manifest}, args...)
	p := &applying{Cmd: exec.Command("syncsources", args...), release: updates.open}
	p.Env = ofProcess("TMPDIR="+t.TempDir(), "XDG_STATE_HOME="+t.TempDir(), "B24_PORTAL_URL="+address, "B24_ACCESS_TOKEN="+sandbox.AccessToken)
	p.Stdout = &p.stdout
	stderr := must(p.StderrPipe())(t)
	p.stderr = bufio.NewScanner(stderr)
	check(t, p.Start())
	t.Cleanup(func() { _ = p.Process.Kill() })
	<-updates.arrived
	return p
}

// interrupt sends a signal and waits until the program says that it has it.
func (p *applying) interrupt(t *testing.T, s syscall.Signal) {
	t.Helper()
	check(t, p.Process.Signal(s))
	for p.stderr.Scan() {
		if strings.Contains(p.stderr.Text(), "a second signal exits immediately") {
			return
		}
	}
	t.Fatal("the program ended without a word about the signal")
}

// end waits for the process and returns its exit code.
func (p *applying) end(t *testing.T) int {
	t.Helper()
	for p.stderr.Scan() {
	}
	err := p.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return p.ProcessState.ExitCode()
}

// The first signal lets what is in flight end: its source is read back and
// reported as updated, the others as skipped.
func TestInterrupt(t *testing.T) {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP) // who tests under nohup would hand an ignored one on
	for sent, want := range map[syscall.Signal]int{syscall.SIGINT: exit.Interrupted, syscall.SIGTERM: exit.Terminated, syscall.SIGHUP: exit.HungUp} {
		p := startApply(t)
		p.interrupt(t, sent)
		p.release()
		if code := p.end(t); code != want {
			t.Errorf("%v: exit code %d, want %d", sent, code, want)
		}
		var report runner.Report
		if err := json.Unmarshal(p.stdout.Bytes(), &report); err != nil {
			t.Fatalf("%v: no report: %v\n%s", sent, err, p.stdout.String())
		}
		if report.Outcome != runner.OutcomeInterrupted || report.Summary.Updated != 1 || report.Summary.Skipped != 2 {
			t.Errorf("%v: outcome %s, summary %+v", sent, report.Outcome, report.Summary)
		}
	}
}

// A run is interrupted, too, when all that is left is in flight and ends well.
func TestInterruptOfTheLastChange(t *testing.T) {
	p := startApply(t, "--target", "4")
	p.interrupt(t, syscall.SIGINT)
	p.release()
	code := p.end(t)
	var report runner.Report
	if err := json.Unmarshal(p.stdout.Bytes(), &report); err != nil {
		t.Fatalf("no report: %v\n%s", err, p.stdout.String())
	}
	if code != exit.Interrupted || report.Outcome != runner.OutcomeInterrupted || report.Summary.Updated != 1 || report.Summary.Skipped != 0 {
		t.Errorf("exit code %d, outcome %s, summary %+v", code, report.Outcome, report.Summary)
	}
}

// A SIGHUP that is ignored at the start, as nohup does it, stays ignored: the
// run goes through.
func TestNohup(t *testing.T) {
	signal.Ignore(syscall.SIGHUP) // children inherit that
	p := startApply(t)
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP) // signal.Reset would leave it ignored, in later children too
	check(t, p.Process.Signal(syscall.SIGHUP))
	p.release()
	if code := p.end(t); code != exit.OK {
		t.Errorf("exit code %d: %s", code, p.stdout.String())
	}
}

// The second signal exits immediately, whatever is in flight.
func TestSecondSignal(t *testing.T) {
	for second, want := range map[syscall.Signal]int{syscall.SIGINT: exit.Interrupted, syscall.SIGTERM: exit.Terminated} {
		p := startApply(t)
		p.interrupt(t, syscall.SIGINT)
		check(t, p.Process.Signal(second))
		if code := p.end(t); code != want || p.stdout.Len() > 0 {
			t.Errorf("%v: exit code %d, want %d, and printed %q", second, code, want, p.stdout.String())
		}
	}
}

// Whoever reads the output may leave before the end (| head): that ends neither
// the run nor the reports.
func TestReaderLeaves(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		check(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	report := filepath.Join(dir, "report.json")
	cmd := exec.Command("syncsources", "apply", "--sandbox", write("state.yaml", threeSources),
		"--log-level", "debug", "--report", report, write("manifest.yaml", threeManifest))
	cmd.Env = ofProcess("TMPDIR="+dir, "XDG_STATE_HOME="+dir)
	reader, writer, err := os.Pipe()
	check(t, err)
	cmd.Stdout, cmd.Stderr = writer, writer
	check(t, errors.Join(reader.Close(), cmd.Start(), writer.Close()))
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != exit.Failed {
		t.Errorf("exit code %d, want %d", code, exit.Failed)
	}
	var r runner.Report
	if data, err := os.ReadFile(report); err != nil || json.Unmarshal(data, &r) != nil || r.Summary.Updated != 3 {
		t.Errorf("%v: summary %+v of the report", err, r.Summary)
	}
}

// Someone who waits for standard input need not type anything to get away.
func TestInterruptAtStandardInput(t *testing.T) {
	input, typing := io.Pipe() // nobody types
	defer func() { _ = typing.Close() }()
	for _, command := range []string{"validate", "plan"} {
		ctx, cancel := context.WithCancelCause(t.Context())
		reading := make(chan struct{})
		var stdout, stderr bytes.Buffer
		ended := make(chan int)
		go func() {
			ended <- run(ctx, nil, notify{input, reading}, &stdout, &stderr, []string{command, "-o", "json", "-"})
		}()
		<-reading
		cancel(exit.Signal{Received: syscall.SIGTERM})
		if code := <-ended; code != exit.Terminated || !strings.Contains(stdout.String(), `"outcome": "interrupted"`) {
			t.Errorf("%s: exit code %d, standard output %q, standard error %q", command, code, stdout.String(), stderr.String())
		}
	}
}

// notify says when it is read from.
type notify struct {
	io.Reader
	reading chan<- struct{}
}

func (n notify) Read(p []byte) (int, error) {
	close(n.reading)
	return n.Reader.Read(p)
}
