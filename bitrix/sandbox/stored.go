package sandbox

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"syncsources/bitrix/sandbox/php"
)

// storedForms are what a portal may do to a text before it stores it.
var storedForms = map[string]func(string) string{
	"trim":   php.Trim,
	"escape": php.EscapeHTML,
	"nfc":    norm.NFC.String,
	"bmp": func(s string) string {
		return strings.Map(func(r rune) rune {
			if r > 0xffff {
				return -1
			}
			return r
		}, s)
	},
}

// text is how the portal stores a title or description.
func (p *Portal) text(s string) string {
	for _, name := range []string{"trim", "escape", "nfc", "bmp"} {
		if slices.Contains(p.cfg.StoreTexts, name) {
			s = storedForms[name](s)
		}
	}
	return s
}

// title is how the portal stores a title.
func (p *Portal) title(s string) string {
	s = p.text(s)
	if n := p.cfg.CutTitles; n > 0 {
		if r := []rune(s); len(r) > n {
			s = string(r[:n])
		}
	}
	return s
}

// setting is how the portal stores the value of a setting.
func (p *Portal) setting(s string) string {
	s = php.Trim(s)
	if p.cfg.StoreNumbers && s != "" && strings.Trim(s, "0123456789") == "" {
		if s = strings.TrimLeft(s, "0"); s == "" {
			s = "0"
		}
	}
	return s
}

// showSetting is the value of a setting in an answer, and whether it is there.
func (p *Portal) showSetting(s string, list bool) (string, bool) {
	const mask = "********"
	switch p.cfg.ShowSettings {
	case SettingsMasked:
		if list {
			return mask, true
		}
	case SettingsMaskedEverywhere:
		return mask, true
	case SettingsHashed:
		if list {
			sum := md5.Sum([]byte(s))
			return hex.EncodeToString(sum[:]), true
		}
	case SettingsOmitted:
		return "", false
	}
	return s, true
}

var echoes = []string{"plain", "upper", "base64", "hex", "url", "url2", "html"}

// echo quotes the settings of a call in a text, if the portal is such a one.
func (p *Portal) echo(desc string, params *php.Array) string {
	if p.cfg.Echo == "" {
		return desc
	}
	for code, v := range params.Sub("fields").Sub("settings").All() {
		s := php.String(v)
		switch p.cfg.Echo {
		case "upper":
			s = strings.ToUpper(s)
		case "base64":
			s = base64.StdEncoding.EncodeToString([]byte(s))
		case "hex":
			s = hex.EncodeToString([]byte(s))
		case "url":
			s = url.QueryEscape(s)
		case "url2":
			s = url.QueryEscape(url.QueryEscape(s))
		case "html":
			var b strings.Builder
			for _, r := range s {
				fmt.Fprintf(&b, "&#%d;", r)
			}
			s = b.String()
		}
		desc += " " + code + "=" + s
	}
	return desc
}
