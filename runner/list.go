package runner

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"syncsources/bitrix"
	"syncsources/bitrix/rest"
	"syncsources/manifest"
	"syncsources/runner/schedule"
)

// keep takes the answer to a list.
type keep func(answer json.RawMessage) (page, error)

// page is what an answer to a list shows.
type page struct {
	read  []int64 // ids of what can be read, in its order
	ids   []int64 // those of what cannot be read, too
	count int     // objects, those without ids included
}

// keeper adds what lists show to what is live. The first answer about an
// object counts: a portal that lists one twice must not change what was seen.
func (rd *reading) keeper(k *kind) keep {
	return func(answer json.RawMessage) (page, error) {
		list, err := k.listed(answer)
		if err != nil {
			return page{}, err
		}
		p := page{count: list.Count}
		for _, o := range list.Items {
			p.read = append(p.read, o.id)
			k.keep(&rd.live, o)
		}
		p.ids = slices.Clone(p.read)
		for id, err := range list.Broken {
			if rd.live.Broken[k.name][id] == nil {
				rd.live.Broken[k.name][id] = err
				rd.logger.Warn("a "+string(k.name)+" cannot be read", "id", id, "reason", err.Error())
			}
			if id > 0 {
				p.ids = append(p.ids, id)
			}
		}
		return p, nil
	}
}

// maxRanges is how many ranges of a list are read. Full ones hold half a million
// objects, which no portal has; one that never ends would fill the memory.
const maxRanges = 10_000

// readAll reads a whole list by ranges of ids, so that what is deleted
// meanwhile hides nothing: the first page and the last, and then, all at once,
// ranges of what lies between, each so long that it should hold a page at
// most. A page that is full is read on behind its last id.
func (rd *reading) readAll(f *flow, k *kind, optional bool) error {
	keep, size := rd.keeper(k), bitrix.PageSize
	ask := func(ranges []bitrix.Range) ([]page, error) {
		tasks := make([]schedule.Task, len(ranges))
		for i, rg := range ranges {
			tasks[i] = schedule.Task{Command: k.list(rd.live.Family, rg), Optional: optional}
		}
		pages := make([]page, len(ranges))
		for i, out := range f.sendAll(tasks) {
			if out.Skipped {
				return nil, errSkipped
			}
			if out.Reply.Err != nil {
				return nil, out.Reply.Err
			}
			var err error
			if pages[i], err = keep(out.Reply.Result); err != nil {
				return nil, err
			}
			if why := pages[i].unlike(ranges[i], size); why != "" {
				return nil, &rest.Error{Code: rest.BadAnswer, Method: tasks[i].Command.Method(), Message: why}
			}
		}
		return pages, nil
	}
	pages, err := ask([]bitrix.Range{{}, {Newest: true}})
	if err != nil || pages[0].count < size && !pages[0].endsBefore(pages[1]) {
		return err
	}
	size = min(size, pages[0].count) // of some portal, whose pages are shorter than documented
	if len(pages[1].ids) == 0 {
		return &rest.Error{Code: rest.BadAnswer, Message: "the portal shows the beginning of a list, but not its end"}
	}
	read := 0
	gap := min(span(pages[0].ids), span(pages[1].ids))
	for left := ranges(slices.Max(pages[0].ids)+1, slices.Min(pages[1].ids), gap); len(left) > 0; {
		if read += len(left); read > maxRanges {
			return &rest.Error{Code: rest.BadAnswer, Message: fmt.Sprintf("the portal's list does not end: it has more than %d pages", maxRanges)}
		}
		if pages, err = ask(left); err != nil {
			return err
		}
		var next []bitrix.Range
		for i, p := range pages {
			if p.count >= size {
				next = append(next, ranges(slices.Max(p.ids)+1, left[i].To, span(p.ids))...)
			}
		}
		left = next
	}
	return nil
}

// endsBefore reports whether another page shows higher ids.
func (p page) endsBefore(other page) bool {
	return len(p.ids) > 0 && len(other.ids) > 0 && slices.Max(p.ids) < slices.Max(other.ids)
}

// unlike says in what an answer is not what was asked for, "" if it is. A
// portal that heeds neither the range nor the order has shown who knows what.
func (p page) unlike(rg bitrix.Range, size int) string {
	for _, id := range p.ids {
		if id < rg.From || rg.To > 0 && id >= rg.To {
			return "the portal ignores the range of ids that it was asked for"
		}
	}
	switch {
	case p.count >= size && len(p.ids) == 0:
		return "the portal shows objects without ids, so the end of its list is unknown"
	case p.count >= size && !ordered(p.read, rg.Newest):
		return "the portal ignores the order by id that it was asked for, so the end of its list is unknown"
	}
	return ""
}

func ordered(ids []int64, falling bool) bool {
	return slices.IsSortedFunc(ids, func(a, b int64) int {
		if falling {
			a, b = b, a
		}
		return cmp.Compare(a, b)
	})
}

// span is how many ids lie between one object of a page and the next.
func span(ids []int64) float64 {
	return max(1, float64(slices.Max(ids)-slices.Min(ids)+1)/float64(len(ids)))
}

// ranges divides the ids from one on, and before another, into ranges that
// hold a page each, or two thirds of one where the gaps between ids are not
// known to be none. Behind a thousand, each is twice as long as the one before:
// an id may be out of all proportion.
func ranges(from, to int64, gap float64) (list []bitrix.Range) {
	const page, likely = bitrix.PageSize, bitrix.PageSize * 2 / 3
	length := int64(page)
	if gap > 1 {
		length = max(page, int64(likely*gap))
	}
	for from < to {
		end := from + min(length, to-from)
		list = append(list, bitrix.Range{From: from, To: end})
		if from = end; len(list) >= 1000 {
			length *= 2
		}
	}
	return list
}

// List reads all live objects that the credentials can see. Of the options,
// only the pace and the logger count. What ended it early is the report's error
// and outcome, as after Plan; the list is then not complete. The objects of the
// report are those that could not be read.
func List(ctx context.Context, portal Reader, o Options) (Live, *Report) {
	o.Set = &manifest.Set{}
	r := newRun("export", portal, readSender{portal}, o)
	live, err := r.read(ctx, wanted{allSources: true, tables: true, tablesHelp: true, columns: func(string) bool { return true }})
	if err != nil {
		r.stop(ctx, err)
	}
	for _, k := range kinds {
		for _, id := range slices.Sorted(maps.Keys(live.Broken[k.name])) {
			r.report.Objects = append(r.report.Objects, Object{
				Kind: k.name, Action: ActionNone, ID: id, Status: StatusFailed, Error: failure(live.Broken[k.name][id]),
			})
			if k == tables {
				delete(live.Tables, id) // its columns are not known
			}
		}
	}
	return live, r.finish()
}
