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
	Name         string
	Type         string // int, string, double, date, datetime, money or timezone
	ExternalCode string
	Visible      *bool // nil: not declared
}

func buildTable(o Object, f record) Table {
	return Table{
		Object: o, Source: refOf(f.get("source")), Description: textOf(f.get("description")),
		ExternalName: textOf(f.get("externalName")), ExternalCode: textOf(f.get("externalCode")),
		Columns: itemsOf(f.get("columns"), columnOf),
	}
}

func columnOf(f record) Column {
	return Column{scalarText(f.get("name")), scalarText(f.get("type")), f.get("externalCode").text(), booleanOf(f.get("visible"))}
}
