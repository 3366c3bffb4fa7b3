package manifest

// Connector is the declared state of a BIconnector connector. What is nil is
// not declared and not touched.
type Connector struct {
	Object
	Title       *string
	Description *string
	Logo        *Logo
	Sort        *int64
	// The addresses that the portal calls: to check a source's connection, to
	// list tables, to describe one, and to get data.
	URLCheck, URLTableList, URLTableDescription, URLData *string
	SupportMapping                                       *bool
	// Settings are the parameters that the connector's sources have; nil: not
	// declared.
	Settings []SettingType
}

// SettingType is a parameter that a connector's sources have.
type SettingType struct {
	Position   Position
	Code, Name string
	Type       string // STRING or INT
}

// Logo is the picture of a connector.
type Logo struct {
	Position Position
	// URL is an address or a data: URI; "" for a file before Resolve has made
	// a data: URI of it.
	URL string

	file *reference // nil for an address
}

func buildConnector(o Object, fields []Node) Connector {
	c := Connector{Object: o}
	for _, f := range fields {
		switch f.Key() {
		case "title":
			c.Title = textOf(f)
		case "description":
			c.Description = textOf(f)
		case "logo":
			c.Logo = logoOf(f)
		case "sort":
			c.Sort = integerOf(f)
		case "urlCheck":
			c.URLCheck = textOf(f)
		case "urlTableList":
			c.URLTableList = textOf(f)
		case "urlTableDescription":
			c.URLTableDescription = textOf(f)
		case "urlData":
			c.URLData = textOf(f)
		case "supportMapping":
			c.SupportMapping = booleanOf(f)
		case "settings":
			c.Settings = settingTypes(f)
		}
	}
	return c
}

func logoOf(n Node) *Logo {
	l := &Logo{Position: n.Position()}
	if text := textOf(n); text != nil {
		l.URL = *text
		return l
	}
	if ref, ok := asReference(n); ok && ref.file != "" {
		l.file = ref
		return l
	}
	return nil
}

func settingTypes(n Node) []SettingType {
	if n.Kind() != List {
		return nil
	}
	types := make([]SettingType, 0, n.Len())
	for item := range n.Items() {
		t := SettingType{Position: item.Position()}
		for _, f := range item.Fields() {
			switch f.Key() {
			case "code":
				t.Code = scalarText(f)
			case "name":
				t.Name = scalarText(f)
			case "type":
				t.Type = scalarText(f)
			}
		}
		types = append(types, t)
	}
	return types
}
