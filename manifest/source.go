package manifest

// Set is what the manifests of a run declare.
type Set struct {
	// Sources stand in the order of the command line, then of the file.
	Sources []Source
	// Portals holds every portal key found, for the caller to compare with the
	// portal of the run.
	Portals []Portal
}

// Portal is the portal a manifest is meant for.
type Portal struct {
	Position        // of the address
	URL      string // http or https, a host, perhaps a port; perhaps one slash at the end
}

// Source is the declared state of one BIconnector source. What is nil or
// absent is not declared and is not to be touched.
type Source struct {
	Position // of the source's mapping
	// Name is the label the manifest gives, "#<id>" where it gives none. It is
	// unique over all files.
	Name string
	// ID is the portal's number of the source: positive, unique over all files.
	ID int64
	// Title is not empty and not "0", which the portal treats as empty.
	Title       *string
	Description *string
	Active      *bool
	// Settings are in the manifest's order, those of a merged mapping where the
	// merge key stands.
	Settings []Setting
}

// Setting is one declared key of a source's settings.
type Setting struct {
	Position // of the value
	// Code is the key. One written as an integer is its text.
	Code  string
	Value Value
	// Reveal allows the value, declared and live, to be printed. It is only
	// ever true for literals.
	Reveal bool
}
