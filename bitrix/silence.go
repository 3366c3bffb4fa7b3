package bitrix

import (
	"context"
	"errors"
	"net/http/httptrace"
	"sync"
	"time"
)

// patience is how long a portal is waited for that has sent nothing yet. Its
// first answers come from lists, which take a second or two: the time that it
// may take for a batch of writes is no reason to wait for one that is away.
const patience = 20 * time.Second

// errSilent ends a request to such a portal.
var errSilent error = silent{}

type silent struct{}

func (silent) Error() string { return "nothing has come back" }
func (silent) Timeout() bool { return true }

// silence is the time until the first byte of the first answer.
type silence struct {
	mu    sync.Mutex
	since time.Time // when the first request went out
	heard bool
}

// bound ends a request with errSilent when the portal has sent nothing for the
// time of patience since the first request. done frees what that takes.
func (s *silence) bound(ctx context.Context) (bound context.Context, done func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.heard {
		return ctx, func() {}
	}
	if time.Since(s.since) >= patience {
		s.since = time.Now()
	}
	ctx, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(patience-time.Since(s.since), func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if !s.heard {
			cancel(errSilent)
		}
	})
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotFirstResponseByte: s.broken}),
		func() { timer.Stop(); cancel(nil) }
}

// broken notes that something has come from the portal.
func (s *silence) broken() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard = true
}

// explain returns the reason why a request ended that bound has ended.
func (s *silence) explain(ctx context.Context, err error) error {
	if err != nil && errors.Is(context.Cause(ctx), errSilent) && !errors.Is(err, errSilent) {
		return errSilent
	}
	return err
}
