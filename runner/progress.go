package runner

import "time"

// Phase is a part of a run, as progress shows it.
type Phase string

// The phases of a run. Verifying may overlap with writing.
const (
	PhaseReading   Phase = "reading"
	PhaseWriting   Phase = "writing"
	PhaseVerifying Phase = "verifying"
)

// Progress is how far a run is. It is handed out as a value each time
// something changed.
type Progress struct {
	Phase Phase
	Done  int // objects that are through this phase
	Total int // objects that must go through it
	// Failed counts the objects that have failed so far.
	Failed int
	// Waiting says for what the run waits, in words for a person ("the
	// portal's operating limit"); empty while it does not.
	Waiting string
	// Until is when the wait is expected to end.
	Until time.Time
	// Left is how long the rest of the run takes at least, the portal's limits
	// ahead included; zero where that is not known.
	Left time.Duration
}
