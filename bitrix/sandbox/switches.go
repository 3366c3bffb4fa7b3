package sandbox

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Switches are what differs between portals: their age, their plan, how their
// owners set them up, what is in front of them, and what they do to the
// values that they store. The zero value is the cloud of autumn 2026 as far as
// it is known. In a state file they are beside the other keys.
type Switches struct {
	// HonourActive makes the portal store the field active, as older pages of
	// the documentation promise. No public version of the server does.
	HonourActive bool `yaml:"honour_active"`
	// Webhooks lets webhooks call biconnector methods, as a self-hosted portal
	// can be set; the cloud answers ACCESS_DENIED. Here they see the objects of
	// the application, so that one state serves both ways.
	Webhooks bool `yaml:"webhooks"`
	// WebhooksApart makes webhooks act as an application of their own,
	// [WebhookClient], as on the real portal: they see nothing of the
	// application's objects, and it sees nothing of theirs.
	WebhooksApart bool `yaml:"webhooks_apart"`
	// NoRights makes every biconnector method answer ACCESS_DENIED: the user
	// lacks a right, or the plan has no BI Builder.
	NoRights bool `yaml:"no_rights"`

	// NoTableMethods is a portal older than biconnector 26.250: it knows the
	// dataset.* family only, and no column type timezone.
	NoTableMethods bool `yaml:"no_table_methods"`
	// DatasetDelete is what dataset.delete does: "fails" with HTTP 500, the
	// default where there is table.delete, or "works", the default elsewhere.
	DatasetDelete string `yaml:"dataset_delete"`
	// NoSupportMapping is a portal older than biconnector 25.1150: a connector
	// has no field supportMapping.
	NoSupportMapping bool `yaml:"no_support_mapping"`
	// NewKeys adds what the newest documentation has and no public server:
	// sourceCode of connectors, csv* of tables, description of columns, the id
	// of a setting in lists.
	NewKeys bool `yaml:"new_keys"`
	// TextCodes gives the errors that had no code those of the newest
	// documentation and code: NAME_EXISTS, also for a name that is twice in a
	// batch, DATASET_ALREADY_EXIST for the names of TakenNames,
	// DUPLICATE_FIELDS, DATASET_UPDATE_ERROR.
	TextCodes bool `yaml:"text_codes"`
	// NoCode is how an error without a code is written: "number", the default,
	// is 0; "text" is "0"; "empty" is "".
	NoCode string `yaml:"no_code"`
	// TextIDs writes the ids of lists as texts, as older samples show them.
	TextIDs bool `yaml:"text_ids"`
	// LetterBooleans writes "Y" and "N" for true and false in what is read, as
	// older samples show them.
	LetterBooleans bool `yaml:"letter_booleans"`
	// NullTexts writes null for descriptions that are not set, instead of "".
	NullTexts bool `yaml:"null_texts"`
	// REST3Errors gives errors at the root the form {"error": {"code",
	// "message"}} of REST 3.0.
	REST3Errors bool `yaml:"rest3_errors"`
	// Fatal is what an uncaught PHP error looks like, always with status 500:
	// "json", the default, "empty" or "page".
	Fatal string `yaml:"fatal"`
	// SyncFails makes fields.update report an error after its changes are
	// applied: the portal could not notify BI Builder.
	SyncFails bool `yaml:"sync_fails"`
	// MaxInputVars is PHP's max_input_vars: how many variables a query string
	// or a form can hold. 0 means 1,000.
	MaxInputVars int `yaml:"max_input_vars"`

	// WholeSeconds floors the stamps of a time object to seconds, as rest
	// 25.700 does: start is whole, processing is 0, 1, 2...
	WholeSeconds bool `yaml:"whole_seconds"`
	// OperatingBilled is to whom the commands of a batch are billed: "nested",
	// the default, to the method of each command, as documented; "batch" to
	// the method batch, as measured on a self-hosted portal; "both", half of it
	// to batch, as in the newest code of the server.
	OperatingBilled string `yaml:"operating_billed"`
	// OperatingBan is how long a method whose time is used up stays shut, as in
	// the newest code of the server, which has 5 minutes; what was used is then
	// forgotten. 0 means until enough of it is ten minutes old.
	OperatingBan time.Duration `yaml:"operating_ban"`
	// HideOperating leaves the figures of the operating time out of all
	// answers, as on a self-hosted portal that does not account it.
	HideOperating bool `yaml:"hide_operating"`

	// ShowAfter is how much later a write shows in what is read: a replica or
	// a cache answers. Checks of writes see it at once.
	ShowAfter time.Duration `yaml:"show_after"`
	// CutTitles stores at most this many characters of a title. 0: all.
	CutTitles int `yaml:"cut_titles"`
	// StoreTexts is what is done to titles and descriptions before they are
	// stored, in this order: "trim"; "escape" &, <, > and quotes as in HTML;
	// "nfc" normalises; "bmp" drops 4-byte characters.
	StoreTexts []string `yaml:"store_texts"`
	// StoreNumbers stores settings that are whole numbers without leading
	// zeros: 007 as 7.
	StoreNumbers bool `yaml:"store_numbers"`
	// ShowSettings is how values of settings are shown: "masked" and "hashed"
	// in lists; "masked_everywhere" in get too; "omitted" leaves the key value
	// out. The default is in clear text.
	ShowSettings string `yaml:"show_settings"`
	// RawBytes sends texts that are not valid UTF-8 as the bytes that they are;
	// without it, what is invalid is written as \ufffd.
	RawBytes bool `yaml:"raw_bytes"`
	// DoubleSettings lists every setting of a source twice, the second time
	// with an empty value.
	DoubleSettings bool `yaml:"double_settings"`
	// OmitKeys are left out of all items of lists and of get.
	OmitKeys []string `yaml:"omit_keys"`
	// Echo makes the text of every error to a call quote the settings that it
	// came with, encoded: "plain", "upper", "base64", "hex", "url", "url2"
	// (twice) or "html" (numeric entities).
	Echo string `yaml:"echo"`

	// Address is the portal's address in answers, as https://acme.example;
	// empty means the one it is asked at.
	Address string `yaml:"address"`
	// OldHosts are hosts that the portal had before it was renamed: what is
	// asked there is redirected to Address.
	OldHosts []string `yaml:"old_hosts"`
	// ClientEndpoint and ServerEndpoint appear in token answers as they are,
	// instead of the portal's own addresses.
	ClientEndpoint string `yaml:"client_endpoint"`
	ServerEndpoint string `yaml:"server_endpoint"`
	// MemberID is the portal's id in token answers.
	MemberID string `yaml:"member_id"`
	// NoRefreshToken leaves the refresh token out of answers to a renewal; the
	// old one then stays good.
	NoRefreshToken bool `yaml:"no_refresh_token"`
	// ExpiredForever calls every access token expired, new ones included.
	ExpiredForever bool `yaml:"expired_forever"`
}

// Values of [Switches].
const (
	BilledNested = "nested" // OperatingBilled
	BilledBatch  = "batch"
	BilledBoth   = "both"

	DatasetDeleteFails = "fails"
	DatasetDeleteWorks = "works"

	NoCodeNumber = "number"
	NoCodeText   = "text"
	NoCodeEmpty  = "empty"

	FatalJSON  = "json"
	FatalEmpty = "empty"
	FatalPage  = "page"

	SettingsMasked           = "masked"
	SettingsMaskedEverywhere = "masked_everywhere"
	SettingsHashed           = "hashed"
	SettingsOmitted          = "omitted"
)

// check looks for values that no switch has.
func (s *Switches) check() *problem {
	for _, c := range []struct {
		key, value string
		known      []string
	}{
		{"operating_billed", s.OperatingBilled, []string{BilledNested, BilledBatch, BilledBoth}},
		{"dataset_delete", s.DatasetDelete, []string{DatasetDeleteFails, DatasetDeleteWorks}},
		{"no_code", s.NoCode, []string{NoCodeNumber, NoCodeText, NoCodeEmpty}},
		{"fatal", s.Fatal, []string{FatalJSON, FatalEmpty, FatalPage}},
		{"show_settings", s.ShowSettings, []string{SettingsMasked, SettingsMaskedEverywhere, SettingsHashed, SettingsOmitted}},
		{"echo", s.Echo, echoes},
	} {
		if c.value != "" && !slices.Contains(c.known, c.value) {
			return problemAt(fmt.Sprintf("unknown value %q: %s", c.value, either(c.known)), c.key)
		}
	}
	for i, v := range s.StoreTexts {
		if _, ok := storedForms[v]; !ok {
			return problemAt(fmt.Sprintf("unknown value %q: bmp, escape, nfc or trim", v), "store_texts", i)
		}
	}
	if s.OperatingBan < 0 || s.ShowAfter < 0 || s.CutTitles < 0 || s.MaxInputVars < 0 {
		return problemAt("operating_ban, show_after, cut_titles and max_input_vars must not be negative")
	}
	if len(s.OldHosts) > 0 && s.Address == "" {
		return problemAt("old_hosts need the new address", "old_hosts")
	}
	return nil
}

// either lists values for a message: "a, b or c".
func either(names []string) string {
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}
