package render

import "syncsources/runner"

// timelineLimit is how many requests the timeline of a report has at most.
const timelineLimit = 2_000

// thin returns at most n requests of a timeline, in its order. What the portal
// did not simply answer is kept before the rest, of which an even share
// remains.
func thin(all []runner.Exchange, n int) []runner.Exchange {
	if len(all) <= n {
		return all
	}
	rare := 0
	for _, e := range all {
		if e.Result != answered {
			rare++
		}
	}
	keepRare := min(rare, n)
	keepPlain := min(len(all)-rare, n-keepRare)
	out := make([]runner.Exchange, 0, n)
	seenRare, seenPlain := 0, 0
	for _, e := range all {
		if e.Result != answered {
			if share(seenRare, rare, keepRare) {
				out = append(out, e)
			}
			seenRare++
			continue
		}
		if share(seenPlain, len(all)-rare, keepPlain) {
			out = append(out, e)
		}
		seenPlain++
	}
	return out
}

// answered is the result of a request that the portal carried out.
const answered = "ok"

// share reports whether the i-th of all items is among n evenly spread ones.
func share(i, all, n int) bool { return (i+1)*n/all > i*n/all }
