package sandbox

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Fault makes requests go wrong. It strikes the requests of Nth, or each with
// the probability Rate, or, if neither is given, every one.
type Fault struct {
	// Kind is what happens, one of the Fault constants.
	Kind string `yaml:"kind"`
	// Rate is a probability, up to 1. Which requests it strikes follows from
	// the state's Seed.
	Rate float64 `yaml:"rate"`
	// Nth lists the requests to strike, counted from 1 among those that the
	// fault looks at.
	Nth []int `yaml:"nth"`
	// Times bounds how often the fault strikes. 0 means no bound.
	Times int `yaml:"times"`
	// Method makes the fault look only at requests for this method: "batch",
	// a single call, or "oauth/token" for the authorization server. Empty
	// means every REST request.
	Method string `yaml:"method"`
	// Ran is whether the request is executed before it goes wrong: no client
	// can tell. FaultTruncated and FaultSlow always run.
	Ran bool `yaml:"ran"`
	// Delay is how much later FaultSlow answers; 0 means 10 s.
	Delay time.Duration `yaml:"delay"`
	// Status, Code and Description are the answer of FaultError.
	Status      int    `yaml:"status"`
	Code        string `yaml:"code"`
	Description string `yaml:"description"`
}

// Kinds of faults.
const (
	FaultInternal   = "internal_error"   // 500 INTERNAL_SERVER_ERROR as JSON
	FaultUnexpected = "unexpected"       // 500 ERROR_UNEXPECTED_ANSWER as JSON
	FaultBadGateway = "bad_gateway"      // 502, an HTML page
	FaultTimeout    = "gateway_timeout"  // 504, an HTML page
	FaultQueryLimit = "query_limit"      // 503 QUERY_LIMIT_EXCEEDED; never runs
	FaultOverload   = "overload"         // 503 OVERLOAD_LIMIT; never runs
	FaultDropped    = "dropped"          // the connection closes without an answer
	FaultTruncated  = "truncated"        // the connection closes in the middle of the answer
	FaultEmpty      = "empty"            // 200 with an empty body
	FaultSlow       = "slow"             // the answer is Delay late
	FaultError      = "error"            // Status, Code and Description as JSON
	FaultConnection = "connection_error" // strikes updates and adds, in a batch or not: their connection check fails
)

var faultKinds = []string{
	FaultInternal, FaultUnexpected, FaultBadGateway, FaultTimeout, FaultQueryLimit, FaultOverload, FaultDropped,
	FaultTruncated, FaultEmpty, FaultSlow, FaultError, FaultConnection,
}

func (f *Fault) check() error {
	switch {
	case !slices.Contains(faultKinds, f.Kind):
		return fmt.Errorf("unknown kind %q of fault: %s", f.Kind, strings.Join(faultKinds, ", "))
	case f.Rate < 0 || f.Rate > 1:
		return fmt.Errorf("the rate of a fault must be a probability from 0 to 1")
	case f.Kind == FaultError && (f.Status < 200 || f.Status > 599 || f.Code == ""):
		return fmt.Errorf("a fault of kind error needs a status and a code")
	case f.Delay < 0 || f.Times < 0:
		return fmt.Errorf("delay and times of a fault must not be negative")
	}
	for _, n := range f.Nth {
		if n < 1 {
			return fmt.Errorf("nth must count requests from 1")
		}
	}
	return nil
}

// faultCount is how often a fault has looked and struck.
type faultCount struct{ seen, struck int }

// strike draws whether a request for the method goes wrong, and how. Updates
// are drawn for as commands; all else as requests.
func (p *Portal) strike(method string, command bool) *Fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	var hit *Fault
	for i := range p.cfg.Faults {
		f, c := &p.cfg.Faults[i], &p.faults[i]
		if (f.Kind == FaultConnection) != command {
			continue
		}
		if f.Method != "" && !strings.EqualFold(f.Method, method) || f.Method == "" && method == methodToken {
			continue
		}
		c.seen++
		if hit != nil || f.Times > 0 && c.struck >= f.Times {
			continue
		}
		switch {
		case slices.Contains(f.Nth, c.seen):
		case f.Rate > 0 && draw(p.cfg.Seed, uint64(i), uint64(c.seen)) < f.Rate:
		case len(f.Nth) == 0 && f.Rate == 0:
		default:
			continue
		}
		c.struck++
		p.stats.Faults[f.Kind]++
		hit = f
	}
	return hit
}

// draw is a number from [0, 1) that depends on nothing but its arguments, so
// that the fate of the n-th request does not hang on the order of others
// (splitmix64).
func draw(seed, fault, n uint64) float64 {
	mix := func(x uint64) uint64 {
		x += 0x9e3779b97f4a7c15
		x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
		x = (x ^ x>>27) * 0x94d049bb133111eb
		return x ^ x>>31
	}
	return float64(mix(mix(mix(seed)^fault)^n)>>11) / (1 << 53)
}

// answer is what a fault sends instead of the real answer.
func (f *Fault) answer(real answer) answer {
	switch f.Kind {
	case FaultInternal:
		return rootError(errInternal)
	case FaultUnexpected:
		return rootError(&apiError{status: http.StatusInternalServerError, code: "ERROR_UNEXPECTED_ANSWER", desc: "Server returned an unexpected response"})
	case FaultBadGateway:
		return gatewayPage(http.StatusBadGateway)
	case FaultTimeout:
		return gatewayPage(http.StatusGatewayTimeout)
	case FaultQueryLimit:
		return rootError(errQueryLimit)
	case FaultOverload:
		return rootError(errOverload)
	case FaultError:
		return rootError(&apiError{status: f.Status, code: f.Code, desc: f.Description})
	case FaultDropped:
		return answer{fate: dropped}
	case FaultTruncated:
		real.fate = truncated
	case FaultEmpty:
		return answer{status: http.StatusOK, contentType: contentJSON}
	}
	return real
}

// runs reports whether the request is executed although it goes wrong.
func (f *Fault) runs() bool {
	switch f.Kind {
	case FaultTruncated, FaultSlow:
		return true
	case FaultQueryLimit, FaultOverload:
		return false
	}
	return f.Ran
}
