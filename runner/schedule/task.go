package schedule

import (
	"context"
	"log/slog"
	"time"

	"syncsources/bitrix"
)

// Config holds the limits of the portal and of the caller. The zero value
// holds those of the cloud.
type Config struct {
	// Rate is how many requests the portal's bucket lets flow out a second; 0
	// means 2 (Enterprise: 5). It is kept between one in a million seconds and
	// a million a second.
	Rate float64
	// Burst is how many requests the portal takes at once; 0 means 50
	// (Enterprise: 250), and more than 1e9 means 1e9.
	Burst int
	// Concurrency is the maximum number of requests in flight; more than 10,000 means
	// 10,000. 0 means as many as the portal shows to serve, beginning with 16,
	// 50 at most.
	Concurrency int
	// BatchSize is the maximum number of commands of a batch; 0 means 50, which is also
	// the portal's own limit.
	BatchSize int
	// RequestTime is where the portal cuts a request; 0 means 60 s.
	RequestTime time.Duration
	// OperatingLimit is the execution time that the portal grants a method
	// in ten minutes; 0 means 480 s, a negative one none.
	OperatingLimit time.Duration
	// Logger gets the waits; nil logs nothing.
	Logger *slog.Logger
	// OnWait is called when a wait longer than a second begins, and, with the
	// zero Wait, that it is over. It is called from within Next.
	OnWait func(Wait)
	// Seed makes the jitter repeatable; 0 means a random one.
	Seed uint64
}

// Wait is time in which nothing is in flight although there is work.
type Wait struct {
	Reason string // one of the Wait constants; empty: the wait is over
	Until  time.Time
}

// What a run waits for, in words for a person.
const (
	WaitRate      = "the portal's rate limit"
	WaitOperating = "the portal's operating limit"
	WaitAnswer    = "the portal to answer again"
	WaitRetry     = "the next retry"
)

func (c Config) withDefaults() Config {
	if c.Rate <= 0 {
		c.Rate = 2
	}
	c.Rate = min(max(c.Rate, 1e-6), 1e6)
	if c.Burst <= 0 {
		c.Burst = 50
	}
	c.Burst = min(c.Burst, 1e9)
	c.Concurrency = min(max(c.Concurrency, 0), 10000)
	if c.BatchSize <= 0 || c.BatchSize > bitrix.MaxBatch {
		c.BatchSize = bitrix.MaxBatch
	}
	if c.RequestTime <= 0 {
		c.RequestTime = time.Minute
	}
	if c.OperatingLimit == 0 {
		c.OperatingLimit = 480 * time.Second
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// cut is how many seconds a request may take at most: not quite as long as the
// portal lets it.
func (c Config) cut() float64 { return 0.9 * c.RequestTime.Seconds() }

// planned is how many seconds a batch may be planned to take: a third of the
// portal's cut.
func (c Config) planned() float64 { return c.RequestTime.Seconds() / 3 }

// Sender sends one request: a batch of commands, or, with alone, the single
// command as a call of its own. The commands all read or all write. Response
// and error are as those of the bitrix clients.
type Sender interface {
	Send(ctx context.Context, commands []bitrix.Command, alone bool) (*bitrix.Response, error)
}

// Task is one command to be sent.
type Task struct {
	Command bitrix.Command
	// Lazy marks a read that nobody waits for, such as the verification of an
	// update: it is held back until a request is filled, or rides along in
	// one that has room, or goes when there is nothing else left to send.
	Lazy bool
	// Again marks a command that an earlier task has sent: it counts as a retry.
	Again bool
	// Lost is how many answers to this command earlier tasks have lost. Reads
	// are repeated by the scheduler, which counts for itself; a write that was
	// lost comes out, and the caller submits it again. From the second loss on
	// the command is kept away from others: it may be what the answers are
	// lost by.
	Lost int
	// Once marks a command that must not run twice. Where a page of a server in
	// front of the portal refuses its request, it comes out and counts as sent:
	// such servers look at answers too, and then the portal has run it.
	Once bool
	// NotBefore holds the task back until then; zero: at once.
	NotBefore time.Time
	// Optional marks a command whose failure is its own even where the error
	// would otherwise stop the run, such as a method that not every portal
	// has.
	Optional bool
	// Owner is whatever the caller wants to find in the Outcome.
	Owner any
}

// Outcome is what became of a task. Each task has exactly one.
type Outcome struct {
	Task Task
	// Reply is the portal's answer. Its Err is nil or an *bitrix.Error.
	// Throttled, held and undelivered commands are sent again and come out
	// only where that was in vain for too long, or the run ends before.
	Reply bitrix.Reply
	// Sent is how often the command was sent and may have run. It is 0 with an
	// error that refused the whole request, or where none got through.
	Sent int
	// Skipped is set where the run ended before the command's turn: it
	// certainly did not run. Reply is empty then.
	Skipped bool
	// LastSent is when the request that Sent counted last left us; zero where
	// Sent is 0. The portal may continue with it for as long as it lets a request
	// take.
	LastSent time.Time
}

// Stats is what a run has cost so far.
type Stats struct {
	Retries int // commands that were sent again
	Held    int // commands and batches refused for want of operating time
	Cut     int // requests that ran into the portal's time limit
	// Waited is the time in which nothing was in flight although there was
	// work.
	Waited time.Duration
}

// item is a task on its way.
type item struct {
	Task
	class    string // of commands that are measured together
	alone    bool
	suspect  suspicion
	lost     int // answers
	sent     int // times it may have run
	lastSent time.Time
	planned  float64 // seconds, while it is in flight
}

func newItem(t Task, class string) *item {
	batchable, _ := t.Command.Batchable()
	return &item{Task: t, class: class, alone: !batchable, lost: t.Lost, suspect: suspicionOf(t.Lost)}
}

// mayHaveRun counts a request that held the item.
func (it *item) mayHaveRun(sent time.Time) {
	it.sent++
	it.lastSent = sent
}

func (it *item) kind() kind {
	c := it.Command
	return kind{c.Method(), it.class, c.Writes(), it.alone, it.Lazy && !c.Writes(), it.suspect}
}
