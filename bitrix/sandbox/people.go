package sandbox

import (
	"fmt"
	"slices"
	"strings"
)

// Deed is something that somebody does in the portal's user interface while
// the application works.
type Deed struct {
	// After is the method after whose Nth call it happens, commands of batches
	// included; Nth is 1 if 0.
	After string `yaml:"after"`
	Nth   int    `yaml:"nth"`
	// Do is "delete", "rename" or "add".
	Do string `yaml:"do"`
	// Kind is "connector", "source" or "table"; only sources can be added.
	Kind string `yaml:"kind"`
	// ID is the object's: of a source that is added, the connector's.
	ID int64 `yaml:"id"`
	// Title is the new title; of a table, which has none, the description.
	Title string `yaml:"title"`
}

// somebody is the user whom deeds are done by, who is not the application's.
const somebody = 7

func (s *State) checkPeople() *problem {
	for i, d := range s.People {
		switch {
		case d.After == "" || d.Nth < 0 || d.ID <= 0:
			return problemAt("what people do needs after, a method, and an id", "people", i)
		case !slices.Contains([]string{"delete", "rename", "add"}, d.Do) || !slices.Contains([]string{"connector", "source", "table"}, d.Kind):
			return problemAt(fmt.Sprintf("unknown deed %q of a %q: delete, rename or add; connector, source or table", d.Do, d.Kind), "people", i)
		case d.Do == "add" && d.Kind != "source":
			return problemAt("people add sources only", "people", i, "do")
		}
	}
	return nil
}

// called lets people do what waits for a call of the method.
func (p *Portal) called(method string) {
	if len(p.cfg.People) == 0 {
		return
	}
	p.mu.Lock()
	var due []Deed
	for i, d := range p.cfg.People {
		if strings.EqualFold(d.After, method) {
			if p.deeds[i]++; p.deeds[i] == max(d.Nth, 1) {
				due = append(due, d)
			}
		}
	}
	p.mu.Unlock()
	for _, d := range due {
		p.do(d)
	}
}

func (p *Portal) do(d Deed) {
	switch d.Kind + " " + d.Do {
	case "connector delete":
		p.DeleteConnector(d.ID)
	case "source delete":
		p.DeleteSource(d.ID)
	case "table delete":
		p.DeleteTable(d.ID)
	case "source add":
		p.mu.Lock()
		id := p.sources.last + 1
		p.mu.Unlock()
		_ = p.SetSource(Source{ID: id, ConnectorID: d.ID, Title: d.Title, CreatedByID: somebody})
	case "connector rename":
		if c, ok := p.Connector(d.ID); ok {
			c.Title = d.Title
			p.SetConnector(c)
		}
	case "source rename":
		if s, ok := p.Source(d.ID); ok {
			s.Title = d.Title
			_ = p.SetSource(s)
		}
	case "table rename":
		if t, ok := p.Table(d.ID); ok {
			t.Description = d.Title
			_ = p.SetTable(t)
		}
	}
}
