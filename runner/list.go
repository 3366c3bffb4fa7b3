package runner

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"syncsources/bitrix"
	"syncsources/bitrix/rest"
)

// List reads all live sources that the credentials can see, by rising id. Of
// the options, only the pace and the logger count. What ended it early is the
// report's error and outcome, as after Plan; the list is then not complete. The
// sources of the report are those that could not be read.
//
// Nothing tells the end of the pages but a short one. A portal that never
// sends one, and repeats what it has shown, is a BadAnswer.
func List(ctx context.Context, portal Reader, o Options) ([]bitrix.Source, *Report) {
	r := newRun("export", portal, readSender{portal}, o)
	rd := &reading{run: r, paged: make(map[int64]bool), live: Live{Sources: make(map[int64]bitrix.Source), Errors: make(map[int64]error)}}
	rd.pages(1, 1)
	err := r.consume(ctx)
	if err == nil {
		err = rd.err
	}
	if err == nil && rd.repeats {
		err = &rest.Error{Code: rest.BadAnswer, Message: "the portal's pages of sources never end: it repeats those it has shown", Method: bitrix.MethodSourceList}
	}
	if err != nil {
		r.stop(ctx, err)
	}
	for _, id := range slices.Sorted(maps.Keys(rd.live.Errors)) {
		r.report.Objects = append(r.report.Objects, Object{Kind: KindSource, ID: id, Status: StatusFailed, Error: failure(rd.live.Errors[id])})
	}
	sources := make([]bitrix.Source, 0, len(rd.live.Sources))
	for _, s := range rd.live.Sources {
		sources = append(sources, s)
	}
	slices.SortFunc(sources, func(a, b bitrix.Source) int { return cmp.Compare(a.ID, b.ID) })
	return sources, r.finish()
}
