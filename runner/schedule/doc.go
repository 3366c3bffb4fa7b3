// Package schedule decides when which command goes to the portal: as fast as
// the portal's limits allow, without running into them.
//
// # Model
//
// The portal limits a run in three ways at once.
//
//   - Rate: a leaky bucket takes B requests (50) and flows out by R (2) in one
//     step each second. A request is a batch of up to 50 commands, or a call
//     of its own.
//   - Length: a request is cut after 60 s. The commands of a batch run one
//     after another, c seconds each; an update makes the portal call the
//     external system, which takes a second or more.
//   - Operating time: each method, or batch as a whole, may execute for L
//     (480) seconds in ten minutes.
//
// And it serves no more than some number of requests at a time; C (16) is
// what we ask of it at most.
//
// # Lower bound
//
// W updates cannot be written faster than
//
//	max( ceil((N-B)/R), W*c/C, c_max, windows )
//
// where N is the least number of requests: ceil(W/50) with updates, and for
// reading before and after ceil(ceil(W/50)/50) each; c_max is the longest
// command; and windows is ten minutes for each window but the last, plus W*c/C
// for what is left to it. A window grants L seconds, and what is let in just
// before the door closes: a command, or batch, for each slot.
//
// docs/pacing.md tells how near runs get to it.
//
// # Algorithm
//
// The goroutine that calls Next owns all state. It goes round these steps, and waits at one
// place, for an answer or for the time at which the next request may go:
//
//  1. Take in what was submitted (intake).
//  2. Choose what goes next (choose): reads that somebody waits for, then
//     lazy reads that fill a request, then updates - batches and calls of
//     their own in turn - then the other lazy reads. Methods whose operating
//     time is used up are left out until their reset (operating.go).
//  3. Choose the size of the batch (size.go): no more requests than there are
//     tokens for, no larger than the slots have work for, no longer than a
//     third of the portal's cut by the measured cost (cost.go).
//  4. Send it, if a slot is free (inflight.go), no pause is on after a
//     refusal or a lost answer (backoff.go), and the image of the portal's
//     bucket has a token (bucket.go).
//  5. Learn from the answer and hand out the replies (settle.go): refused and
//     undelivered commands go back in front of their queue, lost reads are
//     repeated, lost updates are handed to the caller, who reads back.
//
// The first request goes alone, because somebody else may have filled the
// bucket. The first update of more than four goes alone too, because nobody
// knows yet what it costs; the batches after it are kept so short that even a
// portal that served them one by one would not cut them, until it has shown
// how many it serves at a time.
package schedule
