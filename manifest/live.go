package manifest

import "syncsources/bitrix/secret"

// Live is what a portal shows, for Write.
type Live struct {
	Portal     string // its address; "" for a manifest that fits every portal
	Connectors []LiveConnector
	Sources    []LiveSource
	Tables     []LiveTable
}

// LiveConnector is a connector as the portal shows it.
type LiveConnector struct {
	ID                                                   int64
	Title, Description, Logo                             string
	Sort                                                 int64
	URLCheck, URLTableList, URLTableDescription, URLData string
	SupportMapping                                       *bool // nil: the portal does not say
	Settings                                             []SettingType
	// Unclean holds the paths (title, settings.CODE) of texts that are not
	// exactly as the portal has them.
	Unclean []string
}

// LiveSource is a source as the portal shows it.
type LiveSource struct {
	ID, ConnectorID    int64
	Title, Description string
	Active             *bool // nil: the portal does not say
	Settings           []LiveSetting
	Unclean            []string // as of a LiveConnector
}

// LiveSetting is the value of a setting.
type LiveSetting struct {
	Code  string
	Value secret.Text
}

// LiveTable is a table as the portal shows it.
type LiveTable struct {
	ID, SourceID                                  int64
	Name, ExternalName, ExternalCode, Description string
	Columns                                       []Column
	Unclean                                       []string // as of a LiveConnector
}
