package signin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/oauth2"

	"syncsources/bitrix"
	"syncsources/bitrix/auth"
	"syncsources/bitrix/rest"
	"syncsources/bitrix/secret"
	"syncsources/cmd/syncsources/option"
)

// Config is what credentials need of the process around them.
type Config struct {
	Env       option.Environment
	Transport http.RoundTripper // nil: the network
	UserAgent string
	Logger    *slog.Logger
}

// Credentials are those of a portal: a webhook, an application with a token
// that is given, or one with a token that is renewed.
type Credentials struct {
	bitrix.Credentials
	// Kind says which: "a webhook", "a given access token", "an application".
	Kind string
	// Application is set where the token is renewed.
	Application *Application
	// Database is the store of several machines, nil without one.
	Database *auth.Database
	shared   bool // with other portals, and closed by Portals
}

// Close ends the connections to the store.
func (c *Credentials) Close() {
	if c.Database != nil && !c.shared {
		c.Database.Close()
	}
}

// Locks are the locks of applies that belong to the store, or files.
func (c *Credentials) Locks(e option.Environment) auth.Locks {
	if c.Database != nil {
		return c.Database
	}
	return auth.NewFileLocks(LockDirectories(e)...)
}

// settings are the credentials of one portal as they were written down, in the
// environment or in a portals file.
type settings struct {
	portal, clientID, oauth      string
	tokenFile, tokenHelper       string
	webhook, token               secret.Text
	clientSecret, refresh        secret.Text
	store, storeKey, storeKeyOld secret.Text
	opened                       *auth.Database // the store, where it is open already; whoever opened it closes it
}

// ApplicationFromEnvironment makes the credentials of an application whose
// token is renewed, whatever others are in the environment.
func ApplicationFromEnvironment(ctx context.Context, conf Config) (*Credentials, error) {
	s, err := fromEnvironment(ctx, conf)
	if err != nil {
		return nil, err
	}
	return s.renewing(conf)
}

// FromEnvironment makes the credentials that the environment describes. What
// is missing or malformed is an *Error that names the variables; the values are
// in no error. Nothing is sent.
func FromEnvironment(ctx context.Context, conf Config) (*Credentials, error) {
	s, err := fromEnvironment(ctx, conf)
	if err != nil {
		return nil, err
	}
	return s.credentials(conf)
}

// PortalOf is the address of the portal that the environment's credentials are
// for, empty where they name none that can be read.
func PortalOf(ctx context.Context, e option.Environment) string {
	address, err := secretVariable(ctx, e, Webhook)
	if err != nil {
		return ""
	}
	if c, err := bitrix.Webhook(address.Plain()); err == nil {
		return c.Portal()
	}
	if u, err := rest.ParseHost(rest.ThePortal, e.Get(Portal)); err == nil {
		return u.String()
	}
	return ""
}

func fromEnvironment(ctx context.Context, conf Config) (*settings, error) {
	e := conf.Env
	if err := rest.CheckProxy(e.Get); err != nil {
		return nil, refuse(err.Error())
	}
	s := &settings{
		portal: strings.TrimSpace(e.Get(Portal)), clientID: strings.TrimSpace(e.Get(ClientID)), oauth: strings.TrimSpace(e.Get(OAuth)),
		tokenFile: e.Get(TokenFile), tokenHelper: e.Get(TokenHelper),
	}
	for _, v := range []struct {
		name   string
		target *secret.Text
	}{
		{Webhook, &s.webhook}, {AccessToken, &s.token}, {ClientSecret, &s.clientSecret}, {RefreshToken, &s.refresh},
		{Store, &s.store}, {StoreKey, &s.storeKey}, {StoreKeyOld, &s.storeKeyOld},
	} {
		var err error
		if *v.target, err = secretVariable(ctx, e, v.name); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// credentials decides which kind of credentials is meant.
func (s *settings) credentials(conf Config) (*Credentials, error) {
	var renewing, kinds []string
	for _, v := range []struct{ name, value string }{
		{ClientID, s.clientID}, {ClientSecret, s.clientSecret.Plain()}, {TokenFile, s.tokenFile}, {TokenHelper, s.tokenHelper}, {RefreshToken, s.refresh.Plain()},
	} {
		if strings.TrimSpace(v.value) != "" {
			renewing = append(renewing, v.name)
		}
	}
	for _, kind := range []struct {
		set  bool
		name string
	}{{s.webhook.Plain() != "", Webhook}, {s.token.Plain() != "", AccessToken}, {len(renewing) > 0, option.Enumerate(renewing, "and")}} {
		if kind.set {
			kinds = append(kinds, kind.name)
		}
	}
	switch {
	case len(kinds) > 1:
		all := "both"
		if len(kinds) > 2 || len(renewing) > 1 {
			all = "all"
		}
		return nil, refuse(strings.Join(kinds, " and ")+" are "+all+" set",
			"these are different kinds of credentials; set one kind and unset the other")
	case s.webhook.Plain() != "":
		return s.webhookCredentials(conf)
	case s.token.Plain() != "":
		return s.givenToken(conf)
	case len(renewing) > 0:
		return s.renewing(conf)
	}
	return nil, refuse("no credentials in the environment",
		"set "+Portal+" and "+AccessToken+" for an application, or "+Webhook+" for a webhook",
		"for a token that syncsources renews, set "+option.Enumerate([]string{Portal, ClientID, ClientSecret, TokenFile}, "and")+", then run: syncsources login",
		"to try the program without a portal, use --sandbox FILE")
}

// webhookCredentials are those of an inbound webhook. Its address names the
// portal; another one beside it is a mistake.
func (s *settings) webhookCredentials(conf Config) (*Credentials, error) {
	c, err := bitrix.Webhook(s.webhook.Plain())
	if err != nil {
		return nil, refuse(Webhook + ": " + err.Error())
	}
	if s.portal != "" && rest.HostPort(s.portal) != rest.HostPort(c.Portal()) {
		return nil, refuse(fmt.Sprintf("%s is a webhook of %s, but %s names another portal", Webhook, c.Portal(), Portal),
			"make both name the same portal")
	}
	return s.withDatabase(conf, &Credentials{Credentials: c, Kind: "a webhook"})
}

// givenToken are the credentials of an application whose token somebody else
// keeps fresh.
func (s *settings) givenToken(conf Config) (*Credentials, error) {
	if s.portal == "" {
		return nil, refuse(AccessToken+" is set, but "+Portal+" is not", "set "+Portal+" to the portal's address, https://acme.bitrix24.com")
	}
	tokens := oauth2.StaticTokenSource(&oauth2.Token{AccessToken: s.token.Plain()})
	c, err := bitrix.Application(s.portal, tokens, s.token)
	if err != nil {
		return nil, refuse(Portal + ": " + err.Error())
	}
	return s.withDatabase(conf, &Credentials{Credentials: c, Kind: "a given access token"})
}

// withDatabase adds the store, if there is one: it keeps locks as well.
func (s *settings) withDatabase(conf Config, c *Credentials) (*Credentials, error) {
	var err error
	c.shared = s.opened != nil
	c.Database, err = s.database(conf)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// database opens the store of several machines, nil without one.
func (s *settings) database(conf Config) (*auth.Database, error) {
	switch {
	case s.opened != nil:
		return s.opened, nil
	case s.store.Plain() == "":
		return nil, nil
	}
	if s.storeKey.Plain() == "" {
		return nil, refuse(StoreKey+" is not set", "set it to the same key on every machine; this makes one: openssl rand -base64 32")
	}
	d, err := auth.OpenDatabase(auth.DatabaseConfig{URL: s.store, Key: s.storeKey, OldKey: s.storeKeyOld, Logger: conf.Logger})
	if key := (*auth.KeyError)(nil); errors.As(err, &key) {
		name := StoreKey
		if key.Old {
			name = StoreKeyOld
		}
		return nil, refuse(name+": "+err.Error(), "it takes 32 random bytes in base64; this makes them: openssl rand -base64 32")
	}
	if err != nil {
		return nil, refuse(Store + ": " + err.Error())
	}
	return d, nil
}

// LockDirectories are the directories for locks, of which the first one that
// can be used counts: the state directory, which lasts and is the same for cron
// as for a login of the same user, then directories that are not there
// everywhere. None of them is one that others may write to.
func LockDirectories(e option.Environment) []string {
	var dirs []string
	own := fmt.Sprintf("syncsources-%d", os.Getuid())
	if dir := e.Get("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		dirs = append(dirs, filepath.Join(dir, "syncsources"))
	}
	if home := e.Get("HOME"); filepath.IsAbs(home) {
		dirs = append(dirs, filepath.Join(home, ".local", "state", "syncsources"))
	} else if local := e.Get("LocalAppData"); local != "" { // Windows
		dirs = append(dirs, filepath.Join(local, "syncsources"))
	}
	for _, parent := range []string{e.Get("XDG_RUNTIME_DIR"), "/run/lock", e.Get("TMPDIR"), os.TempDir()} {
		if info, err := os.Stat(parent); err == nil && info.IsDir() {
			dirs = append(dirs, filepath.Join(parent, own))
		}
	}
	return dirs
}
