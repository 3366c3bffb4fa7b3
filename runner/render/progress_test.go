package render_test

import (
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mattn/go-runewidth"

	"syncsources/runner"
	"syncsources/runner/render"
)

// terminal is as much of one as the progress line needs: it knows line ends,
// carriage returns and "clear to the end of the line". It fails the test where
// a line is too long for it, or where it gets any other escape sequence.
type terminal struct {
	t       *testing.T
	columns int

	mu    sync.Mutex
	lines []string // the last one is where the cursor is
}

var terminalToken = regexp.MustCompile(`\r|\n|\x1b\[K|[^\r\n\x1b]+|\x1b.*`)

func (s *terminal) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.lines) == 0 {
		s.lines = []string{""}
	}
	last := &s.lines[len(s.lines)-1]
	atStart := false
	for _, token := range terminalToken.FindAllString(string(b), -1) {
		switch token {
		case "\r":
			atStart = true
		case "\n":
			s.lines = append(s.lines, "")
			last = &s.lines[len(s.lines)-1]
		case "\x1b[K":
			if !atStart {
				s.t.Errorf("cleared from the middle of %q", *last)
			}
			*last = ""
		default:
			if strings.HasPrefix(token, "\x1b") || atStart && *last != "" {
				s.t.Errorf("%q is written over %q", token, *last)
			}
			*last += token
			if w := runewidth.StringWidth(*last); w > max(1, s.columns-3) && !strings.HasPrefix(*last, "log ") {
				s.t.Errorf("%d columns of %d, with no room for ^C: %q", w, s.columns, *last)
			}
		}
	}
	return len(b), nil
}

// now returns the line with the cursor.
func (s *terminal) now() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.lines) == 0 {
		return ""
	}
	return s.lines[len(s.lines)-1]
}

// A bar that breaks down costs no run: that is said once, and what else goes to
// the terminal still does.
func TestProgressThatPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		p := render.NewProgress(&out, func() int { panic("a mistake") })
		for range 3 {
			p.Update(runner.Progress{Phase: runner.PhaseReading, Total: 10})
			tick(time.Second)
		}
		_, _ = io.WriteString(p.Writer(), "log\n")
		p.Close()
		if got := out.String(); strings.Count(got, "no progress is shown any more: a mistake\n") != 1 || !strings.HasSuffix(got, "log\n") {
			t.Errorf("%q", got)
		}
	})
}

// tick lets the line be drawn again.
func tick(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		screen := &terminal{t: t, columns: 80}
		p := render.NewProgress(screen, nil)
		defer p.Close()
		tick(time.Second)
		want := func(line string) {
			t.Helper()
			tick(200 * time.Millisecond)
			if got := screen.now(); got != line {
				t.Errorf("got  %q\nwant %q", got, line)
			}
		}
		want("") // nothing to show yet

		p.Update(runner.Progress{Phase: runner.PhaseReading, Total: 10_000})
		want("reading 0/10000 [                                                           ]")
		tick(3800 * time.Millisecond)
		p.Update(runner.Progress{Phase: runner.PhaseReading, Done: 2_500, Total: 10_000})
		want("reading 2500/10000 [=========>                              ] 595/s, 13s left")
		tick(800 * time.Millisecond)
		p.Update(runner.Progress{Phase: runner.PhaseReading, Done: 10_000, Total: 10_000})
		want("reading 10000/10000 [===============================================>] 1923/s")

		p.Update(runner.Progress{Phase: runner.PhaseWriting, Total: 120})
		tick(9800 * time.Millisecond)
		p.Update(runner.Progress{Phase: runner.PhaseWriting, Done: 40, Total: 120, Failed: 2})
		want("writing 40/120 [===========>                      ] 4.0/s, 20s left, 2 failed")
		p.Update(runner.Progress{Phase: runner.PhaseWriting, Done: 40, Total: 120, Failed: 2,
			Waiting: "the operating limit", Until: time.Now().Add(90200 * time.Millisecond)})
		want("writing 40/120 [=>    ] 3.9/s, 2 failed, waiting: the operating limit (1m30s)")
		tick(30 * time.Second)
		want("writing 40/120 [==>    ] 1.0/s, 2 failed, waiting: the operating limit (1m0s)")

		// What the scheduler knows of the limits ahead counts for more than the rate.
		p.Update(runner.Progress{Phase: runner.PhaseWriting, Done: 60, Total: 120, Failed: 2, Left: 9 * time.Minute})
		tick(59800 * time.Millisecond)
		want("writing 60/120 [================>                ] 0.6/s, 8m0s left, 2 failed")

		// Writing and verifying take turns, and each keeps its rate.
		p.Update(runner.Progress{Phase: runner.PhaseVerifying, Done: 10, Total: 118, Failed: 2})
		tick(5 * time.Second)
		p.Update(runner.Progress{Phase: runner.PhaseWriting, Done: 120, Total: 120, Failed: 2})
		want("writing 120/120 [==========================================>] 1.1/s, 2 failed")

		p.Close()
		p.Close()
		p.Update(runner.Progress{Phase: runner.PhaseVerifying, Done: 11, Total: 118})
		want("")
		fmt.Fprintln(p.Writer(), "log line after it")
		want("")
		if got := screen.lines[len(screen.lines)-2]; got != "log line after it" {
			t.Errorf("got %q", got)
		}
	})
}

// Log lines come out whole and in order, and the progress line stays below.
func TestProgressLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		screen := &terminal{t: t, columns: 80}
		p := render.NewProgress(screen, nil)
		logger := slog.New(slog.NewTextHandler(p.Writer(), &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}}))
		var all sync.WaitGroup
		for w := range 4 {
			all.Go(func() {
				for i := range 50 {
					p.Update(runner.Progress{Phase: runner.PhaseReading, Done: w*50 + i, Total: 200})
					logger.Info("x", "w", w, "i", i)
					time.Sleep(time.Duration(30+w) * time.Millisecond)
				}
			})
		}
		all.Wait()
		if !strings.HasPrefix(screen.now(), "reading ") {
			t.Errorf("the last line is %q", screen.now())
		}
		// A line that is written in parts is not run into either.
		io.WriteString(p.Writer(), "log first")
		tick(time.Second)
		io.WriteString(p.Writer(), ", second\n")
		p.Close()
		next := [4]int{}
		for _, line := range screen.lines[:200] {
			var w, i int
			if _, err := fmt.Sscanf(line, "level=INFO msg=x w=%d i=%d", &w, &i); err != nil || next[w] != i {
				t.Errorf("%q: %v, want i=%d", line, err, next[w])
			}
			next[w]++
		}
		if rest := screen.lines[200:]; len(rest) != 2 || rest[0] != "log first, second" || rest[1] != "" {
			t.Errorf("at the end: %q", rest)
		}
	})
}

// Narrow windows get a shorter line, not a longer one, whatever is in it.
func TestProgressNarrow(t *testing.T) {
	for _, s := range append(hostile, "", "販売販売販売販売販売販売") {
		synctest.Test(t, func(t *testing.T) {
			screen := &terminal{t: t}
			p := render.NewProgress(screen, func() int {
				screen.mu.Lock()
				defer screen.mu.Unlock()
				return screen.columns
			})
			defer p.Close()
			for _, columns := range []int{200, 80, 40, 20, 10, 5, 2} {
				screen.mu.Lock()
				screen.columns = columns
				screen.mu.Unlock()
				p.Update(runner.Progress{Phase: runner.PhaseWriting, Done: 1234, Total: 10_000, Failed: 5, Waiting: s, Until: time.Now().Add(time.Hour)})
				tick(time.Second)
				if got := screen.now(); got == "" || columns > 20 && !strings.HasPrefix(got, "writing 1234/10000") {
					t.Errorf("%d columns: %q", columns, got)
				}
			}
		})
	}
}
