// Package schedule decides when which command goes to the portal: as fast as
// the portal's limits allow, without running into them. It knows no method
// names: commands say whether they write, with which they cost alike, and what
// reading back costs.
//
// docs/pacing.md has the limits, what no client could beat, how near runs get to
// it, and the rule that weighs one request more against what it gains.
//
// The goroutine that calls Next owns all state. It goes round these steps, and
// waits at one place, for an answer or for the time at which the next request
// may go:
//
//  1. Queue what was submitted (queue.go).
//  2. Choose what goes next (choose.go): reads that somebody waits for, then
//     lazy reads that fill a request, then writes, the dearest first, then the
//     other lazy reads. Methods whose operating time is used up are left out
//     until their reset (operating.go).
//  3. Choose the size of the batch (size.go, sizing.go): no more requests than
//     there are tokens for or than are worth their price, no larger than the
//     slots have work for, no longer than a third of the portal's cut by the
//     measured cost (cost.go). Of more than a few writes the first goes alone,
//     because nobody knows yet what it costs.
//  4. Send it, if a slot is free (inflight.go), no pause is on after a
//     refusal or a lost answer (pauses.go), and the image of the portal's
//     bucket has a token (bucket.go).
//  5. Learn from the answer and hand out the replies (settle.go): refused and
//     undelivered commands are queued again, lost reads are repeated, lost
//     writes are handed to the caller, who reads back. Commands that fail with
//     whatever batch they are in are kept apart (suspicion.go).
package schedule
