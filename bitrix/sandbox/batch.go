package sandbox

import (
	"regexp"
	"strings"
	"time"

	"syncsources/bitrix/sandbox/php"
)

const maxBatch = 50

// batch runs the commands of a batch in the order sent. It counts as one
// request, however many they are.
func (r *run) batch(params *php.Array) (any, timing, *apiError) {
	p := r.p
	billBatch := p.cfg.OperatingBilled == BilledBatch || p.cfg.OperatingBilled == BilledBoth
	weight := time.Duration(1)
	if p.cfg.OperatingBilled == BilledBoth {
		weight = 2 // of which the batch counts one part
	}
	if billBatch && p.exhausted(r.auth.client, methodBatch) {
		p.record(r, methodBatch, "", params, outcome{err: errOperating})
		return nil, timing{}, errOperating
	}
	p.record(r, methodBatch, "", params, outcome{})

	// PHP code asks for the parameters of a batch in any case of letters.
	var halt any
	var commands *php.Array
	for k, v := range params.All() {
		switch strings.ToLower(k) {
		case "halt":
			halt = v
		case "cmd":
			commands, _ = v.(*php.Array)
		}
	}

	out := map[string]*php.Array{"result": {}, "error": {}, "total": {}, "next": {}, "time": {}}
	var spent time.Duration
	result := php.Dict("result", out["result"], "result_error", out["error"], "result_total", out["total"],
		"result_next", out["next"], "result_time", out["time"])
	i := -1
	for key, v := range commands.All() {
		i++
		var err *apiError
		if i >= maxBatch {
			err = errBatchLength
		} else {
			command, ok := v.(string)
			if !ok {
				continue // neither run nor answered
			}
			res := r.command(command, key, out)
			if err = res.err; err == errCut || err == errGone || err != nil && err.fatal {
				// One uncaught error of PHP ends the batch without an answer,
				// whatever ran before.
				if billBatch {
					r.bill(methodBatch, r.start, (spent+time.Since(res.time.start))/weight)
				}
				return result, timing{}, err
			}
			if err == nil {
				out["result"].Set(key, res.result)
				out["time"].Set(key, p.timeObject(res.time))
			}
			if res.contrary {
				out["error"].Set(key, p.errorArray(errInternal))
			}
			spent += res.time.processing
		}
		if err != nil {
			// Errors of the biconnector methods are results: halt is blind to them.
			out["error"].Set(key, p.errorArray(err))
			if !php.Empty(halt) {
				break
			}
		}
	}
	tm := timing{processing: spent}
	if !billBatch {
		spent = 0
	}
	tm.operating, tm.resetAt = r.bill(methodBatch, r.start, spent/weight)
	return result, tm, nil
}

// command runs one command: a method and a query string.
func (r *run) command(command, key string, done map[string]*php.Array) outcome {
	command, _, _ = strings.Cut(command, "#") // PHP reads it as a URL
	method, query, _ := strings.Cut(command, "?")
	params := php.ParseQuery(query, r.p.cfg.MaxInputVars)
	method = methodName(strings.Trim(method, "/"))
	if method == methodBatch {
		return outcome{err: errNotInBatch}
	}
	return r.call(method, methodParams(substitute(params, done).(*php.Array)), key)
}

// reference matches what the server takes for a reference to an earlier
// command's result, such as $result[get][item][connectorId]: all up to the
// next white space, if there is a pair of brackets with something in it.
var (
	reference = regexp.MustCompile(`(?i)\$(result|next|total|time|error)([^ \t\n\v\f\r]*)`)
	brackets  = regexp.MustCompile(`\[([^\]]+)\]`)
)

// substitute replaces the references in all values of a command's parameters,
// in values that were never meant as one too. A value that is nothing but a
// reference becomes what it refers to, whatever its type: an unknown key leads
// to the map reached so far, a word in capitals to null. Inside a longer value
// a reference counts only if it leads to a text or a number.
func substitute(v any, done map[string]*php.Array) any {
	switch v := v.(type) {
	case *php.Array:
		for key, val := range v.All() {
			v.Set(key, substitute(val, done))
		}
	case string:
		if !strings.Contains(v, "$") {
			return v
		}
		out := v
		for _, m := range reference.FindAllStringSubmatch(v, -1) {
			path := brackets.FindAllStringSubmatch(m[2], -1)
			if path == nil {
				continue
			}
			to := refer(done, m[1], path)
			if m[0] == v {
				return to
			}
			switch to.(type) {
			case string, int64, float64:
				out = strings.ReplaceAll(out, m[0], php.String(to))
			}
		}
		return out
	}
	return v
}

// refer follows a path into the results so far. The word that it begins with
// is found in any case of letters, and names a map in lower case only.
func refer(done map[string]*php.Array, word string, path [][]string) any {
	a, ok := done[word]
	if !ok {
		return nil
	}
	var at any = a
	for _, step := range path {
		a, ok := at.(*php.Array)
		if !ok || !a.IsSet(step[1]) {
			break
		}
		at, _ = a.Get(step[1])
	}
	return at
}
