package runner

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"syncsources/bitrix"
	"syncsources/bitrix/rest"
	"syncsources/runner/schedule"
)

// keep takes the answer to a list.
type keep func(answer json.RawMessage) (page, error)

// page is what an answer to a list shows.
type page struct {
	ids    []int64 // in its order
	broken []int64 // of objects that cannot be read
	full   bool
}

func (p page) last() int64 { return slices.Max(append(p.broken, p.ids...)) }

// keeper adds what lists show to what is live. The first answer about an
// object counts: a portal that lists one twice must not change what was seen.
func (rd *reading) keeper(k *kind) keep {
	return func(answer json.RawMessage) (page, error) {
		list, err := k.listed(answer)
		if err != nil {
			return page{}, err
		}
		p := page{ids: make([]int64, 0, len(list.Items)), full: list.Count >= bitrix.PageSize}
		for _, o := range list.Items {
			p.ids = append(p.ids, o.id)
			k.keep(&rd.live, o)
		}
		for id, err := range list.Broken {
			if rd.live.Broken[k.name][id] == nil {
				rd.live.Broken[k.name][id] = err
				rd.logger.Warn("a "+string(k.name)+" cannot be read", "id", id, "reason", err.Error())
			}
			if id > 0 {
				p.broken = append(p.broken, id)
			}
		}
		return p, nil
	}
}

// maxListed is how many objects of a kind are read. No portal has that many; one
// that never ends would fill the memory.
const maxListed = 500_000

// readAll reads a whole list by ranges of ids, so that what is deleted
// meanwhile hides nothing: the first page and the last, and then, all at once,
// ranges of what lies between, each so long that it should hold a page at
// most. A page that is full is read on behind its last id.
func (rd *reading) readAll(f *flow, k *kind, optional bool) error {
	keep := rd.keeper(k)
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
			if why := pages[i].unlike(ranges[i]); why != "" {
				return nil, &rest.Error{Code: rest.BadAnswer, Method: tasks[i].Command.Method(), Message: why}
			}
		}
		return pages, nil
	}
	pages, err := ask([]bitrix.Range{{}, {Newest: true}})
	if err != nil || !pages[0].full || len(pages[0].ids) == 0 || len(pages[1].ids) == 0 {
		return err
	}
	read := len(pages[0].ids) + len(pages[1].ids)
	gap := min(span(pages[0].ids), span(pages[1].ids))
	for left := ranges(pages[0].last()+1, slices.Min(pages[1].ids), gap); len(left) > 0; {
		if pages, err = ask(left); err != nil {
			return err
		}
		var next []bitrix.Range
		for i, p := range pages {
			if read += len(p.ids); p.full && len(p.ids) > 0 {
				next = append(next, ranges(p.last()+1, left[i].To, span(p.ids))...)
			}
		}
		if read > maxListed {
			return &rest.Error{Code: rest.BadAnswer, Message: fmt.Sprintf("the portal's list does not end: it has shown %d objects", read)}
		}
		left = next
	}
	return nil
}

// unlike says in what an answer is not what was asked for, "" if it is. A
// portal that heeds neither the range nor the order has shown who knows what.
func (p page) unlike(rg bitrix.Range) string {
	for _, id := range append(p.broken, p.ids...) {
		if id < rg.From || rg.To > 0 && id >= rg.To {
			return "the portal ignores the range of ids that it was asked for"
		}
	}
	if p.full && !ordered(p.ids, rg.Newest) {
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
// known to be none.
func ranges(from, to int64, gap float64) []bitrix.Range {
	const page, likely = bitrix.PageSize, bitrix.PageSize * 2 / 3
	length := int64(page)
	if gap > 1 {
		length = max(page, int64(likely*gap))
	}
	var list []bitrix.Range
	for ; from < to; from += length {
		list = append(list, bitrix.Range{From: from, To: min(from+length, to)})
	}
	return list
}
