package signin

import (
	"context"
	"errors"
	"strings"

	"syncsources/bitrix/auth"
	"syncsources/bitrix/secret"
	"syncsources/manifest"
)

// Portals makes the credentials of the portals of a file. Their token pairs and
// locks share one store.
type Portals struct {
	conf   Config
	shared *settings // store and keys only
	store  *auth.Database
}

// OpenPortals opens the store that a portals file or the environment names;
// without one, pairs and locks are in files. What is wrong with a reference is
// a finding; other errors are an *Error.
func OpenPortals(ctx context.Context, conf Config, file *manifest.Portals) (*Portals, []*manifest.Finding, error) {
	environment, err := fromEnvironment(ctx, conf)
	if err != nil {
		return nil, nil, err
	}
	p := &Portals{conf: conf, shared: &settings{store: environment.store, storeKey: environment.storeKey, storeKeyOld: environment.storeKeyOld}}
	if file.Store != nil {
		text, finding := file.Store.Text(conf.Env.Lookup)
		if finding != nil {
			return nil, []*manifest.Finding{finding}, nil
		}
		p.shared.store = text
	}
	p.store, err = p.shared.database(conf)
	return p, nil, err
}

// Close ends the connections to the store.
func (p *Portals) Close() {
	if p.store != nil {
		p.store.Close()
	}
}

// Of are the credentials of one portal of the file. Nothing is sent.
func (p *Portals) Of(config *manifest.PortalConfig) (*Credentials, []*manifest.Finding, error) {
	c := &config.Credentials
	s := &settings{portal: config.URL, oauth: c.OAuthURL, tokenFile: c.TokenFile, tokenHelper: c.TokenHelper, opened: p.store}
	if p.store != nil && s.tokenFile == "" && s.tokenHelper == "" {
		s.store = p.shared.store
	}
	var clientID secret.Text
	var findings []*manifest.Finding
	for _, v := range []struct {
		from *manifest.Credential
		to   *secret.Text
	}{
		{c.WebhookURL, &s.webhook}, {c.AccessToken, &s.token}, {c.ClientID, &clientID}, {c.ClientSecret, &s.clientSecret}, {c.RefreshToken, &s.refresh},
	} {
		if v.from == nil {
			continue
		}
		text, finding := v.from.Text(p.conf.Env.Lookup)
		if finding != nil {
			findings = append(findings, finding)
		}
		*v.to = secret.New(strings.TrimSpace(text.Plain()))
	}
	if len(findings) > 0 {
		return nil, findings, nil
	}
	s.clientID = clientID.Plain()
	credentials, err := s.credentials(p.conf)
	var e *Error
	switch {
	case errors.As(err, &e):
		e.Message = fileKeys.Replace(e.Message)
		for i := range e.Hints {
			e.Hints[i] = fileKeys.Replace(e.Hints[i])
		}
	case err == nil && credentials.Application != nil:
		credentials.Application.where = fileKeys.Replace(credentials.Application.where)
	}
	return credentials, nil, err
}

// fileKeys names what a portals file has in the place of variables.
var fileKeys = strings.NewReplacer(
	Webhook, "webhook_url", AccessToken, "access_token", ClientID, "client_id", ClientSecret, "client_secret",
	RefreshToken, "refresh_token", TokenFile, "token_file", TokenHelper, "token_helper", OAuth, "oauth_url", Portal, "url",
)
