package main

import "os"

func main() {
	boundMemory()
	ctx := watchSignals(os.Exit)
	os.Exit(run(ctx, os.Environ(), os.Stdin, os.Stdout, os.Stderr, os.Args[1:]))
}
