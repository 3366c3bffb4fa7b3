package sandbox

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// Whatever is sent, the portal answers, with JSON that can be read.
func FuzzRequest(f *testing.F) {
	for _, s := range [][3]string{
		{"biconnector.source.update", "application/json", docsUpdate},
		{"biconnector.source.add", "application/json", `{"fields":{"title":"T","connectorId":"2","settings":{"token":1.5}}}`},
		{"biconnector.source.list", "application/json", `{"filter":{"logic":"OR","0":{"id":4},"%title":"o"},"order":{"id":"DESC"},"select":["*"],"page":"1e3"}`},
		{"biconnector.source.get", "application/x-www-form-urlencoded", "id=+4&auth[]=x"},
		{"biconnector.source.delete", "multipart/form-data; boundary=b", multipartForm("id", "4")},
		{"biconnector.connector.list", "", "filter[!%title]=a&select[]=id"},
		{"batch", "application/json", `{"halt":1,"cmd":{"a":"biconnector.source.get?id=4","b":"scope?full=$result[a][item]","c":["x"]}}`},
		{"batch", "", "cmd[]=profile&cmd[a.b]=server.time%3Fx%5B%5D%3D%24time%5B0%5D"},
		{"biconnector.connector.add", "application/json", connectorFields("settings", `[{"code":"a","name":1,"type":"INT"}]`)},
		{"biconnector.connector.update", "", "id=1&fields[settings][][code]=x&fields[title]=%ff"},
		{"biconnector.table.add", "application/json", tableFields("fields", `[{"name":["A"],"externalCode":1.5,"type":"int"},5]`)},
		{"biconnector.dataset.delete", "application/json", `{"id":"2e1"}`},
		{"biconnector.table.fields.update", "application/json", `{"id":20,"add":[{"name":"A","externalCode":"a","type":"int"}],"update":[{"id":1,"visible":[]}],"delete":{"a":1}}`},
		{"biconnector.table.list", "application/json", `{"filter":{"name":"%_\u0000","@id":[1,"2"],"sourceId":[10]},"select":["*","fields"],"order":{"fields":"x","name":"desc"}}`},
		{"batch", "application/json", `{"cmd":["biconnector.dataset.add?fields=$result[x]","biconnector.table.delete?id=20","biconnector.source.update?id=10&fields[settings]=$time[0]"]}`},
		{"app.info", "application/json", `[[[]],{}]`},
		{"scope", "application/json", `"text"`},
	} {
		f.Add(s[0], s[1], s[2])
	}
	f.Fuzz(func(t *testing.T, method, contentType, body string) {
		p := newPortal(t, kindsState+"webhooks: true\nhonour_active: true\nstore_texts: [trim, escape, nfc, bmp]\nstore_numbers: true\ncut_titles: 9\necho: html\n")
		r, err := http.NewRequest("POST", origin+WebhookPath+url.PathEscape(method), strings.NewReader(body))
		if err != nil {
			t.Skip()
		}
		r.Header.Set("Content-Type", contentType)
		out, err := do(p, r)
		check(t, err)
		if out.header.Get("Content-Type") == contentJSON && !json.Valid([]byte(out.body)) {
			t.Errorf("%d %s", out.status, out.body)
		}
	})
}
