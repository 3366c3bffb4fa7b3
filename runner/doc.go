// Package runner brings live sources to their declared state.
//
// A run has these steps, and the files follow them: select what is targeted
// (by the caller), read the live sources (read.go), compare (plan.go), and,
// for apply, write what differs (apply.go), read back what was written
// (verify.go), and report (report.go). Package runner/schedule decides when
// which command goes to the portal.
package runner
