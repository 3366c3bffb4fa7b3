package schedule

import (
	"slices"
	"time"
)

// lane holds the waiting commands of one kind in their order.
type lane struct {
	kind
	items []*item
}

// kind is what commands must have in common to share a lane.
type kind struct {
	method, class      string
	write, alone, lazy bool
	suspect            suspicion
}

// readBack is what it costs to read back a write of the lane, in requests.
func (l *lane) readBack() float64 { return l.items[0].Command.ReadBack() }

// queue holds everything that is not in flight.
type queue struct {
	lanes   []*lane // in the order of their first use, which makes runs repeatable
	delayed []*item // by NotBefore
}

// add queues a new item.
func (q *queue) add(it *item, now time.Time) {
	if it.NotBefore.After(now) {
		i, _ := slices.BinarySearchFunc(q.delayed, it.NotBefore.Add(1), func(d *item, t time.Time) int { return d.NotBefore.Compare(t) })
		q.delayed = slices.Insert(q.delayed, i, it)
		return
	}
	q.push(it)
}

// push queues an item after all others of its kind.
func (q *queue) push(it *item) {
	l := q.lane(it)
	l.items = append(l.items, it)
}

// pushLast queues an item after all others of its kind, and that kind after all
// others.
func (q *queue) pushLast(it *item) {
	l := q.lane(it)
	l.items = append(l.items, it)
	i := slices.Index(q.lanes, l)
	q.lanes = append(slices.Delete(q.lanes, i, i+1), l)
}

// putBack queues items that are to be sent again, in front of all others of
// their kind.
func (q *queue) putBack(items []*item) {
	again := map[*lane][]*item{}
	for _, it := range items {
		l := q.lane(it)
		again[l] = append(again[l], it)
	}
	for l, items := range again {
		l.items = append(items, l.items...)
	}
}

// wake queues the delayed items whose time has come.
func (q *queue) wake(now time.Time) {
	for len(q.delayed) > 0 && !q.delayed[0].NotBefore.After(now) {
		q.push(q.delayed[0])
		q.delayed = q.delayed[1:]
	}
}

func (q *queue) lane(it *item) *lane {
	k := it.kind()
	for _, l := range q.lanes {
		if l.kind == k {
			return l
		}
	}
	l := &lane{kind: k}
	q.lanes = append(q.lanes, l)
	return l
}

// in returns the lanes that the filter takes and in which something waits,
// and how much.
func (q *queue) in(take func(kind) bool) (lanes []*lane, n int) {
	for _, l := range q.lanes {
		if len(l.items) > 0 && take(l.kind) {
			lanes = append(lanes, l)
			n += len(l.items)
		}
	}
	return lanes, n
}

func (q *queue) len() int {
	_, n := q.in(func(kind) bool { return true })
	return n + len(q.delayed)
}

// take removes up to n items from the lanes, in their order.
func take(n int, lanes ...*lane) (items []*item) {
	for _, l := range lanes {
		k := min(n-len(items), len(l.items))
		items = append(items, l.items[:k]...)
		clear(l.items[:k]) // or they would be kept as long as the lane
		l.items = l.items[k:]
	}
	return items
}

// remove empties the lanes that the filter takes, delayed items included.
func (q *queue) remove(which func(kind) bool) []*item {
	lanes, n := q.in(which)
	items := take(n, lanes...)
	for _, it := range q.delayed {
		if which(it.kind()) {
			items = append(items, it)
		}
	}
	q.delayed = slices.DeleteFunc(q.delayed, func(it *item) bool { return which(it.kind()) })
	return items
}
