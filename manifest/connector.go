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

func buildConnector(o Object, f record) Connector {
	return Connector{
		Object: o,
		Title:  textOf(f.get("title")), Description: textOf(f.get("description")), Logo: logoOf(f.get("logo")), Sort: integerOf(f.get("sort")),
		URLCheck: textOf(f.get("urlCheck")), URLTableList: textOf(f.get("urlTableList")),
		URLTableDescription: textOf(f.get("urlTableDescription")), URLData: textOf(f.get("urlData")),
		SupportMapping: booleanOf(f.get("supportMapping")),
		Settings:       itemsOf(f.get("settings"), settingTypeOf),
	}
}

func settingTypeOf(f record) SettingType {
	return SettingType{scalarText(f.get("code")), scalarText(f.get("name")), scalarText(f.get("type"))}
}

func logoOf(n Node) *Logo {
	if text := textOf(n); text != nil {
		return &Logo{Position: n.Position(), URL: *text}
	}
	if ref, ok := asReference(n); ok && ref.file != "" {
		return &Logo{Position: n.Position(), file: ref}
	}
	return nil
}
