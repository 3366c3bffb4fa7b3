package sandbox

import (
	"cmp"
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
		return p.rootError(errQueryLimit)
	}
	return r.faulty(t.method, req, func() answer {
		if limit := cmp.Or(p.cfg.RequestTime, 60*time.Second); limit > 0 {
			r.cut = time.Now().Add(limit)
		}
		if err := p.acquire(r.ctx, r.cut); err != nil {
			return p.cutAnswer(err)
		}
		defer p.release()
		r.start = time.Now()
		return r.execute(t, req)
	})
}

// cutAnswer is the answer to a request whose execution ended early.
func (p *Portal) cutAnswer(err *apiError) answer {
	if err == errGone {
		return answer{fate: dropped}
	}
	p.mu.Lock()
	p.stats.Cuts++
	p.mu.Unlock()
	return gatewayPage(http.StatusGatewayTimeout)
}

func (r *run) execute(t target, req request) answer {
	p := r.p
	if _, ok := p.methods[t.method]; !ok && t.method != methodBatch {
		return p.rootError(errNoMethod) // the server asks for the method first
	}
	var err *apiError
	if r.auth, err = p.authenticate(t, req); err != nil {
		return p.rootError(err)
	}
	params := methodParams(req.params)

	var result any
	var tm timing
	var code string // of an error inside result
	contrary := false
	if t.method == methodBatch {
		result, tm, err = r.batch(params)
	} else {
		out := r.call(t.method, params, "")
		result, tm, err, code, contrary = out.result, out.time, out.err, out.inside, out.contrary
	}
	switch {
	case err == errCut || err == errGone:
		return p.cutAnswer(err)
	case err != nil && r.fault == nil:
		return p.rootError(err)
	}
	tm.start, tm.finish = r.start, time.Now()
	a := p.jsonAnswer(http.StatusOK, php.Dict("result", result, "time", p.timeObject(tm)))
	a.code = code
	switch {
	case r.fault != nil:
		return r.fault.answer(p, a)
	case contrary:
		return (&Fault{Kind: FaultContradiction}).answer(p, a)
	}
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
	result   any
	inside   string // the code of an error inside result
	failed   bool   // whether there is one
	contrary bool   // whether an error is reported beside the result
	err      *apiError
	time     timing
}

// call calls a method for the run's client, as a request of its own or, with
// its key, as a command of a batch.
func (r *run) call(name string, params *php.Array, key string) (out outcome) {
	p := r.p
	m, ok := p.methods[name]
	defer func() { p.record(r, name, key, params, out); p.called(name) }()
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
	fault := p.drawFault(aCommand, name, params, nil)
	var err *apiError
	switch {
	case fault != nil && !fault.runs():
		out.result, err = r.fail(fault)
	case m.scope == "biconnector" && p.cfg.NoRights, m.application && r.auth.webhook && !p.cfg.Webhooks:
		err = errAccess
	default:
		out.result, err = m.call(r, params)
	}
	if fault != nil && fault.runs() && err != errCut && err != errGone {
		switch fault.Kind {
		case FaultContradiction:
			out.contrary = true
		case FaultSlow:
			if late := r.work(fault.delay(10 * time.Second)); late != nil {
				err = late
			}
		default:
			out.result, err = r.fail(fault)
		}
	}
	out.time.finish = time.Now()
	out.time.processing = out.time.finish.Sub(out.time.start)
	billed := out.time.processing
	if !nested {
		billed = 0
	}
	out.time.operating, out.time.resetAt = r.bill(name, out.time.start, billed)
	if err == nil {
		return out
	}
	if p.cfg.Echo != "" && err != errCut && err != errGone {
		quoting := *err
		quoting.desc = p.echo(err.desc, params)
		err = &quoting
	}
	if err.inside() {
		out.result, out.inside, out.failed = php.Dict("error", p.errorArray(err)), err.code, true
	} else {
		out.err = err
	}
	return out
}

// fail is what a command gets that a fault struck: an answer of its own, or
// the end of the request.
func (r *run) fail(f *Fault) (any, *apiError) {
	switch f.Kind {
	case FaultFalse:
		return false, nil
	case FaultError:
		status := f.Status
		if status == http.StatusOK {
			status = 0 // inside the command's result
		}
		return nil, &apiError{status: status, code: f.Code, desc: f.Description}
	}
	r.fault = f
	return nil, errFatal
}
