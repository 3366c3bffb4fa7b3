package schedule

import "time"

// Stats is what a run has cost so far.
type Stats struct {
	Requests int // sent, refused ones included
	Refused  int // requests the portal refused because they came too fast
	Held     int // commands and batches it refused for want of operating time
	Cut      int // requests that ran into the portal's time limit
	Lost     int // requests whose answer was lost, cut ones included
	Retries  int // commands that were sent again
	// Waited is the time in which nothing was in flight although there was
	// work.
	Waited time.Duration
	// Slots is the present number of requests that may be in flight.
	Slots int
}
