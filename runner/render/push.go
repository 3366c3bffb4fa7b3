package render

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/push"

	"syncsources/runner"
)

// pushTimeout is how long a Pushgateway has: it stands at the end of a run
// that may have to make room for the next one.
const pushTimeout = 10 * time.Second

// CheckPush tells before a run whether address can be that of a Pushgateway.
func CheckPush(address string) error {
	_, err := pushAddress(address)
	return err
}

// PushMetrics sends what WriteMetrics writes to a Pushgateway, as the job
// syncsources, grouped by portal and command. A user and a password may stand
// in the address; no error repeats them.
//
// It adds to the group and does not replace it: the time of the last success
// stays there over runs that are none.
func PushMetrics(ctx context.Context, address string, r *runner.Report) error {
	u, err := pushAddress(address)
	if err != nil {
		return err
	}
	registry := prometheus.NewRegistry()
	if err := register(registry, r, lastSuccess(r)); err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	user := u.User
	u.User = nil
	p := push.New(u.String(), "syncsources").
		Client(&http.Client{Timeout: pushTimeout}).
		Grouping("portal", portalHost(clean(r.Portal))).
		Grouping("command", r.Command).
		Gatherer(registry)
	if user != nil {
		password, _ := user.Password()
		p.BasicAuth(user.Username(), password)
	}
	if err := p.AddContext(ctx); err != nil {
		return fmt.Errorf("push metrics: %s", clean(err.Error()))
	}
	return nil
}

func pushAddress(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil: // the error would repeat the address
		return nil, errors.New("pushgateway address: it is not a URL")
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, errors.New("pushgateway address: it has to be http://HOST or https://HOST")
	case u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("pushgateway address: it has a query or a fragment")
	}
	return u, nil
}
