package sandbox

import (
	"net/http"
	"slices"
	"time"

	"syncsources/bitrix/sandbox/php"
)

// methodBatch is the method that carries others.
const methodBatch = "batch"

// rest answers a call of the REST API: the bucket first, then the queue, the
// credentials, and the method.
func (r *run) rest(t target, req request) answer {
	p := r.p
	p.mu.Lock()
	p.stats.Requests++
	admitted := p.bucket.take(time.Now())
	if !admitted {
		p.stats.Refused++
	}
	p.mu.Unlock()
	if !admitted {
		return rootError(errQueryLimit)
	}
	return r.faulty(t.method, func() answer {
		if limit := p.requestTime(); limit > 0 {
			r.cut = time.Now().Add(limit)
		}
		if err := p.acquire(r.ctx, r.cut); err != nil {
			return p.broken(err)
		}
		defer p.release()
		r.start = time.Now()
		return r.execute(t, req)
	})
}

func (p *Portal) requestTime() time.Duration {
	if p.cfg.RequestTime == 0 {
		return 60 * time.Second
	}
	return p.cfg.RequestTime
}

// broken is the answer to a request whose execution ended early.
func (p *Portal) broken(err *apiError) answer {
	if err == errGone {
		return answer{fate: dropped}
	}
	p.mu.Lock()
	p.stats.Cuts++
	p.mu.Unlock()
	return gatewayPage(http.StatusGatewayTimeout)
}

func (r *run) execute(t target, req request) answer {
	if _, ok := methods[t.method]; !ok && t.method != methodBatch {
		return rootError(errNoMethod) // the server asks for the method first
	}
	var err *apiError
	if r.auth, err = r.p.authenticate(t, req); err != nil {
		return rootError(err)
	}
	params := methodParams(req.params)

	var result any
	var tm timing
	var code string // of an error inside result
	if t.method == methodBatch {
		result, tm, err = r.batch(params)
	} else {
		out := r.call(t.method, params, "")
		result, tm, err, code = out.result, out.time, out.err, out.inside
	}
	switch {
	case err == errCut || err == errGone:
		return r.p.broken(err)
	case err != nil:
		return rootError(err)
	}
	tm.start, tm.finish = r.start, time.Now()
	a := jsonAnswer(http.StatusOK, php.Dict("result", result, "time", r.p.figures(tm)))
	a.code = code
	return a
}

// methodParams is what a method sees of the parameters: credentials, the state
// to sign, and the offset of a list are the server's own.
func methodParams(params *php.Array) *php.Array {
	return params.Without(func(k string) bool {
		return k == "auth" || k == "access_token" || k == "state" || k == "start"
	})
}

// outcome is what a method of the REST API returned.
type outcome struct {
	result any
	inside string // the code of an error inside result
	failed bool   // whether there is one
	err    *apiError
	time   timing
}

// call calls a method for the run's client, as a request of its own or, with
// its key, as a command of a batch.
func (r *run) call(name string, params *php.Array, key string) (out outcome) {
	p := r.p
	defer func() { p.record(r, name, key, params, out) }()
	m, ok := methods[name]
	switch {
	case !ok:
		return outcome{err: errNoMethod}
	case m.scope != "" && !slices.Contains(p.cfg.Scope, m.scope):
		if r.auth.webhook {
			return outcome{err: errNoScopeWebhook}
		}
		return outcome{err: errNoScope}
	}
	// Who pays: the method, or the batch that carries it.
	nested := key == "" || p.cfg.OperatingBilled != BilledBatch
	if nested && p.exhausted(r.auth.client, name) {
		return outcome{err: errOperating}
	}

	out.time.start = time.Now()
	var err *apiError
	if m.application && r.auth.webhook && !p.cfg.Webhooks {
		err = errAccess
	} else {
		out.result, err = m.call(r, params)
	}
	out.time.finish = time.Now()
	out.time.processing = out.time.finish.Sub(out.time.start)
	billed := out.time.processing
	if !nested {
		billed = 0
	}
	out.time.operating, out.time.resetAt = r.bill(name, out.time.start, billed)
	switch {
	case err == nil:
	case err.inside():
		out.result, out.inside, out.failed = php.Dict("error", err.array()), err.code, true
	default:
		out.err = err
	}
	return out
}
