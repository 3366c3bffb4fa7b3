package auth

import (
	"context"
	"errors"
	"time"

	"syncsources/bitrix/rest"
	"syncsources/bitrix/secret"
)

// renewalTime bounds a renewal as a whole: the requests to the authorization
// server, and the store.
const renewalTime = 90 * time.Second

// retryTime is how long the authorization server may fail to answer.
const retryTime = 20 * time.Second

// A token that is called expired within renewalGap of its renewal is renewed
// only when that time has passed, and after maxYoung of them in a row no more:
// renewing without need may get the application blocked.
const (
	renewalGap = 5 * time.Second
	maxYoung   = 3
)

// age is how long ago this source has got a pair by a renewal; of another pair
// very long.
func (s *TokenSource) age(p Pair) time.Duration {
	if s.renewed.IsZero() || !p.same(s.current) {
		return time.Hour
	}
	return time.Since(s.renewed)
}

// gap is how old a pair must be before it is renewed: less than renewalGap
// only where the authorization server itself gives it less time.
func gap(p Pair) time.Duration {
	if p.Lifetime == 0 {
		return renewalGap
	}
	return min(renewalGap, max(p.Lifetime*9/10, time.Second))
}

// renew replaces the pair whose access token was rejected.
func (s *TokenSource) renew(ctx context.Context, rejected secret.Text) error {
	locked, err := s.store.Lock(ctx)
	if err != nil {
		return err
	}
	defer locked.Unlock()
	for attempt := 1; ; attempt++ {
		err := s.renewOnce(ctx, locked, rejected)
		if !errors.Is(err, errNewer) {
			return err
		}
		if attempt == prepareAttempts || sleep(ctx, jitter()) != nil {
			return storeError(s.store, err)
		}
	}
}

// renewOnce renews the pair that is stored now, or takes it, if somebody else
// has renewed it meanwhile. errNewer means that it should look again.
func (s *TokenSource) renewOnce(ctx context.Context, locked LockedStore, rejected secret.Text) error {
	old, err := s.load(ctx, locked)
	if err != nil {
		return err
	}
	if old.AccessToken != rejected && s.usable(old) {
		s.log.Debug("another run has renewed the access token", "store", s.store.String())
		s.current, s.renewed = old, time.Time{}
		return nil
	}
	if old.RefreshToken.Plain() == "" {
		return because(NoPair, storeFailure("the access token has expired, and there is no refresh token in "+s.store.String(), "", nil))
	}
	if err := s.waitForAge(ctx, old); err != nil {
		return err
	}
	// From here on nothing but its own time limit stops the renewal: cut off
	// in the middle, it would cost the refresh token.
	if err := ctx.Err(); err != nil {
		return err
	}
	waiting := ctx
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), renewalTime)
	defer cancel()
	if err := locked.Prepare(ctx, old); err != nil {
		return err
	}
	p, lost, err := s.refresh(ctx, waiting, old)
	if errors.Is(err, rest.Code("invalid_grant")) && s.appears(ctx, waiting, locked, old) {
		return errors.Join(errNewer, locked.Discard())
	}
	if err != nil {
		if !lost {
			err = errors.Join(s.explain(err, old), locked.Discard())
		}
		return err
	}
	if err := locked.Store(ctx, p); err != nil {
		return err
	}
	s.log.Info("renewed the access token", "store", s.store.String(), "expires", p.Expires)
	if !p.BelongsTo(s.portal) || old.moved && p.Member != old.Member {
		return s.otherPortal(p)
	}
	if old.moved {
		s.log.Warn("the portal has a new address; its token pair is renewed for it", "before", old.portal(), "now", s.host())
	}
	s.current, s.renewed = p, time.Now()
	return nil
}

// waitForAge keeps renewals apart where the portal calls a token expired that
// has just been issued.
func (s *TokenSource) waitForAge(ctx context.Context, old Pair) error {
	age := s.age(old)
	if old.AccessToken.Plain() == "" || old.moved || age >= gap(old) {
		s.young = 0
		return nil
	}
	if s.young++; s.young >= maxYoung {
		return &rest.Error{Code: rest.ExpiredToken, Reason: NewTokenRejected,
			Message: "the portal calls each access token expired as soon as it is issued"}
	}
	return sleep(ctx, gap(old)-age)
}

// appears reports whether another pair is stored by now, by a machine that was
// faster. Where the store does not keep others out, it is given some time.
func (s *TokenSource) appears(ctx, waiting context.Context, locked LockedStore, old Pair) bool {
	for deadline := time.Now().Add(locked.Patience()); ; {
		now, err := s.load(ctx, locked)
		if err == nil && !now.same(old) {
			return true
		}
		left := time.Until(deadline)
		if left <= 0 || sleep(waiting, min(500*time.Millisecond, left)) != nil {
			return false
		}
	}
}

// explain adds to a refusal what is known about the pair that was refused.
func (s *TokenSource) explain(err error, old Pair) error {
	var e *rest.Error
	if !errors.As(err, &e) {
		return err
	}
	if old.begun != "" && e.Code == "invalid_grant" {
		e.Message += "; " + old.begun + " and was cut off: the new pair was lost with it"
	}
	if old.moved {
		e.Message += "; the stored token pair belongs to " + old.portal() + ", not to " + s.host()
	}
	return e
}

// refresh asks for a new pair, and again while no answer comes. An attempt
// whose answer was lost may have spent the refresh token; the next one shows it.
// The end of waiting stops the attempts between two of them, that of ctx also
// in the middle of one. lost means that the refresh token may be spent all the
// same.
func (s *TokenSource) refresh(ctx, waiting context.Context, old Pair) (p Pair, lost bool, err error) {
	start := time.Now()
	for wait := time.Second; ; wait *= 2 {
		p, err := s.server.Refresh(ctx, s.portal, old)
		var e *rest.Error
		if !errors.As(err, &e) {
			return p, false, err
		}
		what := e.Reaction()
		if what != rest.NotDelivered && what != rest.Unknown && what != rest.Throttled {
			if lost && e.Code == "invalid_grant" {
				e.Message += "; the answer to an earlier attempt was lost, and with it the new pair"
			}
			return Pair{}, false, e
		}
		lost = lost || what == rest.Unknown
		left := retryTime - time.Since(start)
		if left <= 0 {
			return Pair{}, lost, e
		}
		if err := sleep(waiting, min(wait, left)); err != nil {
			return Pair{}, lost, err
		}
		s.log.Warn("the authorization server does not answer; trying again", "error", e.Error())
	}
}
