package runner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"syncsources/bitrix"
	"syncsources/bitrix/rest"
	"syncsources/manifest"
	"syncsources/runner/schedule"
)

// wanted is what a run must read.
type wanted struct {
	sources    []int64 // these ids, or
	allSources bool
	tables     bool
	columns    func(name string) bool // of which tables
	// connectorsHelp is set where connectors are only a help: an unknown
	// setting is also found by reading back.
	connectorsHelp bool
	// tablesHelp is set where tables are only looked for: a portal may know
	// neither family of their methods.
	tablesHelp bool
}

// want derives from the declarations what must be read. Connectors always
// are; sources by their ids, unless one must be found by its title; tables
// as a whole list, since there is nothing else to find all of them by.
func want(o Options) wanted {
	w := wanted{connectorsHelp: !o.Prune && !o.ShowUnmanaged && len(o.Set.Connectors) == 0, columns: func(string) bool { return false }}
	for i := range o.Set.Sources {
		s := &o.Set.Sources[i]
		w.connectorsHelp = w.connectorsHelp && s.Connector == (manifest.Ref{})
		if s.ID == 0 {
			w.allSources = true
			continue
		}
		w.sources = append(w.sources, s.ID)
	}
	columns := map[string]bool{}
	for i := range o.Set.Tables {
		t := &o.Set.Tables[i]
		w.tables = true
		if t.Source.ID != 0 {
			w.sources = append(w.sources, t.Source.ID)
		}
		if o.Selected == nil || o.Selected(t.Object) {
			columns[t.Name] = true
		}
	}
	w.columns = func(name string) bool { return columns[name] }
	w.tablesHelp = !w.tables && !o.Prune
	if o.Prune || o.ShowUnmanaged {
		w.allSources, w.tables = true, true
	}
	slices.Sort(w.sources)
	w.sources = slices.Compact(w.sources)
	return w
}

// reading gathers the live objects.
type reading struct {
	*run
	crew *crew
	live Live
	byID int // sources that are read by their ids
	err  error
}

// read reads what is wanted, as much as possible in the same requests. An
// error means that the run must stop.
func (r *run) read(ctx context.Context, w wanted) (Live, error) {
	rd := &reading{run: r, crew: &crew{scheduler: r.scheduler}, live: Live{
		Family:     bitrix.Tables,
		Connectors: map[int64]*bitrix.Connector{}, Sources: make(map[int64]*bitrix.Source, len(w.sources)), Tables: map[int64]*bitrix.Table{},
		Broken: map[Kind]map[int64]error{KindConnector: {}, KindSource: {}, KindTable: {}},
	}}
	rd.crew.start(func(f *flow) {
		err := rd.readAll(f, connectors, w.connectorsHelp)
		if err != nil && w.connectorsHelp {
			r.logger.Info("connectors cannot be read; settings are not checked against them", "reason", err.Error())
			return
		}
		rd.fail(err)
	})
	if w.allSources {
		rd.crew.start(func(f *flow) { rd.fail(rd.readAll(f, sources, false)) })
	} else {
		rd.byID = len(w.sources)
		for ids := range slices.Chunk(w.sources, bitrix.PageSize) {
			rd.crew.start(func(f *flow) { rd.tookSources(f, ids, f.send(schedule.Task{Command: bitrix.SourcesByID(ids)})) })
		}
	}
	if w.tables {
		rd.crew.start(func(f *flow) { rd.fail(rd.tables(f, w)) })
	}
	err := rd.crew.drive(ctx)
	if rd.err != nil && ctx.Err() == nil {
		err = cmp.Or(err, rd.err)
	}
	return rd.live, err
}

func (rd *reading) fail(err error) {
	if rd.err == nil {
		rd.err = err
	}
}

// tookSources takes sources that were read by their ids. Where the answer was
// lost, or refused by whoever looks at it, that may be due to one of them, and
// the others are read without it - unless no source could be read so far.
func (rd *reading) tookSources(f *flow, ids []int64, out schedule.Outcome) {
	var e *rest.Error
	some := len(rd.live.Sources) > 0 || len(ids) == rd.byID
	if some && len(ids) > 1 && errors.As(out.Reply.Err, &e) && (e.Reaction() == rest.Unknown || e.Reaction() == rest.Filtered) {
		one, other := ids[:len(ids)/2], ids[len(ids)/2:]
		outs := f.sendAll([]schedule.Task{{Command: bitrix.SourcesByID(one)}, {Command: bitrix.SourcesByID(other)}})
		if outs[0].Reply.Err != nil { // what could be read comes first
			one, other, outs[0], outs[1] = other, one, outs[1], outs[0]
		}
		rd.tookSources(f, one, outs[0])
		rd.tookSources(f, other, outs[1])
		return
	}
	found, missing := answerFor(sources, ids, out)
	for id, live := range found {
		rd.live.Sources[id] = live.(*bitrix.Source)
	}
	for id, err := range missing {
		if err != nil {
			rd.live.Broken[KindSource][id] = err
		}
	}
	rd.progress.Done += len(ids)
	rd.show()
}

// tables reads all tables, by the old names of the methods where the portal
// does not know the new ones, and then the columns of those that need them.
func (rd *reading) tables(f *flow, w wanted) error {
	err := rd.readAll(f, tables, true)
	if errors.Is(err, rest.MethodNotFound) {
		rd.live.Family = bitrix.Datasets
		if err = rd.readAll(f, tables, w.tablesHelp); w.tablesHelp && errors.Is(err, rest.MethodNotFound) {
			rd.logger.Info("this portal has no methods for tables")
			return nil
		}
	}
	if err != nil {
		return err
	}
	var tasks []schedule.Task
	var of []*bitrix.Table
	for _, o := range tables.live(&rd.live) {
		if w.columns(o.title) {
			of = append(of, o.whole.(*bitrix.Table))
			tasks = append(tasks, schedule.Task{Command: bitrix.GetTable(rd.live.Family, o.id)})
		}
	}
	if len(tasks) == 1 { // which of the two is away, the table or the portal, shows in an answer beside it
		tasks = append(tasks, schedule.Task{Command: tables.list(rd.live.Family, bitrix.Range{From: of[0].ID, To: of[0].ID + 1})})
	}
	for i, out := range f.sendAll(tasks)[:len(of)] {
		found, missing := answerFor(tables, []int64{of[i].ID}, out)
		if live, ok := found[of[i].ID]; ok {
			t := live.(*bitrix.Table)
			t.SourceID = of[i].SourceID // only the list shows it
			rd.live.Tables[t.ID] = t
			continue
		}
		if err := missing[of[i].ID]; err != nil {
			rd.live.Broken[KindTable][of[i].ID] = err
		} else {
			delete(rd.live.Tables, of[i].ID) // gone meanwhile
		}
	}
	return nil
}

// answerFor sorts the answer to a read by ids: the objects that it shows, and
// those that it does not, with the reason where there is one other than that
// they do not exist. What nobody asked for is left out: a portal that lists it
// has not looked at the ids, and then a missing one may exist.
func answerFor(k *kind, ids []int64, out schedule.Outcome) (found map[int64]any, missing map[int64]error) {
	missing = make(map[int64]error, len(ids))
	shown, broken, err := map[int64]any(nil), map[int64]error(nil), out.Reply.Err
	switch {
	case err == nil && out.Skipped:
		err = errSkipped
	case err == nil:
		shown, broken, err = k.decode(ids, out.Reply.Result)
	case errors.Is(err, rest.Code(k.notFound.Code)) && len(ids) == 1:
		return nil, map[int64]error{ids[0]: nil}
	}
	for _, id := range ids {
		missing[id] = err
	}
	if err == nil {
		err = broken[0] // one of the missing, and nobody knows which
	}
	found = make(map[int64]any, len(shown))
	for id, object := range shown {
		if _, asked := missing[id]; asked {
			found[id] = object
			delete(missing, id)
		} else if err == nil {
			err = &rest.Error{Code: rest.BadAnswer, Message: fmt.Sprintf("the portal answered with other %ss than those asked for", k.name)}
		}
	}
	for id := range missing {
		missing[id] = cmp.Or(broken[id], err)
	}
	return found, missing
}

// errSkipped is the reason why something was not read: the run ended before.
var errSkipped = errors.New("the run ended before it could be read")

// unmanaged lists the live objects that no manifest declares.
func unmanaged(live Live, c *Changeset) []Unmanaged {
	declared := map[claim]bool{}
	for _, s := range c.steps {
		declared[claim{s.kind, s.id}] = true
	}
	var list []Unmanaged
	add := func(k *kind, id int64, u Unmanaged) {
		if !declared[claim{k, id}] {
			u.Kind, u.ID = k.name, id
			list = append(list, u)
		}
	}
	for _, k := range kinds {
		for _, o := range k.live(&live) {
			u := Unmanaged{Title: o.title}
			switch k {
			case sources:
				u.ConnectorID = o.parent
			case tables:
				u.SourceID = o.parent
			}
			add(k, o.id, u)
		}
	}
	for _, k := range kinds {
		for _, id := range slices.Sorted(maps.Keys(live.Broken[k.name])) {
			if id > 0 {
				add(k, id, Unmanaged{}) // it is there, but what it is cannot be read
			}
		}
	}
	return list
}
