package runner_test

import (
	"fmt"
	"math/rand/v2"
	"time"

	"syncsources/bitrix/sandbox"
	"syncsources/manifest"
	"syncsources/runner"
	"syncsources/runner/schedule"
)

// world is what a seed makes: a portal, what goes wrong on it, the manifest,
// and how the first run is called and ended.
type world struct {
	state   sandbox.State
	desired []manifest.Source
	options runner.Options
	webhook bool
	renewed bool          // the access token is one that expires
	end     time.Duration // after which the first run is ended; 0: never
	signal  bool          // by a signal, not by the time limit
}

func newWorld(seed uint64) *world {
	r := rand.New(rand.NewPCG(seed, 2))
	w := &world{webhook: r.IntN(5) == 0}
	w.state = soakPortal(r)
	w.state.Webhooks = w.webhook
	w.state.Seed = seed
	w.state.Faults = soakFaults(r)
	if w.renewed = !w.webhook && r.IntN(3) == 0; w.renewed {
		w.state.TokenLifetime = one(r, 2*time.Second, 20*time.Second, 5*time.Minute)
		if r.IntN(4) == 0 {
			w.state.Faults = append(w.state.Faults, sandbox.Fault{Method: "oauth/token", Rate: 0.2, Ran: r.IntN(3) == 0,
				Kind: one(r, sandbox.FaultInternal, sandbox.FaultBadGateway, sandbox.FaultDropped, sandbox.FaultTruncated, sandbox.FaultSlow)})
		}
	}
	for _, s := range w.state.Sources {
		if r.IntN(5) > 0 {
			w.desired = append(w.desired, randomSource(r, s.ID, w.state.Connectors[s.ConnectorID-1].Settings))
		}
	}
	for range r.IntN(3) {
		w.desired = append(w.desired, randomSource(r, int64(5000+len(w.desired)), nil)) // nowhere
	}
	r.Shuffle(len(w.desired), func(i, j int) { w.desired[i], w.desired[j] = w.desired[j], w.desired[i] })
	w.options = runner.Options{
		Set:      declares(w.desired...),
		NoVerify: r.IntN(12) == 0,
		FailFast: r.IntN(12) == 0,
		Schedule: schedule.Config{Seed: seed + 1, Concurrency: one(r, 0, 0, 1, 4), BatchSize: one(r, 0, 0, 0, 1, 7)},
	}
	w.options.Schedule.Rate, w.options.Schedule.Burst = float64(w.state.Limits.Rate), w.state.Limits.Burst
	w.options.Schedule.RequestTime = w.state.RequestTime
	if limit := w.state.OperatingLimit; limit > 0 && r.IntN(2) == 0 {
		w.options.Schedule.OperatingLimit = limit
	}
	if r.IntN(4) == 0 {
		w.options.ShowUnmanaged = true
	}
	if r.IntN(3) == 0 {
		w.end, w.signal = 50*time.Millisecond<<r.IntN(13)+time.Duration(r.IntN(1e9)), r.IntN(2) == 0
	}
	return w
}

func one[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

// soakPortal makes a portal of any size, pace and mood.
func soakPortal(r *rand.Rand) sandbox.State {
	s := sandbox.State{
		Switches:    sandbox.Switches{HonourActive: r.IntN(2) == 0, OperatingBilled: one(r, sandbox.BilledNested, sandbox.BilledBatch)},
		Latency:     one(r, 0, 20*time.Millisecond, 300*time.Millisecond),
		UpdateCost:  one(r, 0, 10*time.Millisecond, 300*time.Millisecond, 1350*time.Millisecond, 4*time.Second),
		ReadCost:    one(r, 0, 5*time.Millisecond, 200*time.Millisecond),
		RequestTime: one(r, 0, 0, 0, 20*time.Second),
		Workers:     one(r, 0, 0, 1, 3, 8),
		Limits: sandbox.Limits{
			Rate: one(r, 0, 0, 5, 1), Burst: one(r, 0, 0, 250, 6), Level: one(r, 0, 0, 3, 40, 60),
			Phase: time.Duration(r.IntN(1e9)),
		},
		OperatingLimit: one(r, 0, 0, 480*time.Second, 60*time.Second),
	}
	if r.IntN(3) == 0 { // a heavy tail
		tail := rand.New(rand.NewPCG(r.Uint64(), 3)).Uint64()
		usual := s.UpdateCost
		long := min(15*usual+100*time.Millisecond, 16*time.Second) // below the cut, or it could never be done
		s.CostOf = func(id int64) time.Duration {
			if (uint64(id)*0x9e3779b97f4a7c15^tail)>>58 == 0 {
				return long
			}
			return usual
		}
	}
	s.Connectors = []sandbox.Connector{{ID: 1, Title: "SQL", Settings: []sandbox.SettingType{
		{Code: "host"}, {Code: "login"}, {Code: "password"}, {Code: "a[b]"}, {Code: "7"}, {Code: "$result[x]"}, {Code: "port", Type: "INT"}}}}
	for id := range int64(one(r, 0, 0, 60)) {
		s.Connectors = append(s.Connectors, sandbox.Connector{ID: id + 2, Title: "API", Settings: []sandbox.SettingType{{Code: "host"}, {Code: "token"}}})
	}
	ours := s.Connectors[len(s.Connectors)-1].ID
	foreign := ours + 1 // another application's connector
	s.Connectors = append(s.Connectors, sandbox.Connector{ID: foreign, Title: "Theirs", Owner: "another application", Settings: s.Connectors[0].Settings})
	n := one(r, r.IntN(4), r.IntN(60), r.IntN(60), r.IntN(300), r.IntN(300), 200+r.IntN(900))
	for id := range int64(n) {
		src := sandbox.Source{ID: id + 1, Title: title(r), ConnectorID: one(r, 1, ours), Active: ptr(r.IntN(2) == 0)}
		if r.IntN(20) == 0 {
			src.Title = one(r, "", "0")
		}
		if r.IntN(2) == 0 {
			src.Description = ptr(pick(r))
		}
		if r.IntN(4) > 0 {
			src.Settings = map[string]string{"host": one(r, "h", "db.internal")}
		}
		if r.IntN(20) == 0 {
			src.ConnectorID = foreign
		}
		src.Check = one(r, sandbox.CheckOK, sandbox.CheckOK, sandbox.CheckOK, sandbox.CheckOK, sandbox.CheckOK, sandbox.CheckOK,
			sandbox.CheckOK, sandbox.CheckOK, sandbox.CheckFailOnce, one(r, sandbox.CheckOK, sandbox.CheckFail))
		s.Sources = append(s.Sources, src)
	}
	return s
}

// soakFaults draws what goes wrong, up to one request in five.
func soakFaults(r *rand.Rand) []sandbox.Fault {
	kinds := []string{sandbox.FaultInternal, sandbox.FaultUnexpected, sandbox.FaultBadGateway, sandbox.FaultTimeout, sandbox.FaultQueryLimit,
		sandbox.FaultDropped, sandbox.FaultTruncated, sandbox.FaultEmpty, sandbox.FaultSlow, sandbox.FaultConnection}
	var faults []sandbox.Fault
	left := one(r, 0, 0.02, 0.1, 0.2)
	for left > 0.001 {
		f := sandbox.Fault{Kind: one(r, kinds...), Rate: left * (0.3 + 0.7*r.Float64()), Ran: r.IntN(2) == 0}
		f.Delay = one(r, 300*time.Millisecond, 10*time.Second, 90*time.Second) // beyond what we wait for
		f.Method = one(r, "", "", "batch")
		left -= f.Rate
		faults = append(faults, f)
	}
	switch nth := []int{1 + r.IntN(30)}; r.IntN(24) {
	case 0:
		faults = append(faults, sandbox.Fault{Kind: sandbox.FaultOverload, Nth: nth})
	case 1:
		faults = append(faults, sandbox.Fault{Kind: sandbox.FaultError, Nth: nth, Status: 401, Code: "NO_AUTH_FOUND", Description: "Wrong authorization data"})
	case 2:
		faults = append(faults, sandbox.Fault{Kind: sandbox.FaultError, Nth: nth, Status: 400, Code: "SOMETHING_NEW", Description: "\x1b[31mwhat?"})
	case 3:
		faults = append(faults, sandbox.Fault{Kind: sandbox.FaultError, Nth: nth, Status: 500, Code: "SOMETHING_NEW", Ran: true})
	}
	return faults
}

// randomSource declares a source with whatever batches, trimming and PHP find
// hard.
func randomSource(r *rand.Rand, id int64, settings []sandbox.SettingType) manifest.Source {
	s := manifest.Source{Object: manifest.Object{ID: id, Name: fmt.Sprint("#", id), Position: manifest.Position{File: "soak.yaml", Line: int(id)}}}
	if r.IntN(2) == 0 {
		s.Title = ptr(title(r))
	}
	if r.IntN(3) == 0 {
		s.Description = ptr(pick(r))
	}
	if r.IntN(6) == 0 {
		s.Active = ptr(r.IntN(2) == 0)
	}
	for _, st := range append(settings, sandbox.SettingType{Code: "unknown"}) {
		value := pick(r)
		switch {
		case st.Type == "INT" && r.IntN(10) > 0:
			value = fmt.Sprint(r.IntN(65536))
		case st.Code == "unknown" && r.IntN(10) > 0:
			continue
		}
		if r.IntN(4) == 0 {
			s.Settings = append(s.Settings, manifest.Setting{Code: st.Code, Value: manifest.Literal(value), Reveal: r.IntN(3) == 0})
		}
	}
	if s.Title == nil && s.Description == nil && s.Active == nil && s.Settings == nil {
		s.Description = ptr(fmt.Sprint("source ", id))
	}
	return s
}
