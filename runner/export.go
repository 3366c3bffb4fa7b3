package runner

import (
	"context"
	"maps"
	"slices"

	"syncsources/manifest"
)

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
