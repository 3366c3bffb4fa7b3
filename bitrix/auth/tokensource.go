package auth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/sync/semaphore"

	"syncsources/bitrix/rest"
	"syncsources/bitrix/secret"
)

// TokenSource hands out an application's access token, and renews it where
// the portal calls it expired or its hour is about to be over, never else. All
// who ask at the same time get the one renewal's token; other processes are
// kept out by the store's lock. A new pair is stored before it is used.
//
// It is an oauth2.TokenSource, and renews for a bitrix.Client. It is safe for
// concurrent use. Its errors are *rest.Error: with the reaction rest.Fatal, or
// rest.NotDelivered where the context ended first.
type TokenSource struct {
	server *AuthServer
	store  TokenStore
	portal string
	seed   secret.Text
	log    *slog.Logger

	turn    *semaphore.Weighted // of whoever uses what follows
	current Pair
	renewed time.Time // when this source last renewed
	young   int       // tokens in a row that were called expired as soon as they were issued
	failed  error     // of a renewal: to try again could do no good, and much harm
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
	conf.Logger = cmp.Or(conf.Logger, slog.New(slog.DiscardHandler))
	return &TokenSource{server: conf.Server, store: conf.Store, portal: portal.String(), seed: conf.Seed, log: conf.Logger, turn: semaphore.NewWeighted(1)}, nil
}

// Token is TokenContext without a context.
func (s *TokenSource) Token() (*oauth2.Token, error) { return s.TokenContext(context.Background()) }

// Stored returns the pair that is stored, or the seed, and renews nothing.
func (s *TokenSource) Stored(ctx context.Context) (p Pair, err error) {
	_, err = s.withTurn(ctx, func() (err error) {
		s.current, err = s.load(ctx, s.store)
		p = s.current
		return err
	})
	return p, err
}

// TokenContext returns a token that is not known to have expired.
func (s *TokenSource) TokenContext(ctx context.Context) (*oauth2.Token, error) {
	return s.withTurn(ctx, func() error {
		if s.usable(s.current) {
			return nil
		}
		if s.current.fields == nil {
			p, err := s.load(ctx, s.store)
			if err != nil {
				return err
			}
			if s.current = p; s.usable(p) {
				return nil
			}
		}
		return s.renew(ctx, s.current.AccessToken)
	})
}

// usable reports whether a pair's token may be tried: it is fresh, or so new
// that only the portal knows, whatever its expiry says.
func (s *TokenSource) usable(p Pair) bool {
	return p.fresh(time.Now()) || p.AccessToken.Plain() != "" && s.age(p) < gap(p)
}

// Renew returns a token other than the rejected one: that of a renewal, or
// one that another worker or process has obtained meanwhile.
func (s *TokenSource) Renew(ctx context.Context, rejected *oauth2.Token) (*oauth2.Token, error) {
	return s.withTurn(ctx, func() error {
		if s.usable(s.current) && s.current.AccessToken.Plain() != rejected.AccessToken {
			return nil
		}
		return s.renew(ctx, secret.New(rejected.AccessToken))
	})
}

// withTurn runs f while nobody else does, and returns the token it leaves.
func (s *TokenSource) withTurn(ctx context.Context, f func() error) (*oauth2.Token, error) {
	if s.turn.Acquire(ctx, 1) != nil {
		return nil, interruptedRenewal(ctx)
	}
	defer s.turn.Release(1)
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
	return s.current.Token(), nil
}

// load reads the store; without a pair in it, the seed is one.
func (s *TokenSource) load(ctx context.Context, from interface {
	Load(context.Context) (Pair, error)
}) (Pair, error) {
	p, err := from.Load(ctx)
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
	if !p.BelongsTo(s.portal) {
		if p.Member == "" || p.RefreshToken.Plain() == "" {
			return Pair{}, s.otherPortal(p)
		}
		p.moved = true // a renewal will tell whether it is the same portal under a new name
	}
	return p, nil
}

func (s *TokenSource) otherPortal(p Pair) error {
	return because(OtherPortal, storeFailure(fmt.Sprintf("the token pair in %s belongs to %s, not to %s", s.store, p.portal(), s.host()), "", nil))
}

// host is the portal's host, for messages.
func (s *TokenSource) host() string {
	_, host, _ := strings.Cut(s.portal, "://")
	return host
}

// final makes an error stop the run, whatever its code means elsewhere.
func final(err error) error {
	var e *rest.Error
	if !errors.As(err, &e) {
		e = storeFailure("cannot obtain an access token", "", err)
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
