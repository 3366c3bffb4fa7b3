package render

import (
	"bytes"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/cheggaaa/pb/v3"

	"syncsources/runner"
	"syncsources/runner/render/clean"
)

const (
	progressEvery = 100 * time.Millisecond // how often the line may change
	progressWidth = 100                    // the widest line, in columns
	clearLine     = "\r\x1b[K"
)

// progressLine is the layout of the line. The bar takes the room that the rest
// leaves, and is the first to go where there is too little.
const progressLine = `{{string . "phase"}} {{counters . "%s/%s"}} {{bar . "[" "=" ">" " " "]"}}{{string . "rest"}}`

// Progress shows on a terminal how far a run is: one line that is drawn over
// again, and gone when the run ends. It is for standard error, and for a
// terminal only; whether there is one is for the caller to know.
type Progress struct {
	width func() int
	stop  chan struct{}
	ended chan struct{}

	mu      sync.Mutex
	w       io.Writer
	state   runner.Progress
	updated time.Time
	began   map[runner.Phase]mark
	bar     *pb.ProgressBar
	drawn   string // what the line shows now
	partial bool   // a log line is not complete yet
	closed  bool
	broken  bool // it cannot be drawn
}

// mark is where a phase began to be watched, for its rate.
type mark struct {
	at   time.Time
	done int
}

// NewProgress begins to show progress on w. width returns how many columns the
// terminal has, and is asked each time: a window may change; nil means
// 80. Call Close at the end.
func NewProgress(w io.Writer, width func() int) *Progress {
	if width == nil {
		width = func() int { return 80 }
	}
	p := &Progress{
		w: w, width: width, stop: make(chan struct{}), ended: make(chan struct{}),
		began: map[runner.Phase]mark{}, bar: pb.ProgressBarTemplate(progressLine).New(0),
	}
	p.bar.Set(pb.Static, true).Set(pb.Color, false)
	go p.loop()
	return p
}

// Update takes note of how far the run is. It only takes note: it never
// waits for the terminal to be drawn.
func (p *Progress) Update(state runner.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state, p.updated = state, time.Now()
	if _, known := p.began[state.Phase]; !known {
		p.began[state.Phase] = mark{time.Now(), state.Done}
	}
}

// Writer returns a writer for everything else that goes to the same terminal,
// such as log lines. What is written to it does not run into the progress
// line. It can be used after Close as well.
func (p *Progress) Writer() io.Writer { return progressWriter{p} }

// Close removes the line. Nothing is drawn any more.
func (p *Progress) Close() {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return
	}
	p.closed = true
	p.mu.Unlock()
	close(p.stop)
	<-p.ended
}

func (p *Progress) loop() {
	defer close(p.ended)
	ticker := time.NewTicker(progressEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			p.draw()
		case <-p.stop:
			p.mu.Lock()
			p.clear()
			p.mu.Unlock()
			return
		}
	}
}

// draw brings the line up to date. The terminal's own errors are nobody's
// concern here, and what breaks down is the bar alone: the run continues
// without it.
func (p *Progress) draw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	defer func() {
		if reason := recover(); reason != nil {
			p.broken, p.drawn = true, ""
			_, _ = fmt.Fprintf(p.w, "%serror: internal error: no progress is shown any more: %v\n%s", clearLine, reason, debug.Stack())
		}
	}()
	if p.broken || p.closed || p.partial {
		return
	}
	line := p.line()
	if line == p.drawn {
		return
	}
	_, _ = io.WriteString(p.w, clearLine+line)
	p.drawn = line
}

func (p *Progress) clear() {
	if p.drawn != "" {
		_, _ = io.WriteString(p.w, clearLine)
		p.drawn = ""
	}
}

// line is the state in words: reading 250/1000 [==>   ] 48/s, 16s left.
func (p *Progress) line() string {
	s := p.state
	if s.Total <= 0 {
		return ""
	}
	p.bar.SetTotal(int64(s.Total)).SetCurrent(int64(s.Done))
	p.bar.Set("phase", clean.Line(string(s.Phase)))
	p.bar.Set("rest", p.rest(s))
	// Three columns stay free: a terminal shows an interrupt as ^C behind the
	// line, and may wrap after the last column.
	p.bar.SetWidth(max(1, min(p.width(), progressWidth)-3))
	return strings.TrimRight(p.bar.String(), " ")
}

// rest is what follows the bar: the rate and the time left, by the whole phase
// so far, the failures, and what the run waits for.
func (p *Progress) rest(s runner.Progress) string {
	var parts []string
	begin := p.began[s.Phase]
	spent, done := time.Since(begin.at).Seconds(), s.Done-begin.done
	if done > 0 && spent >= 1 {
		rate := float64(done) / spent
		digits := 0
		if rate < 10 {
			digits = 1
		}
		parts = append(parts, fmt.Sprintf("%.*f/s", digits, rate))
		if left := p.left(s, rate); left > 0 {
			parts = append(parts, inSeconds(left)+" left")
		}
	}
	if s.Failed > 0 {
		parts = append(parts, fmt.Sprintf("%d failed", s.Failed))
	}
	if s.Waiting != "" {
		waiting := "waiting: " + clean.Line(s.Waiting)
		if wait := time.Until(s.Until); wait > 0 {
			waiting += " (" + inSeconds(wait) + ")"
		}
		parts = append(parts, waiting)
	}
	if len(parts) == 0 {
		return ""
	}
	return " " + strings.Join(parts, ", ")
}

// left is how long the run still takes: by what the scheduler knows of the
// portal's limits ahead, else by the rate so far, which says nothing during a
// wait.
func (p *Progress) left(s runner.Progress, rate float64) time.Duration {
	if s.Left > 0 {
		return max(0, s.Left-time.Since(p.updated))
	}
	if s.Waiting != "" {
		return 0
	}
	return time.Duration(float64(s.Total-s.Done) / rate * float64(time.Second))
}

// inSeconds is a duration in whole seconds, none of it lost: 0.2 s is 1s.
func inSeconds(d time.Duration) string {
	return (d + time.Second - 1).Truncate(time.Second).String()
}

type progressWriter struct{ p *Progress }

// Write takes the line away, writes b, and draws the line again where b ends
// with a line end: all in one write, so that nothing flickers.
func (w progressWriter) Write(b []byte) (int, error) {
	p := w.p
	p.mu.Lock()
	defer p.mu.Unlock()
	before, after := "", ""
	if p.drawn != "" {
		before = clearLine
	}
	p.drawn = ""
	p.partial = !bytes.HasSuffix(b, []byte("\n"))
	if !p.partial && !p.closed && before != "" {
		after = p.line()
		p.drawn = after
	}
	n, err := p.w.Write([]byte(before + string(b) + after))
	return min(max(n-len(before), 0), len(b)), err
}
