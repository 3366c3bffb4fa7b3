package schedule

import (
	"container/heap"
	"time"
)

// lane holds the waiting commands of one kind in their order.
type lane struct {
	kind
	front []*item // put back: the last one goes first
	back  []*item
	head  int // of back
}

// kind is what commands must have in common to share a lane.
type kind struct {
	method, class      string
	write, alone, lazy bool
}

func (l *lane) len() int { return len(l.front) + len(l.back) - l.head }

func (l *lane) push(it *item) { l.back = append(l.back, it) }

func (l *lane) pop() *item {
	if n := len(l.front); n > 0 {
		it := l.front[n-1]
		l.front = l.front[:n-1]
		return it
	}
	it := l.back[l.head]
	l.back[l.head] = nil
	if l.head++; l.head == len(l.back) {
		l.back, l.head = l.back[:0], 0
	}
	return it
}

// queue holds everything that is not in flight.
type queue struct {
	lanes   []*lane // in the order of their first use, which makes runs repeatable
	delayed delayed
}

// add queues a new item.
func (q *queue) add(it *item, now time.Time) {
	if it.NotBefore.After(now) {
		heap.Push(&q.delayed, it)
		return
	}
	q.lane(it).push(it)
}

// putBack queues items that did not run, in front of all others of their kind.
func (q *queue) putBack(items []*item) {
	for i := len(items) - 1; i >= 0; i-- {
		l := q.lane(items[i])
		l.front = append(l.front, items[i])
	}
}

// wake queues the delayed items whose time has come.
func (q *queue) wake(now time.Time) {
	for len(q.delayed) > 0 && !q.delayed[0].NotBefore.After(now) {
		it := heap.Pop(&q.delayed).(*item)
		q.lane(it).push(it)
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

// first is the kind of what the filter takes first.
func (q *queue) first(take func(kind) bool) kind {
	for _, l := range q.lanes {
		if take(l.kind) && l.len() > 0 {
			return l.kind
		}
	}
	return kind{}
}

// count is how many items wait in the lanes that the filter takes.
func (q *queue) count(take func(kind) bool) int {
	n := 0
	for _, l := range q.lanes {
		if take(l.kind) {
			n += l.len()
		}
	}
	return n
}

func (q *queue) len() int {
	return q.count(func(kind) bool { return true }) + len(q.delayed)
}

// take removes up to n items from the lanes that the filter takes.
func (q *queue) take(n int, from func(kind) bool) []*item {
	var items []*item
	for _, l := range q.lanes {
		for from(l.kind) && len(items) < n && l.len() > 0 {
			items = append(items, l.pop())
		}
	}
	return items
}

// remove empties the lanes that the filter takes, delayed items included.
func (q *queue) remove(which func(kind) bool) []*item {
	items := q.take(q.len(), which)
	var rest delayed
	for _, it := range q.delayed {
		if which(it.kind()) {
			items = append(items, it)
		} else {
			rest = append(rest, it)
		}
	}
	heap.Init(&rest)
	q.delayed = rest
	return items
}

// delayed is a heap by NotBefore.
type delayed []*item

func (d delayed) Len() int           { return len(d) }
func (d delayed) Less(i, j int) bool { return d[i].NotBefore.Before(d[j].NotBefore) }
func (d delayed) Swap(i, j int)      { d[i], d[j] = d[j], d[i] }
func (d *delayed) Push(x any)        { *d = append(*d, x.(*item)) }
func (d *delayed) Pop() any {
	old := *d
	it := old[len(old)-1]
	old[len(old)-1] = nil
	*d = old[:len(old)-1]
	return it
}
