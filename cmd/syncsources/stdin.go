package main

import (
	"context"
	"io"
)

// interruptible is a reader that ends with the context: someone who waits for
// standard input and is interrupted must not have to type first. A read that
// is under way then is left behind.
type interruptible struct {
	ctx context.Context
	io.Reader
}

func (r interruptible) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	type read struct {
		content []byte
		err     error
	}
	done := make(chan read, 1)
	go func() {
		own := make([]byte, len(p)) // p is the caller's again once Read has returned
		n, err := r.Reader.Read(own)
		done <- read{own[:n], err}
	}()
	select {
	case got := <-done:
		return copy(p, got.content), got.err
	case <-r.ctx.Done():
		return 0, context.Cause(r.ctx)
	}
}
