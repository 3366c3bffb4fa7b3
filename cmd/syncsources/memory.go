package main

import "runtime/debug"

// The nodes of large manifests are most of what ever lives, and only for a
// moment: from largeManifests bytes on the heap grows by a third between
// collections instead of doubling.
const (
	largeManifests = 8 << 20
	gcPercent      = 30
)

// boundMemory sets the collector of the process for manifests of that many
// bytes, unless the user has set it.
func (a *app) boundMemory(bytes int) {
	if _, set := a.env.Lookup("GOGC"); bytes > largeManifests && !set {
		debug.SetGCPercent(gcPercent)
	}
}
