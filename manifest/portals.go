package manifest

import (
	"path/filepath"
	"strconv"
	"time"
)

// Portals is a portals file: the portals of one run.
type Portals struct {
	// Store is the database that several machines share; nil: none.
	Store *Credential
	// Portals are in the order of the file.
	Portals []PortalConfig
}

// PortalConfig is what a portals file says of one portal, the file's defaults
// included. Paths are joined with the directory of the file.
type PortalConfig struct {
	Name        string // unique in the file; where none is given the host
	URL         string // http or https, a host, perhaps a port; perhaps one slash at the end
	Manifests   []string
	EnvFile     string // "": none
	Credentials Credentials
	Limits      Limits
}

// Credentials say how to sign in to a portal. What is nil or empty is not
// given.
type Credentials struct {
	WebhookURL, AccessToken, ClientID, ClientSecret, RefreshToken *Credential
	TokenFile                                                     string
	TokenHelper                                                   string // a program and its arguments
	OAuthURL                                                      string
}

// Limits are a portal's limits. What is nil or 0 is not given.
type Limits struct {
	Tariff      string // standard or enterprise
	Rate        float64
	Burst       int
	Concurrency int
	BatchSize   int
	Operating   *time.Duration // 0: none
	RequestTime time.Duration
}

// PortalsOptions says how LoadPortals works. The zero value leaves out what
// the JSON Schema says.
type PortalsOptions struct {
	// Check reports what the file says against the JSON Schema; use
	// schema.CheckPortals.
	Check func(*Document) []*Finding
	// Host returns the host of an address: the default name of a portal; nil:
	// in lower case, with its port.
	Host func(address string) string
}

// LoadPortals reads a portals file. It returns all findings in the order of
// the file; with any finding the Portals are not to be used. References are
// not resolved: see Credential.
func LoadPortals(path string, o PortalsOptions) (*Portals, []*Finding, error) {
	t, err := readFile(path, nil)
	if err != nil {
		return nil, nil, err
	}
	docs, found := parse(t, portalsScope)
	if len(docs) > 1 {
		found = append(found, docs[1].Root().Problem("second-document", nil, "a portals file is one document"))
		docs = docs[:1]
	}
	p := &Portals{}
	for _, d := range docs {
		if errs := unbounded(d); errs != nil {
			found = append(found, errs...)
			continue
		}
		found = append(found, wellFormed(d)...)
		if o.Check != nil {
			found = append(found, o.Check(d)...)
		}
		b := portalsBuilder{dir: t.dir, host: o.Host}
		if b.host == nil {
			b.host = lowerHost
		}
		p = b.build(d.Root())
		found = append(found, b.found...)
	}
	return p, arrange(found, []*text{t}), nil
}

// portalsBuilder makes the typed form of a portals file, and reports what its
// schema cannot say.
type portalsBuilder struct {
	dir   string
	host  func(string) string
	found []*Finding
}

func (b *portalsBuilder) report(n Node, rule string, hints []string, format string, args ...any) {
	b.found = append(b.found, n.Problem(rule, hints, format, args...))
}

func (b *portalsBuilder) build(root Node) *Portals {
	b.plain(root.get("version"))
	p := &Portals{Store: b.credential(root.get("store"))}
	var defaults PortalConfig
	b.settings(&defaults, root.get("defaults"))
	named := map[string]Node{}
	for item := range root.get("portals").mappings() {
		config, label := b.portal(item, defaults)
		if first, twice := named[config.Name]; twice && config.Name != "" {
			b.report(label, "duplicate-name", append(declaredAt(first), "give one of them another name"), "the name %s is declared twice", Quote(config.Name))
		} else {
			named[config.Name] = label
		}
		p.Portals = append(p.Portals, config)
	}
	return p
}

// portal reads one portal, and returns the node that its name comes from.
func (b *portalsBuilder) portal(n Node, defaults PortalConfig) (config PortalConfig, label Node) {
	f := record(n.Fields())
	label = f.get("name")
	url := f.get("url")
	config = PortalConfig{Name: scalarText(label), URL: scalarText(url), EnvFile: b.path(f.get("env_file"))}
	b.settings(&config, n)
	if url.there() {
		b.found = append(b.found, address(url)...)
	}
	for item := range f.get("manifests").Items() {
		config.Manifests = append(config.Manifests, b.path(item))
	}
	if config.Name == "" && url.there() {
		config.Name, label = b.host(config.URL), url
	}
	if c := &config.Credentials; c.WebhookURL == nil && c.AccessToken == nil {
		c.inherit(defaults.Credentials)
	}
	config.Limits.inherit(defaults.Limits)
	b.complete(n, &config.Credentials)
	return config, label
}

// settings reads what portals and the defaults have in common.
func (b *portalsBuilder) settings(config *PortalConfig, n Node) {
	if c := n.get("credentials"); c.there() {
		f := record(c.Fields())
		config.Credentials = Credentials{
			WebhookURL: b.credential(f.get("webhook_url")), AccessToken: b.credential(f.get("access_token")),
			ClientID: b.credential(f.get("client_id")), ClientSecret: b.credential(f.get("client_secret")),
			RefreshToken: b.credential(f.get("refresh_token")),
			TokenFile:    b.path(f.get("token_file")), TokenHelper: scalarText(f.get("token_helper")), OAuthURL: scalarText(f.get("oauth_url")),
		}
	}
	f := record(n.get("limits").Fields())
	b.plain(f.get("rate"))
	rate, _ := strconv.ParseFloat(f.get("rate").Text(), 64)
	config.Limits = Limits{
		Tariff: scalarText(f.get("tariff")), Rate: rate,
		Burst: b.count(f.get("burst")), Concurrency: b.count(f.get("concurrency")), BatchSize: b.count(f.get("batch_size")),
		RequestTime: b.duration(f.get("request_time")),
	}
	if d := b.duration(f.get("operating")); d > 0 {
		config.Limits.Operating = &d
	}
}

// complete reports credentials that contradict each other, or are not enough.
func (b *portalsBuilder) complete(n Node, c *Credentials) {
	application := c.ClientID != nil || c.ClientSecret != nil
	ways := 0
	for _, given := range []bool{c.WebhookURL != nil, c.AccessToken != nil, application} {
		if given {
			ways++
		}
	}
	at := n.get("credentials")
	if !at.there() {
		at = n
	}
	hints := []string{"write webhook_url alone, access_token alone, or client_id and client_secret"}
	switch {
	case ways > 1:
		b.report(at, "several-credentials", hints, "the portal has several ways to sign in")
	case ways == 0:
		b.report(at, "missing-credentials", hints, "the portal has no credentials")
	case application && (c.ClientID == nil || c.ClientSecret == nil):
		b.report(at, "missing-credentials", []string{"add the other one here, or to the defaults"}, "client_id and client_secret belong together")
	case c.TokenFile != "" && c.TokenHelper != "":
		b.report(at, "several-credentials", []string{"choose one of them"}, "the token pair has both a file and a helper")
	}
}

func (c *Credentials) inherit(d Credentials) {
	inherit(&c.ClientID, d.ClientID)
	inherit(&c.ClientSecret, d.ClientSecret)
	inherit(&c.RefreshToken, d.RefreshToken)
	inherit(&c.OAuthURL, d.OAuthURL)
	if c.TokenFile == "" && c.TokenHelper == "" {
		c.TokenFile, c.TokenHelper = d.TokenFile, d.TokenHelper
	}
	if c.ClientID == nil && c.ClientSecret == nil {
		c.WebhookURL, c.AccessToken = d.WebhookURL, d.AccessToken
	}
}

func (l *Limits) inherit(d Limits) {
	if l.Tariff == "" && l.Rate == 0 && l.Burst == 0 { // a portal's tariff is not mixed with another rate
		l.Tariff, l.Rate, l.Burst = d.Tariff, d.Rate, d.Burst
	}
	inherit(&l.Concurrency, d.Concurrency)
	inherit(&l.BatchSize, d.BatchSize)
	inherit(&l.Operating, d.Operating)
	inherit(&l.RequestTime, d.RequestTime)
}

func inherit[T comparable](value *T, from T) {
	var zero T
	if *value == zero {
		*value = from
	}
}

// plain reports an integer in another notation than the plain decimal one.
func (b *portalsBuilder) plain(n Node) {
	if n.there() {
		b.found = append(b.found, plain(n, n.Key(), digitsOnly)...)
	}
}

func (b *portalsBuilder) count(n Node) int {
	b.plain(n)
	if i := integerOf(n); i != nil {
		return int(*i)
	}
	return 0
}

// duration reads a duration; the schema reports one that is written wrongly.
func (b *portalsBuilder) duration(n Node) time.Duration {
	d, err := time.ParseDuration(scalarText(n))
	if err == nil && d <= 0 {
		b.report(n, "out-of-range", nil, "%s must be longer than 0", n.Key())
	}
	return d
}

// path reads a path relative to the file.
func (b *portalsBuilder) path(n Node) string {
	path := filepath.FromSlash(scalarText(n))
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(b.dir, path)
}

// credential reads a reference, or a text where that is not a secret; nil where
// there is none.
func (b *portalsBuilder) credential(n Node) *Credential {
	if !n.there() {
		return nil
	}
	return &Credential{
		Position: n.Position(), Literal: scalarText(n), Env: scalarText(n.get("env")), File: b.path(n.get("file")),
	}
}
