package main

import (
	"context"
	"os"
)

func main() {
	boundMemory()
	ctx, stop := watchSignals(context.Background(), os.Exit)
	code := run(ctx, os.Environ(), os.Stdin, os.Stdout, os.Stderr, os.Args[1:])
	stop()
	os.Exit(code)
}
