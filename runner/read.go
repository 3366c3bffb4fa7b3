package runner

import (
	"cmp"
	"context"
	"slices"

	"syncsources/bitrix"
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
	err := rd.scheduler.Run(ctx)
	if err == nil {
		err = rd.err
	}
	return rd.live, err
}

// sources reads sources by id.
func (rd *reading) sources(ids []int64) {
	rd.scheduler.Submit(schedule.Task{Command: bitrix.SourcesByID(ids), Done: func(res schedule.Result) {
		found, err := sourcesOf(res)
		if err != nil {
			for _, id := range ids {
				rd.live.Errors[id] = err
			}
		}
		rd.keep(found)
		rd.progress.Done += len(ids)
		rd.show()
	}})
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
	rd.scheduler.Submit(schedule.Task{Command: bitrix.ConnectorsPage(n), Optional: true, Done: func(res schedule.Result) {
		found, err := []bitrix.Connector(nil), res.Reply.Err
		if err == nil && !res.Skipped {
			found, err = bitrix.DecodeConnectors(res.Reply.Result)
		}
		if err != nil {
			rd.logger.Info("connectors cannot be read; settings are not checked against them", "reason", err.Error())
			return
		}
		fresh := 0
		for _, c := range found {
			if _, ok := rd.live.Connectors[c.ID]; !ok {
				rd.live.Connectors[c.ID] = c
				fresh++
			}
		}
		if len(found) >= bitrix.PageSize && fresh > 0 {
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
		rd.scheduler.Submit(schedule.Task{Command: bitrix.SourcesPage(page), Done: func(res schedule.Result) {
			found, err := sourcesOf(res)
			if err != nil {
				rd.err = cmp.Or(rd.err, err)
			}
			for _, s := range found {
				if !rd.paged[s.ID] {
					rd.paged[s.ID] = true
					fresh++
				}
			}
			rd.keep(found)
			more = more && len(found) >= bitrix.PageSize
			switch left--; {
			case left > 0 || !more:
			case fresh > 0:
				rd.pages(first+n, min(2*n, bitrix.MaxBatch))
			default:
				rd.repeats = true
			}
		}})
	}
}

// sourcesOf decodes the result of a list of sources.
func sourcesOf(res schedule.Result) ([]bitrix.Source, error) {
	switch {
	case res.Skipped:
		return nil, &Failure{Code: CodeInterrupted, Message: "not read"}
	case res.Reply.Err != nil:
		return nil, res.Reply.Err
	}
	return bitrix.DecodeSources(res.Reply.Result)
}

// unmanaged lists the live sources that no manifest declares, by id.
func unmanaged(live Live, o Options) []UnmanagedSource {
	if !o.ShowUnmanaged {
		return nil
	}
	var list []UnmanagedSource
	for id, s := range live.Sources {
		if !o.Managed[id] {
			list = append(list, UnmanagedSource{ID: id, Title: s.Title, ConnectorID: s.ConnectorID})
		}
	}
	slices.SortFunc(list, func(a, b UnmanagedSource) int { return cmp.Compare(a.ID, b.ID) })
	return list
}
