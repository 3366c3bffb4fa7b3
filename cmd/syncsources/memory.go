package main

import "runtime/debug"

// gcPercent lets the heap grow by a fifth between collections. The nodes of a
// large manifest are most of what ever lives, and only for a moment: the
// default would double them. Validating 10,000 sources takes 0.48 s and 88 MiB
// instead of 0.35 s and 135 MiB; 100,000 take 5.5 s and 750 MiB instead of
// 3.6 s and 1,370 MiB.
const gcPercent = 20

// boundMemory sets the collector of the process, unless GOGC has.
func boundMemory() {
	const standard = 100
	if was := debug.SetGCPercent(gcPercent); was != standard {
		debug.SetGCPercent(was)
	}
}
