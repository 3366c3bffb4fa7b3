package sandbox

import (
	"time"
)

// Credentials that every sandbox knows. They are invented, open nothing else,
// and are good for examples and tests.
const (
	// WebhookPath is the path of the inbound webhook.
	WebhookPath = "/rest/" + webhookUser + "/" + WebhookCode + "/"
	WebhookCode = "sandbox0webhook0code"
	webhookUser = "1"

	// ClientID and ClientSecret are of the application that owns the sources.
	ClientID     = "local.5a4d0b0c5a4d0b.00000001"
	ClientSecret = "sandbox-client-secret-of-the-application"

	// WebhookClient is the application that all webhooks act as on a portal
	// that lets them in; see [Switches.WebhooksApart].
	WebhookClient = "test_app_id"

	// AccessToken and RefreshToken are the pair the application starts with.
	AccessToken  = "sandbox-access-token-0"
	RefreshToken = "sandbox-refresh-token-0"
)

// auth is whom a request is from.
type auth struct {
	webhook bool
	client  string // the application
	user    int64
}

// tokens are the pairs in circulation.
type tokens struct {
	lifetime time.Duration
	access   map[string]time.Time // when an access token expires; zero: never, or from its first use on
	refresh  map[string]time.Time // the same of refresh tokens: each is good for one renewal
	codes    map[string]time.Time // of the first exchange
	first    bool                 // the initial pair has not been used yet
	issued   int
}

func newTokens(lifetime time.Duration) tokens {
	return tokens{
		lifetime: lifetime,
		access:   map[string]time.Time{AccessToken: {}},
		refresh:  map[string]time.Time{RefreshToken: {}},
		codes:    map[string]time.Time{},
		first:    true,
	}
}

// authenticate finds out whom a request is from: by its path, by the parameter
// auth or access_token, or by the Authorization header.
func (p *Portal) authenticate(t target, req request) (auth, *apiError) {
	if t.webhook != "" {
		if t.user != webhookUser || t.webhook != WebhookCode {
			return auth{}, errNoAuth
		}
		client := ClientID
		if p.cfg.WebhooksApart {
			client = WebhookClient
		}
		return auth{webhook: true, client: client, user: 1}, nil
	}
	token := req.bearer
	for _, key := range []string{"access_token", "auth"} {
		if v, ok := req.params.Get(key); ok {
			token, _ = v.(string)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if p.tokens.first && p.tokens.lifetime > 0 {
		// The initial pair is issued, so to say, by the first request: the
		// portal may have been made under another clock.
		p.tokens.first = false
		if at, ok := p.tokens.access[AccessToken]; ok && at.IsZero() {
			p.tokens.access[AccessToken] = now.Add(p.tokens.lifetime)
		}
	}
	expires, ok := p.tokens.access[token]
	switch {
	case !ok:
		return auth{}, errNoAuth
	case p.cfg.ExpiredForever, !expires.IsZero() && !now.Before(expires):
		p.stats.Expired++
		return auth{}, errExpired
	}
	return auth{client: ClientID, user: 1}, nil
}

// ExpireTokens makes every access token expire at once, as if its hour were
// over. Refresh tokens live on.
func (p *Portal) ExpireTokens() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for token := range p.tokens.access {
		p.tokens.access[token] = time.Unix(0, 0)
	}
}
