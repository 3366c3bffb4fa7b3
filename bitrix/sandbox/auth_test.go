package sandbox

import (
	"net/http"
	"strings"
	"testing"
)

func TestCredentials(t *testing.T) {
	const ok = ""
	for _, c := range []struct {
		path, body, bearer string
		status             int
		code               any
	}{
		{"/rest/profile", `{"auth":"` + AccessToken + `"}`, "", 200, nil},
		{"/rest/profile", `{"access_token":"` + AccessToken + `"}`, "", 200, nil},
		{"/rest/profile?auth=" + AccessToken, `{}`, "", 200, nil},
		{"/rest/profile", `{}`, AccessToken, 200, nil},
		{WebhookPath + "profile", `{}`, "", 200, nil},
		{"/rest/profile", `{}`, "", 401, "NO_AUTH_FOUND"},
		{"/rest/profile", `{"auth":"nonsense"}`, "", 401, "NO_AUTH_FOUND"},
		{"/rest/profile", `{"auth":["` + AccessToken + `"]}`, "", 401, "NO_AUTH_FOUND"},
		{"/rest/profile", `{"auth":"nonsense"}`, AccessToken, 401, "NO_AUTH_FOUND"}, // the parameter counts
		{"/rest/1/wrong0code/profile", `{}`, "", 401, "NO_AUTH_FOUND"},
		{"/rest/2/" + WebhookCode + "/profile", `{}`, "", 401, "NO_AUTH_FOUND"},
		{"/rest/batch", `{"cmd":["profile"]}`, "", 401, "NO_AUTH_FOUND"},
		{"/rest/nosuch", `{}`, "", 404, "ERROR_METHOD_NOT_FOUND"}, // asked for before the credentials
	} {
		p := newPortal(t, smallState)
		req, _ := http.NewRequest("POST", origin+c.path, strings.NewReader(c.body))
		req.Header.Set("Content-Type", "application/json")
		if c.bearer != ok {
			req.Header.Set("Authorization", "Bearer "+c.bearer)
		}
		r, err := do(p, req)
		if err != nil || r.status != c.status || r.at("error") != c.code || r.at("time") != nil && c.code != nil {
			t.Errorf("%s %s: %v %d %s", c.path, c.body, err, r.status, r.body)
		}
	}
}

// In the cloud a webhook may ask for the fields and no more.
func TestWebhooks(t *testing.T) {
	for method, closed := range map[string]bool{
		"biconnector.source.list": true, "biconnector.source.get": true, "biconnector.source.update": true, "biconnector.source.add": true,
		"biconnector.source.delete": true, "biconnector.connector.list": true, "biconnector.connector.get": true,
		"biconnector.source.fields": false, "biconnector.connector.fields": false, "profile": false, "app.info": false,
	} {
		for _, let := range []bool{false, true} {
			state := smallState
			if let {
				state += "webhooks: true\n"
			}
			p := newPortal(t, state)
			req, _ := http.NewRequest("GET", origin+WebhookPath+method, nil)
			r, err := do(p, req)
			denied := r.at("result", "error", "error") == "ACCESS_DENIED"
			if err != nil || r.status != 200 || denied != (closed && !let) {
				t.Errorf("%s with webhooks %v: %d %s", method, let, r.status, r.body)
			}
		}
	}
	// Inside a batch as well, and there is no error beside the result.
	p := newPortal(t, smallState)
	req, _ := http.NewRequest("GET", origin+WebhookPath+"batch?cmd[a]=biconnector.source.list", nil)
	if r, _ := do(p, req); r.at("result", "result", "a", "error", "error_description") != "Access denied." {
		t.Errorf("%s", r.body)
	}
}

func TestScope(t *testing.T) {
	p := newPortal(t, smallState+"scope: [user_brief]\nwebhooks: true\n")
	r := call(t, p, "biconnector.source.list", `{}`)
	if r.status != 403 || r.at("error") != "insufficient_scope" || !strings.HasSuffix(r.at("error_description").(string), "by the access token") {
		t.Errorf("application: %d %s", r.status, r.body)
	}
	req, _ := http.NewRequest("GET", origin+WebhookPath+"biconnector.source.list", nil)
	if r, _ := do(p, req); r.status != 403 || !strings.HasSuffix(r.at("error_description").(string), "by the webhook token") {
		t.Errorf("webhook: %d %s", r.status, r.body)
	}
	if r := call(t, p, "batch", batchBody("biconnector.source.list", "scope")); r.at("result", "result_error", "c00", "error") != "insufficient_scope" ||
		r.at("result", "result", "c01", 0) != "user_brief" {
		t.Errorf("batch: %s", r.body)
	}
}

func TestRoutes(t *testing.T) {
	p := newPortal(t, smallState+"limits: {unlimited: true}\n")
	for path, status := range map[string]int{
		"/rest/profile": 200, "/rest/profile/": 200, "/rest/profile.json": 200, "/rest/PROFILE.JSON": 200, "/rest//profile": 200,
		WebhookPath + "profile": 200, WebhookPath + "profile.json/": 200,
		"/": 404, "/rest": 404, "/rest/": 404, "/rest/1/profile": 404, "/rest/1/2/3/4": 404, "/oauth/": 404, "/oauth/other": 404, "/api/profile": 404,
		"/oauth/token": 400, "/oauth/token/": 400, "/oauth/authorize": 401,
	} {
		req, _ := http.NewRequest("GET", origin+path, nil)
		req.Header.Set("Authorization", "Bearer "+AccessToken)
		r, err := do(p, req)
		if err != nil || r.status != status {
			t.Errorf("%s: %v %d %s", path, err, r.status, r.body)
		}
	}
	req, _ := http.NewRequest("HEAD", origin+WebhookPath+"profile", nil)
	if r, err := do(p, req); err != nil || r.status != 200 || r.body != "" {
		t.Errorf("HEAD: %v %d %q", err, r.status, r.body)
	}
}
