package auth

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"time"

	"golang.org/x/oauth2"

	"syncsources/bitrix/rest"
	"syncsources/bitrix/secret"
)

// renewalTime bounds a renewal as a whole: the requests to the authorization
// server, and the store.
const renewalTime = 90 * time.Second

// retryTime is how long the authorization server may fail to answer.
const retryTime = 20 * time.Second

// TokenSource hands out an application's access token, and renews it where
// the portal calls it expired or its hour is about to be over, never else. All
// who ask at the same time get the one renewal's token; other processes are
// kept out by the store's lock. A new pair is stored before it is used.
//
// It is an oauth2.TokenSource and a Renewer, safe for concurrent use. Its
// errors are *Error: with the reaction rest.Fatal, or rest.NotDelivered where the
// context ended first.
type TokenSource struct {
	server *AuthServer
	store  TokenStore
	portal *url.URL
	seed   secret.Text
	log    *slog.Logger

	turn    chan struct{} // holds one element while nobody uses what follows
	current Pair
	failed  error // of a renewal: to try again could do no good, and much harm
}

// TokenConfig configures a TokenSource.
type TokenConfig struct {
	Server *AuthServer
	Store  TokenStore
	Portal string       // the portal's address; pairs of another one are refused
	Seed   secret.Text  // refresh token to begin with where the store is empty; may be empty
	Logger *slog.Logger // nil logs nothing
}

// NewTokenSource returns a source. It does not read the store yet.
func NewTokenSource(conf TokenConfig) (*TokenSource, error) {
	portal, err := rest.ParseAddress(conf.Portal)
	if err != nil {
		return nil, err
	}
	if conf.Logger == nil {
		conf.Logger = slog.New(slog.DiscardHandler)
	}
	s := &TokenSource{server: conf.Server, store: conf.Store, portal: portal, seed: conf.Seed, log: conf.Logger, turn: make(chan struct{}, 1)}
	s.turn <- struct{}{}
	return s, nil
}

// Token is TokenContext without a context.
func (s *TokenSource) Token() (*oauth2.Token, error) { return s.TokenContext(context.Background()) }

// Check reads the store, so that what is wrong with it is known before a run.
// It renews nothing. Errors are *rest.Error.
func (s *TokenSource) Check(ctx context.Context) error {
	_, err := s.withTurn(ctx, func() (err error) {
		s.current, err = s.load(ctx)
		return err
	})
	return err
}

// TokenContext returns a token that is not known to have expired.
func (s *TokenSource) TokenContext(ctx context.Context) (*oauth2.Token, error) {
	return s.withTurn(ctx, func() error {
		if s.current.fresh(time.Now()) {
			return nil
		}
		if s.current.fields == nil {
			p, err := s.load(ctx)
			if err != nil {
				return err
			}
			if s.current = p; p.fresh(time.Now()) {
				return nil
			}
		}
		return s.renew(ctx, s.current.AccessToken)
	})
}

// Renew returns a token other than the rejected one: that of a renewal, or
// one that another worker or process has obtained meanwhile.
func (s *TokenSource) Renew(ctx context.Context, rejected *oauth2.Token) (*oauth2.Token, error) {
	return s.withTurn(ctx, func() error {
		if s.current.fresh(time.Now()) && s.current.AccessToken.Plain() != rejected.AccessToken {
			return nil
		}
		return s.renew(ctx, secret.New(rejected.AccessToken))
	})
}

// withTurn runs f while nobody else does, and returns the token it leaves.
func (s *TokenSource) withTurn(ctx context.Context, f func() error) (*oauth2.Token, error) {
	select {
	case <-s.turn:
		defer func() { s.turn <- struct{}{} }()
	case <-ctx.Done():
		return nil, interruptedRenewal(ctx)
	}
	if s.failed != nil {
		return nil, s.failed
	}
	if err := f(); err != nil {
		if ctx.Err() != nil && !errors.As(err, new(*rest.Error)) {
			return nil, interruptedRenewal(ctx)
		}
		s.failed = final(err)
		return nil, s.failed
	}
	return s.current.token(), nil
}

// load reads the store; without a pair in it, the seed is one.
func (s *TokenSource) load(ctx context.Context) (Pair, error) {
	p, err := s.store.Load(ctx)
	seeded := s.seed.Plain() != ""
	switch {
	case errors.Is(err, ErrNoPair) && seeded, err == nil && p.AccessToken.Plain() == "" && seeded:
		// A stored refresh token without an access token is an earlier seed
		// that was never used.
		return seedPair(s.seed), nil
	case errors.Is(err, ErrNoPair):
		return Pair{}, because(NoPair, storeFailure("there is no token pair in "+s.store.String()+" yet", "", nil))
	case err != nil:
		return Pair{}, err
	}
	if err := p.belongsTo(s.portal); err != nil {
		return Pair{}, because(OtherPortal, storeFailure(s.store.String()+" does not fit the portal", "", err))
	}
	return p, nil
}

// renew replaces the pair whose access token was rejected.
func (s *TokenSource) renew(ctx context.Context, rejected secret.Text) error {
	unlock, err := s.store.Lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	old, err := s.load(ctx)
	if err != nil {
		return err
	}
	if old.AccessToken.Plain() != rejected.Plain() && old.fresh(time.Now()) {
		s.log.Debug("another run has renewed the access token", "store", s.store.String())
		s.current = old
		return nil
	}
	if old.RefreshToken.Plain() == "" {
		return because(NoPair, storeFailure("the access token has expired, and there is no refresh token in "+s.store.String(), "", nil))
	}
	// From here on nothing but its own time limit stops the renewal: cut off
	// in the middle, it would cost the refresh token.
	if err := ctx.Err(); err != nil {
		return err
	}
	waiting := ctx
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), renewalTime)
	defer cancel()
	if err := s.store.Rehearse(ctx, old); err != nil {
		return err
	}
	p, err := s.refresh(ctx, waiting, old.RefreshToken)
	if errors.Is(err, rest.Code("invalid_grant")) {
		// Another machine may have been faster.
		if now, loadErr := s.load(ctx); loadErr == nil && now.AccessToken.Plain() != old.AccessToken.Plain() && now.fresh(time.Now()) {
			s.current = now
			return s.store.Abandon()
		}
	}
	if err != nil {
		return errors.Join(err, s.store.Abandon())
	}
	if err := s.store.Store(ctx, p); err != nil {
		return err
	}
	s.log.Info("renewed the access token", "store", s.store.String(), "expires", p.Expires)
	if err := p.belongsTo(s.portal); err != nil {
		return because(OtherPortal, storeFailure("the authorization server answered for another portal", "the new pair is in "+s.store.String(), err))
	}
	s.current = p
	return nil
}

// refresh asks for a new pair, and again while no answer comes. An attempt
// whose answer was lost may have spent the refresh token; the next one tells.
// The end of waiting stops the attempts between two of them, that of ctx also
// in the middle of one.
func (s *TokenSource) refresh(ctx, waiting context.Context, token secret.Text) (Pair, error) {
	start, lostOne := time.Now(), false
	for wait := time.Second; ; wait *= 2 {
		p, err := s.server.Refresh(ctx, token)
		var e *rest.Error
		if !errors.As(err, &e) {
			return p, err
		}
		what := e.Reaction()
		if what != rest.NotDelivered && what != rest.Unknown && what != rest.Throttled {
			if lostOne && e.Code == "invalid_grant" {
				e.Message += "; the answer to an earlier attempt was lost, and with it the new pair"
			}
			return Pair{}, e
		}
		lostOne = lostOne || what == rest.Unknown
		left := retryTime - time.Since(start)
		if left <= 0 {
			return Pair{}, e
		}
		if err := sleep(waiting, min(wait, left)); err != nil {
			return Pair{}, err
		}
		s.log.Warn("the authorization server does not answer; trying again", "error", e.Error())
	}
}

// final makes an error stop the run, whatever its code means elsewhere.
func final(err error) error {
	var e *rest.Error
	if !errors.As(err, &e) {
		e = storeFailure("no access token can be had", "", err)
	}
	last := *e
	last.Final = true
	return &last
}

// interruptedRenewal is the error of a call whose context ended before there
// was a token.
func interruptedRenewal(ctx context.Context) error {
	return &rest.Error{Code: rest.Network, Message: "ended while waiting for an access token", NotSent: true, Err: context.Cause(ctx)}
}
