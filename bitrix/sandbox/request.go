package sandbox

import (
	"bytes"
	"cmp"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"syncsources/bitrix/sandbox/php"
)

// request is what the portal looks at of an HTTP request.
type request struct {
	verb   string
	path   string
	host   string
	https  bool
	params *php.Array // of the query string and the body
	body   []byte     // as it was sent
	bearer string     // of the Authorization header
}

// maxBody is PHP's post_max_size: a larger body counts as empty.
const maxBody = 8 << 20

// readRequest takes in an HTTP request. A body that cannot be read in full is
// an error; one that says nothing to the portal is empty, as with PHP.
func (p *Portal) readRequest(r *http.Request) (request, error) {
	req := request{
		verb: r.Method, path: r.URL.Path, host: r.Host,
		https:  r.TLS != nil || r.URL.Scheme == "https",
		params: php.ParseQuery(r.URL.RawQuery, p.cfg.MaxInputVars),
	}
	req.host = cmp.Or(req.host, r.URL.Host)
	if scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		req.bearer = token
	}
	if r.Body == nil || r.Method == http.MethodGet || r.Method == http.MethodHead {
		return req, nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return req, err
	}
	if len(body) > maxBody {
		return req, nil
	}
	req.body = body
	if more := p.bodyParams(r.Header.Get("Content-Type"), body); more != nil {
		for k, v := range more.All() {
			req.params.Set(k, v)
		}
	}
	return req, nil
}

// bodyParams reads the parameters of a body: a JSON object, a multipart form,
// or, whatever the content type says, a query string. JSON with an error in it
// holds none, and JSON without its content type is a query string with a
// strange name in it: so it goes with curl's default.
func (p *Portal) bodyParams(contentType string, body []byte) *php.Array {
	media, params, _ := mime.ParseMediaType(contentType)
	switch media {
	case "application/json":
		v, err := php.DecodeJSON(php.Trim(string(body)))
		if err != nil {
			return nil
		}
		a, _ := v.(*php.Array)
		return a
	case "multipart/form-data":
		a := &php.Array{}
		for mr := multipart.NewReader(bytes.NewReader(body), params["boundary"]); ; {
			part, err := mr.NextPart()
			if err != nil {
				return a
			}
			if val, err := io.ReadAll(part); err == nil && part.FileName() == "" {
				a.Register(part.FormName(), string(val))
			}
		}
	}
	return php.ParseQuery(php.Trim(string(body)), p.cfg.MaxInputVars)
}

// target is what a request's path names.
type target struct {
	method  string // of the REST API in lower case, or a name of our own for the authorization server's
	user    string // of a webhook
	webhook string // its code; empty for an application
}

// Names for the authorization server's addresses.
const (
	methodAuthorize = "oauth/authorize"
	methodToken     = "oauth/token"
)

// route reads a path: /rest/METHOD, /rest/USER/CODE/METHOD, /oauth/…, each
// with or without a slash at its end and a format such as .json. Method names
// are case-insensitive.
func route(path string) (target, bool) {
	parts := strings.FieldsFunc(path, func(c rune) bool { return c == '/' })
	switch {
	case len(parts) == 2 && parts[0] == "oauth":
		m := parts[0] + "/" + parts[1]
		return target{method: m}, m == methodAuthorize || m == methodToken
	case len(parts) == 2 && parts[0] == "rest":
		return target{method: methodName(parts[1])}, true
	case len(parts) == 4 && parts[0] == "rest":
		return target{user: parts[1], webhook: parts[2], method: methodName(parts[3])}, true
	}
	return target{}, false
}

func methodName(s string) string {
	return strings.TrimSuffix(strings.ToLower(s), ".json")
}

// serve answers a request, taking all the time that a portal takes for it.
func (r *run) serve(req request) answer {
	defer r.end()
	p := r.p
	arrived := time.Now()
	t, known := route(req.path)
	if r.sleep(p.cfg.Latency/2) != nil {
		return answer{fate: dropped}
	}
	var a answer
	switch {
	case slices.ContainsFunc(p.cfg.OldHosts, func(old string) bool { return strings.EqualFold(old, hostname(req.host)) }):
		to := r.address()
		a = answer{status: http.StatusFound, location: to.Scheme + "://" + to.Host + req.path}
	case !known:
		a = answer{status: http.StatusNotFound, contentType: "text/html", body: []byte("<html><body>404 Not Found</body></html>\n")}
	case req.verb == http.MethodOptions:
		a = answer{status: http.StatusOK, contentType: contentJSON} // a browser asks whether it may
	case t.method == methodAuthorize:
		a = r.authorize(req)
	case t.method == methodToken:
		a = r.faulty(t.method, req, func() answer { return r.token(req) })
	default:
		a = r.rest(t, req)
	}
	if r.sleep(p.cfg.Latency-p.cfg.Latency/2) != nil {
		a = answer{fate: dropped}
	}
	if req.verb == http.MethodHead {
		a.body = nil
	}
	p.logAccess(arrived, req, t.method, a)
	return a
}

func hostname(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		return h
	}
	return host
}

// faulty gives an answer, or what a fault makes of it.
func (r *run) faulty(method string, req request, real func() answer) answer {
	f := r.p.drawFault(aRequest, method, req.params, req.body)
	if f == nil {
		return real()
	}
	var a answer // of a request that is not executed
	if f.runs() {
		a = real()
	}
	if f.Kind == FaultSlow && r.sleep(f.delay(10*time.Second)) != nil {
		a.fate = dropped
	}
	return f.answer(r.p, a)
}
