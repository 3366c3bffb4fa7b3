package manifest

// Table is the declared state of a BIconnector table, which older portals call
// a dataset. What is nil is not declared and not touched. Its Name is the
// portal's own.
type Table struct {
	Object
	Source       Ref
	ExternalName *string
	ExternalCode *string
	Description  *string
	Columns      []Column // nil: not declared
}

// Column is one column of a table.
type Column struct {
	Position     Position
	Name         string
	Type         string // int, string, double, date, datetime, money or timezone
	ExternalCode string
	Visible      *bool // nil: not declared
}

func buildTable(o Object, fields []Node) Table {
	t := Table{Object: o}
	for _, f := range fields {
		switch f.Key() {
		case "source":
			t.Source = refOf(f)
		case "externalName":
			t.ExternalName = textOf(f)
		case "externalCode":
			t.ExternalCode = textOf(f)
		case "description":
			t.Description = textOf(f)
		case "columns":
			t.Columns = columnsOf(f)
		}
	}
	return t
}

func columnsOf(n Node) []Column {
	if n.Kind() != List {
		return nil
	}
	columns := make([]Column, 0, n.Len())
	for item := range n.Items() {
		c := Column{Position: item.Position()}
		for _, f := range item.Fields() {
			switch f.Key() {
			case "name":
				c.Name = scalarText(f)
			case "type":
				c.Type = scalarText(f)
			case "externalCode":
				if text := textOf(f); text != nil {
					c.ExternalCode = *text
				}
			case "visible":
				c.Visible = booleanOf(f)
			}
		}
		columns = append(columns, c)
	}
	return columns
}
