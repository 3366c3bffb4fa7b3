package runner

import "fmt"

// remove deletes an object; one that is gone already is fine.
func (a *apply) remove(f *flow, e *entry) {
	how := lazily
	for {
		became := a.write(f, e, write{command: e.subject.remove(), paths: []string{"it"}})
		switch {
		case became == spent:
			return
		case became == acknowledged && a.options.NoVerify:
			a.end(e, StatusDeleted, nil)
			return
		}
		for {
			if !a.readBack(f, e, how) {
				return
			}
			if e.read.gone {
				a.end(e, StatusDeleted, nil)
				return
			}
			if became == unclear || how == onceMore {
				break
			}
			how = onceMore
		}
		switch {
		case became == acknowledged:
			a.fail(e, &Failure{Code: CodeNotConverged, Message: "the portal accepted the deletion, but still shows the object"})
			return
		case a.stopped || e.losses >= maxAttempts:
			f := failure(e.lost)
			f.Message += fmt.Sprintf("; the portal still shows the object after %d attempts to delete it", e.result.Attempts)
			a.fail(e, f)
			return
		}
	}
}
