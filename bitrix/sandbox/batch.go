package sandbox

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"syncsources/bitrix/sandbox/php"
)

// maxBatch is how many commands a batch runs.
const maxBatch = 50

// batch runs the commands of a batch in the order sent. It counts as one
// request, however many they are.
func (r *run) batch(params *php.Array) (any, timing, *apiError) {
	p := r.p
	billBatch := p.cfg.OperatingBilled == BilledBatch
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
			if res.err == errCut || res.err == errGone {
				if billBatch {
					r.bill(methodBatch, r.start, spent+time.Since(res.time.start))
				}
				return nil, timing{}, res.err
			}
			err = res.err
			if err == nil {
				out["result"].Set(key, res.result)
				out["time"].Set(key, p.figures(res.time))
			}
			spent += res.time.processing
		}
		if err != nil {
			out["error"].Set(key, err.array())
			if isTrue(halt) {
				break
			}
		}
	}
	tm := timing{processing: spent}
	if !billBatch {
		spent = 0
	}
	tm.operating, tm.resetAt = r.bill(methodBatch, r.start, spent)
	return php.Dict("result", out["result"], "result_error", out["error"], "result_total", out["total"],
		"result_next", out["next"], "result_time", out["time"]), tm, nil
}

// command runs one command: a method and a query string.
func (r *run) command(command, key string, done map[string]*php.Array) outcome {
	command, _, _ = strings.Cut(command, "#") // PHP reads it as a URL
	method, query, _ := strings.Cut(command, "?")
	params := php.ParseQuery(query)
	method = methodName(strings.Trim(method, "/"))
	if method == methodBatch {
		return outcome{err: errNotInBatch}
	}
	return r.call(method, methodParams(substitute(params, done).(*php.Array)), key)
}

// isTrue is PHP's (bool) cast.
func isTrue(v any) bool { return !php.Empty(v) }

// reference matches what the server takes for a reference to an earlier
// command's result, such as $result[get][item][connectorId]: all up to the
// next white space, if there is a pair of brackets with something in it.
var (
	reference = regexp.MustCompile(`(?i)\$(result|next|total|time|error)([^ \t\n\v\f\r]*)`)
	brackets  = regexp.MustCompile(`\[([^\]]+)\]`)
)

// substitute replaces the references in all values of a command's parameters,
// in values that were never meant as one too. A value that is nothing but a
// reference becomes what it refers to, whatever its type; inside a longer one
// it becomes text. A path that leads nowhere is followed as far as it goes.
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
			s, ok := php.Text(to)
			if !ok {
				s = "Array" // what PHP makes of an array in a text
			}
			out = strings.ReplaceAll(out, m[0], s)
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

// commandCount tells how many commands a batch has, for the log.
func commandCount(params *php.Array) string {
	cmd, _ := params.Get("cmd")
	a, _ := cmd.(*php.Array)
	return fmt.Sprintf("batch of %d", a.Len())
}
