// Package schema holds the JSON Schemas of the program, and checks manifests
// and portals files against theirs.
//
// The schemas are written for editors first: each property has a title, a
// description and examples. Its errorMessage, which editors show too, says in
// words what a value must be, and is part of our own findings.
//
// The rules of its findings are listed in package manifest.
package schema

import (
	"bytes"
	_ "embed"
	"sync"
)

//go:embed sources.schema.json
var sources []byte

//go:embed portals.schema.json
var portals []byte

//go:embed report.schema.json
var report []byte

//go:embed portals-report.schema.json
var portalsReport []byte

// Sources returns the JSON Schema (draft-07) of manifests.
func Sources() []byte { return bytes.Clone(sources) }

// Portals returns the JSON Schema (draft-07) of portals files.
func Portals() []byte { return bytes.Clone(portals) }

// Report returns the JSON Schema (draft-07) of the JSON report that plan,
// apply and validate write.
func Report() []byte { return bytes.Clone(report) }

// PortalsReport returns the JSON Schema (draft-07) of the JSON report of a run
// against many portals.
func PortalsReport() []byte { return bytes.Clone(portalsReport) }

var (
	manifests    = sync.OnceValue(func() *rule { return compile(sources) })
	portalsFiles = sync.OnceValue(func() *rule { return compile(portals) })
)
