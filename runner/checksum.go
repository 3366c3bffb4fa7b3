package runner

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"

	"syncsources/bitrix/secret"
)

// checksum identifies the planned changes: the same for the same changes to
// the same live values on the same portal, and different for any other. It
// covers secret values, so it is keyed with the credentials' secret part:
// without the key nobody can try out passwords against it.
func (c *Changeset) checksum(portal string, key secret.Text) string {
	h := hmac.New(sha256.New, []byte(key.Plain()))
	field(h, "syncsources.plan/3")
	field(h, portal)
	for _, s := range c.steps {
		if s.status != StatusPlanned {
			continue
		}
		field(h, string(s.kind.name))
		field(h, string(s.action))
		field(h, fmt.Sprint(s.id))
		field(h, s.declared.Name)
		field(h, s.title)
		field(h, fmt.Sprint(s.subject.belongsTo()))
		for _, on := range s.depends {
			field(h, on.label())
		}
		field(h, "") // no label is empty, nor a path, so this ends a list
		for _, d := range s.diffs {
			field(h, d.path)
			field(h, fmt.Sprintf("%d%s", d.from.kind, d.from.plain()))
			field(h, fmt.Sprintf("%d%s", d.to.kind, d.to.plain()))
		}
		field(h, "")
	}
	return hex.EncodeToString(h.Sum(nil))
}

// field writes a text with its length, so that no two lists of texts are
// written alike.
func field(h hash.Hash, s string) { _, _ = io.WriteString(h, fmt.Sprintf("%d:%s", len(s), s)) }
