package runner

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"syncsources/bitrix"
	"syncsources/bitrix/rest"
	"syncsources/runner/schedule"
)

// reading gathers the live sources. Its methods run in the scheduler's
// goroutine, one at a time.
type reading struct {
	*run
	live  Live
	paged map[int64]bool // seen on pages of all sources
	// repeats is set where full pages showed nothing new.
	repeats bool
	err     error // of a page
}

// maxPaged is how many sources are read page by page. No portal has so many;
// one that goes on without end would fill the memory.
const maxPaged = 200_000

// read reads the declared sources, fifty to a list command, and the
// connectors in the same request. An error means that the run has to stop.
func (r *run) read(ctx context.Context) (Live, error) {
	sources := r.options.Sources
	rd := &reading{run: r, paged: make(map[int64]bool), live: Live{
		Sources:    make(map[int64]bitrix.Source, len(sources)),
		Connectors: make(map[int64]bitrix.Connector),
		Errors:     make(map[int64]error),
	}}
	r.progress = Progress{Phase: PhaseReading, Total: len(sources)}
	r.show()
	settings := false
	for i := range sources {
		settings = settings || len(sources[i].Settings) > 0
	}
	if settings {
		rd.connectors(1)
	}
	for start := 0; start < len(sources); start += bitrix.PageSize {
		ids := make([]int64, 0, bitrix.PageSize)
		for i := start; i < min(start+bitrix.PageSize, len(sources)); i++ {
			ids = append(ids, sources[i].ID)
		}
		rd.sources(ids)
	}
	if r.options.ShowUnmanaged {
		rd.pages(1, 1)
	}
	err := rd.consume(ctx)
	if err == nil {
		err = rd.err
	}
	return rd.live, err
}

// sources reads sources by id.
func (rd *reading) sources(ids []int64) {
	rd.scheduler.Submit(schedule.Task{Command: bitrix.SourcesByID(ids), Owner: func(res schedule.Outcome) {
		found, missing := answerFor(ids, res)
		for id, err := range missing {
			if err != nil {
				rd.live.Errors[id] = err
			}
		}
		rd.keep(found)
		rd.progress.Done += len(ids)
		rd.show()
	}})
}

// answerFor sorts the answer to a list of sources by id: those that it shows,
// and those that it does not, with the reason where there is one other than
// that they do not exist. What nobody asked for is left out: a portal that
// lists it has not looked at the ids, and then a missing one may exist.
func answerFor(ids []int64, res schedule.Outcome) (found []bitrix.Source, missing map[int64]error) {
	list, err := sourcesOf(res)
	missing = make(map[int64]error)
	for _, id := range ids {
		missing[id] = err
	}
	if err == nil {
		err = list.Broken[0] // one of the missing, and nobody knows which
	}
	for _, s := range list.Items {
		if _, asked := missing[s.ID]; asked {
			found = append(found, s)
			delete(missing, s.ID)
		} else if err == nil {
			err = &rest.Error{Code: rest.BadAnswer, Method: bitrix.MethodSourceList,
				Message: "the portal answered with other sources than those asked for"}
		}
	}
	for id := range missing {
		missing[id] = cmp.Or(list.Broken[id], err)
	}
	return found, missing
}

// keep adds sources to what is live. The first answer about a source counts:
// a portal that lists one twice must not change what was seen.
func (rd *reading) keep(found []bitrix.Source) {
	for _, s := range found {
		if _, ok := rd.live.Sources[s.ID]; !ok {
			rd.live.Sources[s.ID] = s
		}
	}
}

// connectors reads pages of connectors from page n on. Connectors are a help:
// where they cannot be read, an unknown setting is found by reading back.
func (rd *reading) connectors(n int) {
	rd.scheduler.Submit(schedule.Task{Command: bitrix.ConnectorsPage(n), Optional: true, Owner: func(res schedule.Outcome) {
		found, err := bitrix.List[bitrix.Connector]{}, res.Reply.Err
		if err == nil && !res.Skipped {
			found, err = bitrix.DecodeConnectors(res.Reply.Result)
		}
		if err != nil {
			rd.logger.Info("connectors cannot be read; settings are not checked against them", "reason", err.Error())
			return
		}
		fresh := 0
		for _, c := range found.Items {
			if _, ok := rd.live.Connectors[c.ID]; !ok {
				rd.live.Connectors[c.ID] = c
				fresh++
			}
		}
		if found.Count >= bitrix.PageSize && fresh > 0 {
			rd.connectors(n + 1)
		}
	}})
}

// pages reads n pages of all sources from page first on, and more behind them
// until one is not full. Pages that show nothing new end it as well: a portal
// may never send a short one.
func (rd *reading) pages(first, n int) {
	left, fresh, more := n, 0, true
	for page := first; page < first+n; page++ {
		rd.scheduler.Submit(schedule.Task{Command: bitrix.SourcesPage(page), Owner: func(res schedule.Outcome) {
			list, err := sourcesOf(res)
			if err != nil {
				rd.err = cmp.Or(rd.err, err)
			}
			for id, err := range list.Broken {
				rd.live.Errors[id] = cmp.Or(rd.live.Errors[id], err)
				rd.logger.Warn("a source cannot be read", "id", id, "reason", err.Error())
			}
			for _, s := range list.Items {
				if !rd.paged[s.ID] {
					rd.paged[s.ID] = true
					fresh++
				}
			}
			rd.keep(list.Items)
			more = more && list.Count >= bitrix.PageSize
			switch left--; {
			case left > 0 || !more:
			case len(rd.paged) >= maxPaged:
				rd.err = cmp.Or[error](rd.err, &rest.Error{Code: rest.BadAnswer, Method: bitrix.MethodSourceList,
					Message: fmt.Sprintf("the portal's pages of sources do not end: it has shown %d", len(rd.paged))})
			case fresh > 0:
				rd.pages(first+n, min(2*n, bitrix.MaxBatch))
			default:
				rd.repeats = true
			}
		}})
	}
}

// sourcesOf decodes the result of a list of sources.
func sourcesOf(res schedule.Outcome) (bitrix.List[bitrix.Source], error) {
	if res.Reply.Err != nil {
		return bitrix.List[bitrix.Source]{}, res.Reply.Err
	}
	return bitrix.DecodeSources(res.Reply.Result)
}

// unmanaged lists the live sources that no manifest declares, by id.
func unmanaged(live Live, o Options) []Unmanaged {
	if !o.ShowUnmanaged {
		return nil
	}
	var list []Unmanaged
	for id, s := range live.Sources {
		if !o.Managed[id] {
			list = append(list, Unmanaged{Kind: KindSource, ID: id, Title: s.Title, ConnectorID: s.ConnectorID})
		}
	}
	for id := range live.Errors {
		if _, ok := live.Sources[id]; id > 0 && !ok && !o.Managed[id] {
			list = append(list, Unmanaged{Kind: KindSource, ID: id}) // it is there, but what it is cannot be read
		}
	}
	slices.SortFunc(list, func(a, b Unmanaged) int { return cmp.Compare(a.ID, b.ID) })
	return list
}
