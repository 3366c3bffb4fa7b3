package schema

import _ "embed"

//go:embed report.schema.json
var report []byte

// Report returns the JSON Schema (draft-07) of the JSON report that plan,
// apply and validate write. The caller must not change it.
func Report() []byte { return report }
