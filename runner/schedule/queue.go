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
	suspect            suspicion
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

// putBack queues items that are to be sent again, in front of all others of
// their kind.
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

// in returns the lanes that the filter takes and in which something waits,
// and how much.
func (q *queue) in(take func(kind) bool) (lanes []*lane, n int) {
	for _, l := range q.lanes {
		if l.len() > 0 && take(l.kind) {
			lanes = append(lanes, l)
			n += l.len()
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
		for len(items) < n && l.len() > 0 {
			items = append(items, l.pop())
		}
	}
	return items
}

// remove empties the lanes that the filter takes, delayed items included.
func (q *queue) remove(which func(kind) bool) []*item {
	lanes, n := q.in(which)
	items := take(n, lanes...)
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
