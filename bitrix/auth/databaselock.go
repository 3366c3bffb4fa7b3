package auth

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/semaphore"

	"syncsources/bitrix/rest"
)

// session is the one connection that holds all locks of applies of a process,
// as advisory locks: they end with it. Its server finds out within half a
// minute that the machine behind a connection has vanished.
type session struct {
	d      *Database
	config *pgx.ConnConfig
	turn   *semaphore.Weighted // of whoever uses what follows
	conn   *pgx.Conn
	held   map[int64]*databaseLock
	stop   context.CancelFunc // of the heartbeat
}

// heartbeat is how often a session looks whether it still has its locks, and
// heartbeatTimeout how long the answer may take. Both together are less than
// what keepalive allows a connection that is silent.
const (
	heartbeat        = 5 * time.Second
	heartbeatTimeout = 10 * time.Second
	keepalive        = `SELECT set_config('tcp_keepalives_idle', '15', false), set_config('tcp_keepalives_interval', '5', false), set_config('tcp_keepalives_count', '3', false)`
)

// advisoryKey makes a lock one of the schema that has the tables, since
// advisory locks are a whole database's.
const advisoryKey = `$1::bigint # hashtextextended(current_schema(), 0)`

func newSession(d *Database, config *pgx.ConnConfig) *session {
	return &session{d: d, config: config.Copy(), turn: semaphore.NewWeighted(1), held: map[int64]*databaseLock{}}
}

// Acquire implements Locks.
func (d *Database) Acquire(ctx context.Context, portal string, wait time.Duration) (Lock, Left, error) {
	sum := lockKey(portal)
	lock := &databaseLock{s: d.locks, key: int64(binary.BigEndian.Uint64(sum[:8])), portal: rest.HostPort(portal), lost: make(chan struct{})}
	var left Left
	got, err := waitForLock(ctx, wait, func() (got bool, err error) {
		err = d.try(ctx, func(ctx context.Context) error {
			got, left, err = d.locks.lock(ctx, lock)
			return err
		})
		return got, err
	})
	switch {
	case got:
		return lock, left, nil
	case err != nil && ctx.Err() == nil:
		return nil, Left{}, d.failure("cannot lock the portal", err)
	}
	return nil, Left{}, &HeldError{Portal: portal, Holder: d.holder(ctx, lock.portal)}
}

// holder returns who holds a lock, as far as it is known.
func (d *Database) holder(ctx context.Context, portal string) (h Holder) {
	var text string
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), heartbeatTimeout)
	defer cancel()
	if d.pool.QueryRow(ctx, `SELECT holder FROM syncsources_applies WHERE portal = $1`, portal).Scan(&text) == nil {
		_ = json.Unmarshal([]byte(text), &h)
	}
	return h
}

// lock tries to take a lock, and notes its holder.
func (s *session) lock(ctx context.Context, l *databaseLock) (got bool, left Left, err error) {
	if err := s.turn.Acquire(ctx, 1); err != nil {
		return false, left, err
	}
	defer s.turn.Release(1)
	if s.held[l.key] != nil { // the server would let the same session have it twice
		return false, left, nil
	}
	ctx, cancel := context.WithTimeout(ctx, storeQueryTimeout)
	defer cancel()
	if err := s.connect(ctx); err != nil {
		return false, left, err
	}
	defer func() {
		switch {
		case err != nil && s.conn.IsClosed():
			s.drop()
		case !got:
			s.rest()
		}
	}()
	if err := s.conn.QueryRow(ctx, `SELECT pg_try_advisory_lock(`+advisoryKey+`)`, l.key).Scan(&got); err != nil || !got {
		return false, left, err
	}
	if left, err = s.note(ctx, l.portal); err != nil {
		_, _ = s.conn.Exec(ctx, `SELECT pg_advisory_unlock(`+advisoryKey+`)`, l.key)
		return false, left, err
	}
	s.held[l.key] = l
	return true, left, nil
}

// note reads what the last holder left, and takes its place.
func (s *session) note(ctx context.Context, portal string) (left Left, err error) {
	var former string
	var age *float64 // seconds, by the server's clock, which all machines share
	err = s.conn.QueryRow(ctx, `SELECT holder, extract(epoch FROM clock_timestamp() - last_add)::float8 FROM syncsources_applies WHERE portal = $1`, portal).Scan(&former, &age)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return left, err
	}
	if age != nil {
		_ = json.Unmarshal([]byte(former), &left.Holder)
		left.LastAdd = time.Now().Add(-time.Duration(*age * float64(time.Second)))
	}
	holder, err := json.Marshal(newHolder())
	if err != nil {
		return left, err
	}
	_, err = s.conn.Exec(ctx, `INSERT INTO syncsources_applies (portal, holder) VALUES ($1, $2) ON CONFLICT (portal) DO UPDATE SET holder = $2`, portal, string(holder))
	return left, err
}

// connect makes sure that there is a connection, and that it is watched.
func (s *session) connect(ctx context.Context) error {
	if s.conn != nil && !s.conn.IsClosed() {
		return nil
	}
	s.drop()
	conn, err := pgx.ConnectConfig(ctx, s.config)
	if err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, keepalive); err != nil {
		_ = conn.Close(ctx)
		return err
	}
	s.conn = conn
	beating, stop := context.WithCancel(context.Background())
	s.stop = stop
	go s.beat(beating)
	return nil
}

// beat looks again and again whether the connection still has its locks.
func (s *session) beat(ctx context.Context) {
	for sleep(ctx, heartbeat) == nil && s.turn.Acquire(ctx, 1) == nil {
		s.check(ctx)
		s.turn.Release(1)
	}
}

// check gives up a connection that no longer has its locks, or that a mistake
// of ours lets nobody ask.
func (s *session) check(ctx context.Context) {
	defer func() {
		if reason := recover(); reason != nil {
			s.d.log.Error("internal error", "reason", reason, "stack", string(debug.Stack()))
			s.forget()
		}
	}()
	if ctx.Err() == nil && !s.has(ctx, len(s.held)) {
		s.drop()
	}
}

// has reports whether the connection holds this many locks. Behind a pooler that
// hands each statement to another connection it does not.
func (s *session) has(ctx context.Context, want int) bool {
	ctx, cancel := context.WithTimeout(ctx, heartbeatTimeout)
	defer cancel()
	var n int
	err := s.conn.QueryRow(ctx, `SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid = pg_backend_pid()`).Scan(&n)
	return err == nil && n >= want
}

// drop ends the connection and notifies all who hold a lock.
func (s *session) drop() {
	if s.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = s.conn.Close(ctx)
	s.forget()
}

func (s *session) forget() {
	s.stop()
	s.conn = nil
	for key, l := range s.held {
		close(l.lost)
		delete(s.held, key)
	}
}

// rest ends a connection that holds nothing.
func (s *session) rest() {
	if len(s.held) == 0 {
		s.drop()
	}
}

func (s *session) close() {
	_ = s.turn.Acquire(context.Background(), 1)
	defer s.turn.Release(1)
	s.drop()
}

type databaseLock struct {
	s      *session
	key    int64
	portal string
	lost   chan struct{}
	noted  time.Time // guarded by the session's turn
}

func (l *databaseLock) Lost() <-chan struct{} { return l.lost }

// NoteAdd implements Lock. The time is noted by the server's clock.
func (l *databaseLock) NoteAdd(ctx context.Context, at time.Time) error {
	if err := l.s.turn.Acquire(ctx, 1); err != nil {
		return err
	}
	defer l.s.turn.Release(1)
	if l.s.held[l.key] != l {
		return errLockLost
	}
	if !at.After(l.noted) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, heartbeatTimeout)
	defer cancel()
	ahead := time.Until(at) + noteStep
	tag, err := l.s.conn.Exec(ctx, `UPDATE syncsources_applies SET last_add = clock_timestamp() + $2::float8 * interval '1 second' WHERE portal = $1
		AND EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid = pg_backend_pid())`, l.portal, ahead.Seconds())
	switch {
	case err != nil && l.s.conn.IsClosed(), err == nil && tag.RowsAffected() != 1:
		l.s.drop()
		return errLockLost
	case err != nil:
		return fmt.Errorf("cannot note that something is created: %s", l.s.d.reason(err))
	}
	l.noted = at.Add(noteStep)
	return nil
}

// errLockLost is the error of a lock whose connection has ended.
var errLockLost = errors.New("the lock was lost together with the connection to the store")

func (l *databaseLock) Release() {
	l.release(`UPDATE syncsources_applies SET last_add = NULL WHERE portal = $1`)
}

func (l *databaseLock) ReleaseUnsettled() { l.release(`SELECT $1::text`) }

func (l *databaseLock) release(sql string) {
	ctx, cancel := context.WithTimeout(context.Background(), heartbeatTimeout)
	defer cancel()
	if l.s.turn.Acquire(ctx, 1) != nil {
		return
	}
	defer l.s.turn.Release(1)
	if l.s.held[l.key] != l {
		return
	}
	delete(l.s.held, l.key)
	_, err := l.s.conn.Exec(ctx, sql, l.portal)
	if err == nil {
		_, err = l.s.conn.Exec(ctx, `SELECT pg_advisory_unlock(`+advisoryKey+`)`, l.key)
	}
	if err != nil { // the lock would stay as long as the connection
		l.s.drop()
		return
	}
	l.s.rest()
}
