package main

import (
	"os"

	"syncsources/cmd/syncsources/exit"
)

func main() {
	ctx := exit.Watch(os.Exit)
	os.Exit(run(ctx, os.Environ(), os.Stdin, os.Stdout, os.Stderr, os.Args[1:]))
}
