package schedule

import (
	"testing"
	"time"

	"syncsources/bitrix"
)

func ids(items []*item) (list []int64) {
	for _, it := range items {
		list = append(list, it.Command.(bitrix.Write).ID())
	}
	return list
}

func TestQueueKeepsOrderAndPutsBackInFront(t *testing.T) {
	var q queue
	for _, u := range updates(6) {
		q.add(newItem(Task{Command: u}, u.Class()), epoch)
	}
	first := take(4, q.lanes...)
	q.putBack(first[1:3]) // 2 and 3
	q.putBack(first[:1])  // 1
	got := ids(take(10, q.lanes...))
	want := []int64{1, 2, 3, 5, 6}
	for i := range want {
		if len(got) != len(want) || got[i] != want[i] {
			t.Fatalf("order %v, want %v", got, want)
		}
	}
	if q.len() != 0 {
		t.Errorf("%d left", q.len())
	}
}

func TestQueueHoldsBackUntilTheTimeHasCome(t *testing.T) {
	var q queue
	list := updates(3)
	q.add(newItem(Task{Command: list[0], NotBefore: at(9)}, ""), epoch)
	q.add(newItem(Task{Command: list[1], NotBefore: at(3)}, ""), epoch)
	q.add(newItem(Task{Command: list[2], NotBefore: at(3)}, ""), at(4))
	if got := ids(take(9, q.lanes...)); len(got) != 1 || got[0] != 3 {
		t.Errorf("ready at once: %v, want 3", got)
	}
	q.wake(at(5))
	if got := ids(take(9, q.lanes...)); len(got) != 1 || got[0] != 2 {
		t.Errorf("ready after 5 s: %v, want 2", got)
	}
	if removed := q.remove(func(k kind) bool { return k.write }); len(removed) != 1 || q.len() != 0 {
		t.Errorf("removed %v, %d left", ids(removed), q.len())
	}
	q.wake(at(99).Add(time.Hour))
	if q.len() != 0 {
		t.Error("a removed item came back")
	}
}
