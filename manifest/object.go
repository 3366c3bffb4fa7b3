package manifest

// Set is what the manifests of a run declare, in the order of the command
// line, then of the file.
type Set struct {
	Connectors []Connector
	Sources    []Source
	Tables     []Table
	// Keep holds what is never removed, of all manifests.
	Keep Keep
	// Declares says which of the keys connectors, sources and tables are
	// there, be they empty: only these kinds are pruned.
	Declares Declares
	// Portals holds every portal key found, for the caller to compare with the
	// portal of the run.
	Portals []Portal
}

// Declares says which kinds of objects manifests declare.
type Declares struct{ Connectors, Sources, Tables bool }

// Object is what every declared object has.
type Object struct {
	Position Position // of the object's mapping
	// Name is the label that the manifest gives; without one "#<id>", without
	// an id too the title. A table's is its name on the portal. It is unique
	// among the objects of its kind of one portal.
	Name string
	// ID is the portal's number: positive and unique on the portal, or 0 where
	// none is declared. A table has none.
	ID int64
	// Portal is the host of the document's portal key, as Options.Host writes
	// it; "" where the document fits every portal.
	Portal string
}

// Ref names a connector or a source: a declared one by its name, or a live one
// by its id. The zero Ref is not declared.
type Ref struct {
	Position Position
	Name     string
	ID       int64
}

// Keep holds what --prune never removes.
type Keep struct{ Connectors, Sources, Tables []Pattern }

// Pattern is the id of an object to keep, or a glob of titles (of a table: its
// name) where ID is 0. "*" matches any characters, "?" one.
type Pattern struct {
	ID   int64
	Glob string
}

// Portal is the portal that a manifest is meant for.
type Portal struct {
	Position Position // of the address
	URL      string   // http or https, a host, perhaps a port; perhaps one slash at the end
}
