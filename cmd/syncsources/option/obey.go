package option

import "context"

// Obey calls f, which reads what the command line or the environment names,
// and returns early, with the cause, when ctx ends: a named pipe that nobody
// writes to and a terminal at which nobody types keep a read waiting for ever.
// What f does is left behind then; the process ends soon after. A panic of f is
// the caller's.
func Obey[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type end struct {
		result   T
		err      error
		panicked any
	}
	done := make(chan end, 1)
	go func() {
		var e end
		defer func() {
			e.panicked = recover()
			done <- e
		}()
		e.result, e.err = f()
	}()
	select {
	case e := <-done:
		if e.panicked != nil {
			panic(e.panicked)
		}
		return e.result, e.err
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	}
}
