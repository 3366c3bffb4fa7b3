package runner

import (
	"context"
	"fmt"
	"iter"
	"runtime/debug"

	"syncsources/runner/schedule"
)

// flow is one strand of a run, such as the way of one object through an apply,
// written as plain sequential code: it sends commands, gets their outcomes,
// and waits for other flows. All flows run in one goroutine, one at a time,
// from one wait to the next; so they need no locks, and their order is that
// in which they were started.
type flow struct {
	crew  *crew
	next  func() (struct{}, bool)
	yield func(struct{}) bool
}

// crew drives flows by the outcomes that the scheduler hands out.
type crew struct {
	scheduler *schedule.Scheduler
	ready     []*flow
	writing   int // writes queued or in flight
	// before is called when no flow can continue without an outcome; it may
	// submit more. May be nil.
	before func()
	// idle is called when nothing is left to wait for. It reports whether it
	// made a flow ready or submitted something. May be nil.
	idle func() bool
}

func (c *crew) start(run func(*flow)) {
	f := &flow{crew: c}
	f.next, _ = iter.Pull(func(yield func(struct{}) bool) {
		f.yield = yield
		defer func() { // or the trace of a panic would end at the caller of next
			if reason := recover(); reason != nil {
				panic(fmt.Sprintf("%v\n%s", reason, debug.Stack()))
			}
		}()
		run(f)
	})
	c.ready = append(c.ready, f)
}

// drive lets the flows continue until all have ended, or wait for something that
// idle cannot bring about. It returns what ended the run early.
func (c *crew) drive(ctx context.Context) error {
	for {
		for len(c.ready) > 0 {
			f := c.ready[0]
			c.ready = c.ready[1:]
			f.next()
		}
		if c.before != nil {
			c.before()
		}
		out, ok := c.scheduler.Next(ctx)
		if ok {
			out.Task.Owner.(func(schedule.Outcome))(out)
			continue
		}
		if c.idle == nil || !c.idle() {
			return c.scheduler.Err()
		}
	}
}

// park waits until something puts the flow among those that are ready.
func (f *flow) park() { f.yield(struct{}{}) }

func (f *flow) wake() { f.crew.ready = append(f.crew.ready, f) }

// send hands a command to the scheduler and waits for its outcome.
func (f *flow) send(t schedule.Task) schedule.Outcome { return f.sendAll([]schedule.Task{t})[0] }

// sendAll hands commands to the scheduler and waits for the outcomes of all.
func (f *flow) sendAll(tasks []schedule.Task) []schedule.Outcome {
	outcomes := make([]schedule.Outcome, len(tasks))
	left := len(tasks)
	for i, t := range tasks {
		write := t.Command.Writes()
		if write {
			f.crew.writing++
		}
		t.Owner = func(out schedule.Outcome) {
			if write {
				f.crew.writing--
			}
			outcomes[i] = out
			if left--; left == 0 {
				f.wake()
			}
		}
		f.crew.scheduler.Submit(t)
	}
	if left > 0 {
		f.park()
	}
	return outcomes
}

// waiters are flows that wait for the same event.
type waiters []*flow

// wait parks the flow until wake is called.
func (w *waiters) wait(f *flow) {
	*w = append(*w, f)
	f.park()
}

// wake lets all who wait continue, in the order in which they came. It reports
// whether there was anybody.
func (w *waiters) wake() bool {
	all := *w
	*w = nil
	for _, f := range all {
		f.wake()
	}
	return len(all) > 0
}
